"""What a run is going to do and need: within the time, within memory and disk, and refused where it would not fit."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from gpr.data.dataset import Dataset
from gpr.errors import RunError
from gpr.learn.needs import Estimate, apart, size
from gpr.learn.options import Options
from gpr.learn.rows import Row, training_rows
from gpr.learn.run_folder import Progress, RunFolder
from gpr.learn.schedule import Clock, Schedule, Speed, make_schedule
from gpr.lm.prompts import Prompts
from gpr.run_plans import training
from gpr.workspace import Workspace

SPEED = Speed(first_step=2.0, step=1.0, reading=10.0, request=0.5)


@pytest.fixture(scope="module")
def rows(films: Dataset, prompts: Prompts) -> list[Row]:
    return training_rows(films, prompts, 0)


@pytest.fixture
def plan(films: Dataset, rows: list[Row]) -> Callable[..., Schedule]:
    """The schedule of some settings, with as many minutes left."""

    def make(minutes: float | None = None, speed: Speed = SPEED, **options: object) -> Schedule:
        chosen = Options(max_minutes=minutes, **{"batch_tokens": 64, **options})  # type: ignore[arg-type]
        return make_schedule(rows, films, chosen, speed, Clock(time.monotonic(), minutes))

    return make


def test_epochs_are_steps_and_steps_are_seconds(plan: Callable[..., Schedule]) -> None:
    once, thrice = plan(epochs=1), plan(epochs=3)
    assert thrice.steps == pytest.approx(3 * once.steps, rel=0.2)
    assert thrice.seconds is None
    assert thrice.estimated >= 2 * once.steps + (thrice.steps - once.steps) + 10
    assert plan(epochs=3, accumulation=2).steps == pytest.approx(thrice.steps / 2, abs=1)


@pytest.mark.parametrize("minutes", [0.6, 1, 3])
def test_minutes_bound_the_steps(plan: Callable[..., Schedule], minutes: float) -> None:
    schedule = plan(minutes, epochs=1000)
    assert schedule.seconds is not None
    assert schedule.estimated <= 60 * minutes
    assert schedule.estimated > 0.6 * 60 * minutes
    assert schedule.steps < plan(epochs=1000).steps


def test_too_few_minutes_are_refused(plan: Callable[..., Schedule]) -> None:
    with pytest.raises(RunError, match="0.2 minutes are not enough .* Allow more minutes"):
        plan(0.2)


def test_checks_take_a_tenth_of_the_time_at_most(plan: Callable[..., Schedule]) -> None:
    cheap, dear, never = (plan(epochs=50, speed=Speed(2.0, 1.0, 10.0, request)) for request in (0.01, 2.0, 1e3))
    assert math.ceil(cheap.steps / cheap.check_every) == 10
    assert (never.check_every, never.sample) == (0, 0)
    for schedule in (cheap, dear):
        checks = math.ceil(schedule.steps / schedule.check_every) if schedule.check_every else 0
        cost = 0.01 if schedule is cheap else 2.0
        assert checks * schedule.sample * cost <= 0.1 * 2 * schedule.steps


@pytest.mark.usefixtures("cache")
def test_an_estimate_leaves_no_run(tmp_path: Path, films_folder: Path, tiny_base_folder: Path) -> None:
    workspace = Workspace(tmp_path / "ws", str(tiny_base_folder))
    needed = workspace.estimate(training(str(films_folder), Options(epochs=3, base=str(tiny_base_folder))))
    assert needed.seconds > 0
    assert 0.05 < needed.memory_gb < psutil.virtual_memory().total / 2**30
    assert 0 < needed.disk_gb < 0.1
    assert workspace.runs() == []
    assert not list((workspace.root / "runs").glob(".estimate*"))


@pytest.mark.usefixtures("cache")
def test_what_was_foreseen_is_about_what_was_needed(trained: Workspace) -> None:
    run = trained.run("films")
    foreseen = run.config["estimate"]
    assert foreseen["disk_gb"] == pytest.approx(run.state["peak_disk_gb"], rel=0.3)
    assert foreseen["memory_gb"] == pytest.approx(run.state["peak_memory_gb"], rel=0.3)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("lacks", "message"),
    [
        ("memory", r"needs about .* GB of memory, and .* are free. Use --batch-tokens 256, a smaller --rank"),
        ("disk", r"needs about .* GB of disk, and 0.00 GB are free. Free some space, use a smaller --rank"),
    ],
)
def test_a_run_that_would_not_fit_is_refused(
    tmp_path: Path,
    films_folder: Path,
    tiny_base_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    lacks: str,
    message: str,
) -> None:
    workspace = Workspace(tmp_path / "ws", str(tiny_base_folder))
    folder = workspace.new_run_folder("r")
    if lacks == "memory":
        none = SimpleNamespace(available=-psutil.Process().memory_info().rss)
        monkeypatch.setattr(psutil, "virtual_memory", lambda: none)
    else:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    options = Options(epochs=1, base=str(tiny_base_folder))
    with pytest.raises(RunError, match=message):
        workspace.train(str(films_folder), folder, options, lambda: False)
    assert workspace.run("r").status == "failed"
    assert RunFolder(folder.path).log() == []


def test_what_a_process_lost_when_it_died_is_told_apart(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write("state.json", {"seconds": 50.0, "again": 10.0, "at": time.time()})
    assert folder.worked == pytest.approx(40, abs=1)
    progress = Progress(folder, resume=True)
    progress.go_on(worked=30.0)  # when the checkpoint was written
    assert progress.state["again"] == pytest.approx(20, abs=1)
    assert folder.worked == pytest.approx(30, abs=1)
    state = {"again": 20.4, "slowed": 1.38, "peak_memory_gb": 1.0}
    assert Estimate.of_state(state, 51.0).seconds == pytest.approx(30.6)
    assert apart(state) == ["20 s more because it was interrupted", "a step took 1.4 times as long as foreseen"]
    assert apart({"slowed": 1.2}) == []


def test_an_estimate_in_words() -> None:
    words = Estimate(75, 1.94, 0.2).words()
    assert words == "about 1 min 15 s, 1.9 GB of memory, 205 MB of disk"
    assert size(0.01) == "10 MB"


def test_time_that_is_left() -> None:
    assert math.isinf(Clock(time.monotonic(), None).left())
    assert Clock(time.monotonic() - 3600, 1).left() < 0
