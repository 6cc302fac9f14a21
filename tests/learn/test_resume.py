"""Runs that are cut off and go on: in this process at a chosen step, and as processes killed at random moments."""

from __future__ import annotations

import functools
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from gpr.errors import RunError, WorkspaceError
from gpr.files import written_whole
from gpr.learn import checkpoint, training
from gpr.learn.run_folder import RunFolder
from gpr.learn.schedule import Clock, Speed
from gpr.run_plans import training as training_plan
from gpr.workspace import Options, RunInfo, Workspace
from tests.small_data import write_films
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("cache")
LOSSES = ("loss", "generate", "match")


class CutOff(BaseException):
    """As good as a kill: nothing that a run does on its way out may help it."""


@pytest.fixture
def workspace(tmp_path: Path, tiny_base_folder: Path) -> Workspace:
    return Workspace(tmp_path / "ws", str(tiny_base_folder))


@pytest.fixture
def options(tiny_base_folder: Path) -> Options:
    precision = "float32"  # a resumed run reads its texts in other batches, which bfloat16 rounds otherwise
    return Options(epochs=12, base=str(tiny_base_folder), learning_rate=3e-3, precision=precision)


def cut_at(step: int) -> Callable[[dict[str, Any]], None]:
    def listen(state: dict[str, Any]) -> None:
        if state["status"] == "running" and state["step"] == step:
            raise CutOff

    return listen


def never() -> bool:
    return False


def curve(run: RunInfo) -> list[float]:
    assert [entry["step"] for entry in run.log()] == list(range(1, run.step + 1))
    return [entry[name] for entry in run.log() for name in LOSSES]


def assert_same(one: RunInfo, other: RunInfo) -> None:
    """The same curve, checks and figures, and an adapter with the same weights."""
    assert curve(one) == pytest.approx(curve(other), abs=2e-3)
    assert one.metrics == pytest.approx(other.metrics, abs=1e-6)
    first, second = (load_file(RunFolder(run.folder).adapter / "adapter_model.safetensors") for run in (one, other))
    assert first.keys() == second.keys()
    for name, weight in first.items():
        torch.testing.assert_close(weight, second[name], atol=2e-3, rtol=1e-2)


def test_a_resumed_run_is_as_if_it_had_not_been_cut(
    workspace: Workspace, films_folder: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "measure_speed", lambda *args: Speed(9.0, 9.0, 1.0, 0.1))  # the same checks
    monkeypatch.setattr(Clock, "left", lambda clock: 200.0)
    options = replace(options, epochs=1000, max_minutes=4.0)
    whole = workspace.train(str(films_folder), workspace.new_run_folder("whole"), options, never)
    monkeypatch.setattr(checkpoint, "COST", 0)  # a checkpoint after every step
    with pytest.raises(CutOff):
        workspace.train(str(films_folder), workspace.new_run_folder("cut"), options, never, cut_at(5))
    with pytest.raises(RunError, match="exists; it failed and can be resumed. Go on with `gpr resume cut`"):
        workspace.new_run_folder("cut")
    monkeypatch.setattr(checkpoint, "COST", 1e9)  # none between
    with pytest.raises(CutOff):
        workspace.resume(workspace.claim("cut"), never, cut_at(whole.steps - 2))
    assert workspace.run("cut").resumable
    run = workspace.resume(workspace.claim("cut"), never)
    assert (run.status, run.step, run.steps) == ("done", whole.step, whole.steps)
    assert run.steps == run.config["schedule"]["steps"] < 25  # the time decided, once
    assert_same(run, whole)
    assert "again" not in whole.state
    assert 0 < run.state["again"] < run.seconds
    looks = [[(check["step"], check["R@10"]) for check in one.checks()] for one in (run, whole)]
    assert looks[0] == looks[1]
    assert len(looks[0]) > 1
    assert not RunFolder(run.folder).checkpoints.exists()
    with pytest.raises(RunError, match="The run 'cut' is done. Only one that was interrupted can be resumed."):
        workspace.resume(workspace.claim("cut"), never)


def test_a_run_with_a_head_and_whole_titles_goes_on_as_if_it_had_not_been_cut(
    workspace: Workspace, tmp_path: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"{word} {n} for {kind}s,{kind}" for n in range(20) for kind in ("cat", "dog") for word in ("food", "toy")]
    (tmp_path / "notes.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    options = replace(options, epochs=4, task="classify", text="text", label="label", title_weight=0.3, patience=0)
    whole = workspace.train(str(tmp_path / "notes.csv"), workspace.new_run_folder("whole"), options, never)
    monkeypatch.setattr(checkpoint, "COST", 0)
    with pytest.raises(CutOff):
        workspace.train(str(tmp_path / "notes.csv"), workspace.new_run_folder("cut"), options, never, cut_at(5))
    run = workspace.resume(workspace.claim("cut"), never)
    assert (run.status, run.step) == ("done", whole.step)
    for name in ("title", "head"):
        again, once = ([entry[name] for entry in one.log()] for one in (run, whole))
        assert again == pytest.approx(once, abs=2e-3)
    assert_same(run, whole)
    heads = [load_file(RunFolder(one.folder).adapter / "head.safetensors") for one in (run, whole)]
    for name, weight in heads[0].items():
        torch.testing.assert_close(weight, heads[1][name], atol=1e-2, rtol=1e-2)


def test_a_run_cut_off_while_it_saves_goes_on_too(workspace: Workspace, films_folder: Path, options: Options) -> None:
    def cut(state: dict[str, Any]) -> None:
        if state["phase"] == "saving":
            raise CutOff

    with pytest.raises(CutOff):
        workspace.train(str(films_folder), workspace.new_run_folder("r"), options, never, cut)
    run = workspace.resume(workspace.claim("r"), never)
    assert (run.status, run.step) == ("done", run.steps)


def test_a_run_without_a_checkpoint_is_started_again(
    workspace: Workspace, films_folder: Path, options: Options
) -> None:
    def cut(state: dict[str, Any]) -> None:
        if state["phase"] == "reading the items":
            raise CutOff

    with pytest.raises(CutOff):
        workspace.train(str(films_folder), workspace.new_run_folder("r"), options, never, cut)
    with pytest.raises(RunError, match="The run 'r' has no checkpoint to go on from. Start it again."):
        workspace.resume(workspace.claim("r"), never)
    folder = workspace.new_run_folder("r")
    training_plan(str(films_folder), replace(options, epochs=1)).lay_into(folder)
    folder.write("state.json", {"status": "queued", "pid": 1, "born": 1.0})  # killed while it waited for its turn
    assert workspace.resume(workspace.claim("r"), never).status == "done"


def test_data_that_has_changed_is_refused(workspace: Workspace, options: Options, tmp_path: Path) -> None:
    data = write_films(tmp_path / "films")
    with pytest.raises(CutOff):
        workspace.train(str(data), workspace.new_run_folder("r"), options, never, cut_at(2))
    pairs = (data / "pairs.csv").read_text(encoding="utf-8")
    (data / "pairs.csv").write_text(f"{pairs}sand and spice,m10,train\n", encoding="utf-8")
    with pytest.raises(RunError, match="The data has changed since the run was started. Start a new run."):
        workspace.resume(workspace.claim("r"), never)
    (data / "pairs.csv").write_text(pairs, encoding="utf-8")
    assert workspace.resume(workspace.claim("r"), never).status == "done"


def test_a_damaged_checkpoint_is_told_in_words(workspace: Workspace, films_folder: Path, options: Options) -> None:
    with pytest.raises(CutOff):
        workspace.train(str(films_folder), workspace.new_run_folder("r"), options, never, cut_at(2))
    (workspace.root / "runs" / "r" / "checkpoints" / "last.pt").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(RunError, match="The checkpoint is damaged. Start the run again with --overwrite."):
        workspace.resume(workspace.claim("r"), never)


def test_no_code_is_loaded_from_a_checkpoint(workspace: Workspace) -> None:
    folder = workspace.new_run_folder("r")
    folder.checkpoints.mkdir()
    torch.save({"step": functools.partial(os.getpid)}, folder.checkpoints / "last.pt")
    with pytest.raises(RunError, match="The checkpoint is damaged"):
        checkpoint.Checkpoints(folder).last()


def test_a_full_disk_leaves_the_last_good_checkpoint(
    workspace: Workspace, films_folder: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, calls = torch.save, []

    def full(content: Any, path: Path) -> None:
        calls.append(content["step"]) if "optimizer" in content else None
        if len(calls) > 4:
            path.write_bytes(b"half")
            raise RuntimeError("PytorchStreamWriter failed writing file data.pkl: file write failed")
        save(content, path)

    monkeypatch.setattr(checkpoint, "COST", 0)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(WorkspaceError, match="The disk is full. Free some space"):
            workspace.train(str(films_folder), workspace.new_run_folder("r"), options, never)
    assert workspace.run("r").resumable
    kept = checkpoint.Checkpoints(RunFolder(workspace.run("r").folder)).last()
    assert kept is not None
    assert kept["step"] == calls[-2]
    assert not list((workspace.root / "runs" / "r" / "checkpoints").glob(".partial*"))
    assert workspace.resume(workspace.claim("r"), never).status == "done"


def test_checkpoints_come_at_least_once_a_minute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    kept = checkpoint.Checkpoints(RunFolder(tmp_path))

    def slow(path: Path) -> Any:
        now[0] += 30
        return written_whole(path)

    monkeypatch.setattr(checkpoint, "written_whole", slow)
    kept.save({"step": 0})
    now[0] += 59
    assert not kept.due()
    now[0] += 1
    assert kept.due()


def test_a_killed_process_loses_nothing(
    workspace: Workspace, films_folder: Path, tiny_base_folder: Path, tmp_path: Path
) -> None:
    options = Options(epochs=24, base=str(tiny_base_folder), learning_rate=1e-3, patience=0, precision="float32")
    whole = workspace.train(str(films_folder), workspace.new_run_folder("whole"), options, never)
    rng = random.Random()
    seed = rng.randrange(10**6)
    rng.seed(seed)
    root = ["--workspace", str(workspace.root)]
    train = ["train", str(films_folder), "--run", "r", "--base", options.base, "--epochs", "24"]
    words = [*train, "--precision", "float32", "--learning-rate", "0.001", "--patience", "0", *root]
    folder = RunFolder(workspace.root / "runs" / "r")
    at = 0
    with (tmp_path / "output.txt").open("wb") as output:
        for _ in range(2):
            at += rng.randrange(1, whole.steps // 3)
            process = subprocess.Popen([sys.executable, "-m", "gpr", *words], stdout=output, stderr=output)
            until(lambda: len(folder.log()) >= at or process.poll() is not None, seconds=120)  # noqa: B023
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert workspace.run("r").status == "interrupted", (seed, (tmp_path / "output.txt").read_text())
            words = ["resume", "r", *root]
    run = workspace.resume(workspace.claim("r"), never)
    assert (run.status, run.step) == ("done", whole.step), seed
    assert_same(run, whole)
