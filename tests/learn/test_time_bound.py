"""The bound on a run's minutes, by a clock of our own."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from gpr.errors import RunError
from gpr.learn import schedule, trainer, training
from gpr.workspace import Workspace
from tests.learn.conftest import Start

pytestmark = pytest.mark.usefixtures("cache")


class FakeTime:
    """A clock that moves by a tick whenever it is asked."""

    def __init__(self, tick: float) -> None:
        self.now, self.tick = 1000.0, tick

    def monotonic(self) -> float:
        self.now += self.tick
        return self.now


@pytest.fixture
def fake_time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    clock = FakeTime(0.5)
    for module in (schedule, trainer, training):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def test_minutes_bound_the_run(start: Start, fake_time: FakeTime) -> None:
    began = fake_time.now
    run = start(epochs=1000, max_minutes=0.5, started=began)
    assert run.status == "done"
    assert fake_time.now - began <= 30
    assert 1 <= run.step <= run.steps < 1000


def test_steps_that_get_slower_do_not_break_the_bound(start: Start, fake_time: FakeTime) -> None:
    def slow_down(state: dict[str, Any]) -> None:
        if state["phase"] == "training":
            fake_time.tick = 2.0

    began = fake_time.now
    run = start(listener=slow_down, epochs=1000, max_minutes=0.5, started=began)
    assert run.status == "done"
    assert fake_time.now - began <= 30
    assert run.step < run.steps


def test_without_a_bound_time_does_not_matter(start: Start, fake_time: FakeTime) -> None:
    fake_time.tick = 1000
    run = start(epochs=2)
    assert (run.status, run.step) == ("done", run.steps)


def test_too_few_minutes_are_told_in_words(start: Start, workspace: Workspace) -> None:
    with pytest.raises(RunError, match="0.5 minutes are not enough for this catalogue"):
        start(max_minutes=0.5, started=time.monotonic() - 3600)
    assert workspace.run("r").status == "failed"
    assert "Allow more minutes" in workspace.run("r").message
