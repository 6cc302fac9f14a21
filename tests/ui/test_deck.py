from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gpr.data.dataset import Dataset, Request
from gpr.data.load import load
from gpr.errors import ModelError, RequestError
from gpr.labels.label import Label
from gpr.labels.store import LabelStore, Said
from gpr.ui.background import Background, Task
from gpr.ui.deck import Deck, Sitting, Turn, key_of
from gpr.ui.labelling import annotator_of, give, given
from tests.ui.fake import write_data
from tests.ui.fake_recommender import FakeRecommender


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return load(write_data(tmp_path / "tiny"), cache=tmp_path)


@dataclass(eq=False)
class OneLabel:
    """A turn that is about one label."""

    label: Label
    finished: bool = False
    token: str = ""

    def says(self, press: Mapping[str, str], annotator: str) -> list[Said]:
        return [self.label]

    def covers(self, said: Said) -> bool:
        return said == self.label

    def keep(self, said: Said) -> str:
        self.finished = True
        return ""

    def forget(self, said: Said) -> None:
        self.finished = False


def labels(number: int) -> list[Label]:
    return [Label("r", "q", (), str(item), "t", "", 0.5, -1.0, 1, "good", "me") for item in range(number)]


def sitting_of(said: list[Label], before: int = 0) -> Sitting:
    deck = Deck(lambda: iter([OneLabel(one) for one in said]), len(said), set())
    deck.think(wait=True)
    return Sitting("key", deck, "me", before, lambda taken: OneLabel(taken[-1]))


def shown(sitting: Sitting) -> Label | None:
    turn = sitting.deck.turn
    return turn.label if isinstance(turn, OneLabel) else None


def test_a_sitting_goes_on_and_back_and_on_again() -> None:
    first, second, third = said = labels(3)
    sitting = sitting_of(said)
    for one in said:
        assert shown(sitting) == one
        sitting.keep([one])
    assert shown(sitting) is None
    assert sitting.counts == {"good": 3}
    for one in (third, second, first):
        sitting.forget([one])
        assert shown(sitting) == one
    assert (sitting.labelled, sitting.taken_back) == (0, 3)
    sitting.keep([first, second])
    assert shown(sitting) == third


def test_what_is_skipped_is_done_and_no_label() -> None:
    first, second = said = labels(2)
    sitting = sitting_of(said)
    sitting.keep([dataclasses.replace(first, verdict="skip")])
    sitting.keep([second])
    assert (sitting.done, sitting.labelled) == (2, 1)


def test_what_was_said_in_an_earlier_sitting_is_shown_again_when_it_is_taken_back() -> None:
    old, new = labels(2)
    sitting = sitting_of([new], before=1)
    sitting.forget([old])
    assert shown(sitting) == old
    assert sitting.done == 0
    sitting.keep([old])
    assert shown(sitting) == new
    assert key_of(old) in sitting.deck.known


def test_what_is_said_again_is_not_asked_further_ahead() -> None:
    first, second, third = said = labels(3)
    sitting = sitting_of(said)
    sitting.keep([second])
    assert shown(sitting) == first
    sitting.keep([first])
    assert shown(sitting) == third


def test_trouble_is_said_and_the_next_one_tried() -> None:
    [label], begun = labels(1), []

    def turns() -> Iterator[Turn]:
        begun.append(1)
        if len(begun) == 1:
            raise ModelError("The model is gone.")
        yield OneLabel(label)

    deck = Deck(turns, 1, set())
    deck.think(wait=True)
    assert (deck.turn, deck.trouble, deck.waiting) == (None, "The model is gone.", False)
    deck.think(wait=True)
    assert deck.turn
    assert deck.trouble == ""


def test_the_pace_of_a_sitting_and_what_is_left() -> None:
    said = labels(400)
    sitting = sitting_of(said, before=3)
    assert sitting.rate is None
    assert sitting.seconds_left is None
    for one in said[:4]:
        sitting.keep([one])
    assert sitting.rate
    assert sitting.rate > 1000
    assert sitting.done == 7
    assert sitting.seconds_left
    later = sitting_of(said, before=7)
    later.go_on(sitting)
    assert (later.before, later.labelled, later.rate) == (3, 4, sitting.rate)
    assert later.seconds >= 0


def test_a_label_taken_back_leaves_nothing_else_changed(dataset: Dataset) -> None:
    store, request = LabelStore("sqlite://"), Request("dream")
    one, other = FakeRecommender(dataset, "").recommend(request, 2)
    give(store, dataset, request, one, "run", "good", "me")
    give(store, dataset, request, one, "run", "bad", "me")
    assert given(store, dataset, request, "me") == {one.number: "bad"}
    give(store, dataset, request, one, "run", "bad", "me", back=True)
    assert store.current() == []
    give(store, dataset, request, one, "run", "good", "me")
    give(store, dataset, request, other, "run", "bad", "me")
    give(store, dataset, request, one, "run", "good", "me", back=True)
    assert given(store, dataset, request, "me") == {other.number: "bad"}
    assert given(store, dataset, request, "somebody else") == {}
    assert [label.item_id for label in store.current()] == [other.item_id]


def test_who_labels() -> None:
    class Login:
        username = "anna"

    assert annotator_of("  Ben  Li ", None) == "Ben Li"
    assert annotator_of("Ben", Login()) == "anna"  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="A label needs a name. Type yours"):
        annotator_of("  ", None)


def test_background_runs_each_key_once_until_told_otherwise() -> None:
    background, go = Background(), threading.Event()

    def work(task: Task) -> str:
        task.report(0.5, "half")
        go.wait(10)
        return "result"

    task = background.start("key", work)
    assert background.start("key", work, again=True) is task
    go.set()
    finished(task)
    assert (task.state, task.result) == ("done", "result")
    assert background.start("key", work) is task
    failing = background.start("other", lambda task: [][1])
    finished(failing)
    assert failing.state == "failed"
    assert "Something went wrong on our side." in failing.words
    again = background.start("other", lambda task: 1, again=True)
    assert again is not failing
    finished(again)


def finished(task: Task) -> None:
    task.thread.join(10)
    assert task.state != "running"
