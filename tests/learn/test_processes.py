"""Two processes on one run, beside one: the same global batches, the same losses, one adapter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gpr.learn import processes
from gpr.learn.run_folder import RunFolder
from gpr.workspace import Options, Workspace

pytestmark = pytest.mark.usefixtures("cache")


def test_one_process_needs_no_others() -> None:
    rows = torch.ones(3, 2)
    assert (processes.rank(), processes.world(), processes.from_first(7), processes.gathered(7)) == (0, 1, 7, [7])
    assert processes.rows_of_all(rows, [3]) is rows


def test_two_processes_learn_the_same_as_one(tmp_path: Path, films_folder: Path, tiny_base_folder: Path) -> None:
    workspace = Workspace(tmp_path / "ws", str(tiny_base_folder))
    options = Options(epochs=3, base=str(tiny_base_folder), dropout=0.0, patience=0, learning_rate=3e-3)
    one = workspace.train(str(films_folder), workspace.new_run_folder("one"), options, lambda: False)
    words = ["train", str(films_folder), "--run", "two", "--base", options.base, "--epochs", "3", "--dropout", "0"]
    words += ["--patience", "0", "--learning-rate", "0.003", "--workspace", str(workspace.root)]
    launch = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "--main_process_port", "0"]
    done = subprocess.run([sys.executable, *launch, "-m", "gpr", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("done: ") == 1
    two = workspace.run("two")
    assert (two.status, two.step) == ("done", one.step)
    for name in ("loss", "generate", "match"):
        first, second = ([entry[name] for entry in run.log()] for run in (one, two))
        assert second == pytest.approx(first, abs=1e-3), name
    assert two.metrics == pytest.approx(one.metrics, abs=1e-6)
    adapters = [load_file(RunFolder(run.folder).adapter / "adapter_model.safetensors") for run in (one, two)]
    for name, weight in adapters[0].items():
        torch.testing.assert_close(weight, adapters[1][name], atol=1e-3, rtol=1e-2)
    assert [run.name for run in workspace.runs()] == ["two", "one"]
