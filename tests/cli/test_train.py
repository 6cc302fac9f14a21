"""`gpr train`."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

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
def test_train_refusals(gpr: Run, films_folder: Path, tmp_path: Path) -> None:
    refused(gpr("train", films_folder, "--run", "../a"), "cannot name a run")
    refused(gpr("train", films_folder, "--run", "a", "--epochs", "0"), "The epochs is 0")
    refused(gpr("train", films_folder, "--run", "a", "--base", tmp_path / "no-model"), "There is no such folder")
    refused(gpr("train", tmp_path / "no.csv", "--run", "b"), "is no sample, folder or file")
