"""`gpr train`."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from gpr import jobs
from gpr.learn.options import Shape
from gpr.run_plans import pretraining
from gpr.workspace import Workspace
from tests.cli.conftest import Run, answer, refused

pytestmark = pytest.mark.usefixtures("cache")


@pytest.mark.usefixtures("signals")
def test_train(gpr: Run, films_folder: Path, tiny_base_folder: Path, tmp_path: Path) -> None:
    words = ["train", films_folder, "--run", "a", "--base", tiny_base_folder, "--epochs", "1", "--max-minutes", "5"]
    result = gpr(*words, "--seed", "3")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"done: {tmp_path / 'ws' / 'runs' / 'a'} (")
    config = json.loads((tmp_path / "ws" / "runs" / "a" / "config.json").read_text())
    assert {key: config["options"][key] for key in ("epochs", "max_minutes", "seed")} == {
        "epochs": 1,
        "max_minutes": 5.0,
        "seed": 3,
    }
    refused(gpr(*words), "A run named 'a' exists", "--overwrite")
    assert gpr(*words, "--overwrite").exit_code == 0
    assert json.loads((tmp_path / "ws" / "runs" / "a" / "config.json").read_text())["options"]["seed"] == 0
    assert len(answer(gpr("recommend", "marines", "--run", "a", "--json"))) == 10


@pytest.mark.usefixtures("signals")
def test_ctrl_c_stops_and_keeps_what_was_learned(
    gpr: Run, films_folder: Path, tiny_base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpr.printing import TrainingBar

    def press(bar: TrainingBar, state: dict[str, Any]) -> None:
        if state["step"] == 2 and state["status"] == "running" and state["phase"] == "training":
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(TrainingBar, "update", press)
    result = gpr("train", films_folder, "--run", "a", "--base", tiny_base_folder, "--epochs", "500")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("stopped: ")
    assert "(2 steps" in result.stdout
    assert "Stopping: what was learned is kept." in result.stderr
    assert (tmp_path / "ws" / "runs" / "a" / "done.json").is_file()


@pytest.mark.usefixtures("signals")
def test_train_refusals(gpr: Run, films_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(gpr("train", films_folder, "--run", "../a"), "cannot name a run")
    refused(gpr("train", films_folder, "--run", "a", "--epochs", "0"), "The epochs is 0")
    refused(gpr("train", films_folder, "--run", "a", "--base", tmp_path / "no-model"), "There is no such folder")
    refused(gpr("train", tmp_path / "no.csv", "--run", "b"), "is no sample, folder or file")
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")  # as `accelerate launch --use_deepspeed` sets it
    refused(
        gpr("train", films_folder, "--run", "c"), "cannot be shared out among processes with DEEPSPEED", "--use_fsdp"
    )
    assert not (tmp_path / "ws" / "runs" / "c").exists()


@pytest.mark.usefixtures("signals")
def test_what_a_page_starts_is_pretrained_from_the_runs_own_texts(
    gpr: Run, films_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, workspace, words = tmp_path / "tales.txt", Workspace(tmp_path / "ws"), []
    text.write_text("The cat sat on the mat and saw the dog. " * 30)
    monkeypatch.setattr(jobs, "_spawn", lambda workspace, folder, command: words.extend(command))
    shape = Shape(layers=1, width=32, vocabulary=300, context=16, batch=32)
    jobs.pretrain(workspace, pretraining([text], shape, None, str(films_folder)), "p")
    text.unlink()
    result = gpr(*words, "--in-place")
    assert result.exit_code == 0, result.output
    run = workspace.rename_run("p", "q")
    assert (run.status, run.data, run.config["texts"]) == ("done", str(films_folder), ["texts/1-tales.txt"])
    assert f"pretrain {run.folder / 'texts' / '1-tales.txt'} --data {films_folder} --run q --layers 1" in run.command
    assert gpr("pretrain", "--run", "r").exit_code == 2
