"""Who may use a device, and in which order the others wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpr.device_queue import Turns


@pytest.fixture
def alive() -> set[str]:
    return {"a", "b", "c", "d"}


@pytest.fixture
def turns(tmp_path: Path, alive: set[str]) -> Turns:
    return Turns(tmp_path, lambda name: name in alive)


def test_the_next_one_gets_the_device_when_it_is_free(turns: Turns) -> None:
    for name in ("a", "b", "c"):
        turns.join(name, "cpu")
    assert turns.take("b", "cpu") is None
    held = turns.take("a", "cpu")
    assert held is not None
    assert turns.waiting() == ["b", "c"]
    assert turns.take("b", "cpu") is None
    held.release()
    assert turns.take("c", "cpu") is None
    after = turns.take("b", "cpu")
    assert after is not None
    after.release()


def test_the_order_can_be_changed(turns: Turns) -> None:
    for name in ("a", "b", "c"):
        turns.join(name, "cpu")
    turns.move("c", -1)
    assert turns.waiting() == ["a", "c", "b"]
    turns.move("a", 5)
    assert turns.waiting() == ["c", "b", "a"]
    turns.move("b", -9)
    turns.move("stranger", 1)
    assert turns.waiting() == ["b", "c", "a"]
    turns.leave("c")
    turns.join("b", "cpu")  # once more: at the end
    assert turns.waiting() == ["a", "b"]


def test_those_whose_process_is_gone_do_not_hold_up_the_others(turns: Turns, alive: set[str]) -> None:
    turns.join("a", "cpu")
    turns.join("b", "cpu")
    alive.remove("a")
    held = turns.take("b", "cpu")
    assert held is not None
    held.release()


def test_devices_have_a_turn_each(turns: Turns) -> None:
    for name, device in (("a", "cpu"), ("b", "cuda:0"), ("c", "cuda:1")):
        turns.join(name, device)
    held = [turns.take("c", "cuda:1"), turns.take("b", "cuda:0"), turns.take("a", "cpu")]
    assert None not in held
    for lock in held:
        assert lock is not None
        lock.release()


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1}'])
def test_a_damaged_queue_is_an_empty_one(turns: Turns, tmp_path: Path, content: str) -> None:
    (tmp_path / "queue.json").write_text(content)
    assert turns.waiting() == []
    turns.join("a", "cpu")
    assert turns.waiting() == ["a"]
