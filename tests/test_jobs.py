"""Runs as processes of their own, on the tiny base model: started, watched on disk, stopped, killed."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpr import jobs
from gpr.data.dataset import Request
from gpr.errors import RunError
from gpr.learn.run_folder import RunFolder, process_birth
from gpr.run_plans import training
from gpr.runs import RunInfo
from gpr.workspace import Options, Workspace
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("cache")


def gone(run: RunInfo) -> bool:
    return process_birth(pid_of(run)) is None


def pid_of(run: RunInfo) -> int:
    return int(RunFolder(run.folder).read("state.json")["pid"])


@pytest.fixture
def workspace(tmp_path: Path, tiny_base_folder: Path) -> Iterator[Workspace]:
    """Whatever is still going on at the end is killed."""
    workspace = Workspace(tmp_path / "ws", str(tiny_base_folder))
    yield workspace
    for run in workspace.runs():
        if run.going:
            os.kill(pid_of(run), signal.SIGKILL)
            until(functools.partial(gone, run))


@pytest.fixture
def endless(tiny_base_folder: Path) -> Options:
    return Options(epochs=1000, base=str(tiny_base_folder), learning_rate=1e-3, batch_tokens=256)


def test_a_run_is_watched_and_stopped_while_another_waits(
    workspace: Workspace, films_folder: Path, endless: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a run finds GPR wherever it is started
    run = jobs.start(workspace, training(str(films_folder), endless), "a")
    assert (run.data, run.base) == (str(films_folder), endless.base)
    assert run.status in ("queued", "running")
    assert pid_of(run) != os.getpid()
    with pytest.raises(RunError, match="The run 'a' is going on"):
        jobs.start(workspace, training(str(films_folder), endless), "a")
    until(lambda: workspace.run("a").step >= 2)
    jobs.start(workspace, training(str(films_folder), endless), "b")
    until(lambda: workspace.turns.waiting() == ["b"])
    assert workspace.run("b").status == "queued"
    seen = workspace.run("a")
    assert (seen.status, seen.phase) == ("running", "training")
    assert seen.steps > seen.step
    assert seen.seconds_left is not None
    assert len(seen.log()) >= seen.step

    jobs.stop(workspace, "a", wait=True)
    assert workspace.run("a").status in ("stopping", "stopped")
    until(lambda: workspace.run("a").status == "stopped")
    done = workspace.run("a")
    assert done.usable
    assert seen.step <= done.step < done.steps
    assert len(workspace.recommender("a").recommend(Request("marines"), 3)) == 3
    until(lambda: gone(done))
    with pytest.raises(
        RunError,
        match="The run 'a' was stopped, and what it learned is kept. Only a run that is going on can be stopped.",
    ):
        jobs.stop(workspace, "a")
    with pytest.raises(RunError, match="A run named 'a' exists"):
        jobs.start(workspace, training(str(films_folder), endless), "a")

    until(lambda: workspace.run("b").status == "running")
    assert workspace.turns.waiting() == []
    jobs.stop(workspace, "b", discard=True, wait=True)
    assert [one.name for one in workspace.runs()] == ["a"]


def test_a_run_that_was_ended_from_without_is_interrupted_and_resumed(
    workspace: Workspace, films_folder: Path, endless: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = jobs.start(workspace, training(str(films_folder), endless), "a")
    until(lambda: workspace.run("a").step >= 3)
    os.kill(pid_of(run), signal.SIGSTOP)  # it does not answer when it is asked to stop
    monkeypatch.setattr(jobs, "PATIENCE", 0.2)
    jobs.stop(workspace, "a", wait=True)
    assert gone(run)
    cut = workspace.run("a")
    assert (cut.status, cut.usable, cut.resumable) == ("interrupted", False, True)
    with pytest.raises(RunError, match="The run 'a' was interrupted. Train it to the end"):
        workspace.recommender("a")
    with pytest.raises(RunError, match="A run named 'a' exists; it was interrupted and can be resumed"):
        jobs.start(workspace, training(str(films_folder), endless), "a")

    again = jobs.resume(workspace, "a")
    assert again.status in ("queued", "running")
    assert (again.started, pid_of(again) != run.state["pid"]) == (run.started, True)
    with pytest.raises(RunError, match="The run 'a' (waits for its turn|is going on). Only one that was interrupted"):
        jobs.resume(workspace, "a")
    until(lambda: workspace.run("a").step > cut.step)
    assert [entry["step"] for entry in workspace.run("a").log()][:3] == [1, 2, 3]
    os.kill(pid_of(again), signal.SIGKILL)
    until(lambda: workspace.run("a").status == "interrupted")
    until(lambda: pid_of(again) not in zombies(), seconds=10)


def test_children_are_ended_too_and_strangers_are_not(tmp_path: Path) -> None:
    script = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", script]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        born = process_birth(process.pid)
        assert born is not None
        jobs.end_process(process.pid, born - 1)  # the number is another process's now
        assert process.poll() is None
        jobs.end_process(process.pid, born)
        until(lambda: process_birth(child) is None)
        until(lambda: process_birth(process.pid) is None)


def zombies() -> set[int]:
    """The children of this process that have ended and that nobody has asked after."""
    import psutil

    return {child.pid for child in psutil.Process().children() if child.status() == psutil.STATUS_ZOMBIE}


def test_a_run_that_fails_says_why(workspace: Workspace, tmp_path: Path) -> None:
    jobs.start(workspace, training(str(tmp_path / "nothing.csv"), Options()), "a")
    until(lambda: not workspace.run("a").going)
    run = workspace.run("a")
    assert (run.status, run.usable) == ("failed", False)
    assert "is no sample, folder or file" in run.message
    assert "Traceback" not in (run.folder / "output.txt").read_text()


def test_a_process_that_dies_at_once_is_told_in_words(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no such library\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(RunError, match="a: The run did not start. It said: no such library"):
        jobs.start(workspace, training("funds", Options()), "a")
    run = workspace.run("a")
    assert (run.status, run.message) == ("failed", "a: The run did not start. It said: no such library")
    assert run.command == "python -m gpr train funds --run a"


def test_there_must_be_a_run_to_stop(workspace: Workspace) -> None:
    with pytest.raises(RunError, match="There is no run named 'a'"):
        jobs.stop(workspace, "a")
