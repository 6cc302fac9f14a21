"""What a run's folder tells: here, of time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gpr.learn.run_folder import Progress, RunFolder
from gpr.runs import read_run


def test_the_clock_goes_on_between_two_writes_of_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    folder = RunFolder(tmp_path)
    progress = Progress(folder)
    progress.update(phase="training", seconds_left=60.0, peak_disk_gb=2.0)
    seen = []
    for more in (0.0, 10.0, 10.0, 100.0):
        now += more
        run = read_run(tmp_path)
        seen.append((round(run.seconds), round(run.seconds_left or 0.0)))
        if len(seen) == 2:
            progress.update(phase="a look at validation", share=0.5, peak_disk_gb=1.0)  # says nothing of the time left
    assert seen == [(0, 60), (10, 50), (20, 40), (120, 0)]
    assert run.state["peak_disk_gb"] == 2.0
    progress.update(status="failed")
    now += 50.0
    assert read_run(tmp_path).seconds == pytest.approx(120.0, abs=0.2)
