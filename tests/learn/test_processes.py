"""Two processes on one run, beside one: the same global batches, the same losses, one adapter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from gpr.errors import RunError
from gpr.learn import processes, sharing
from gpr.learn.run_folder import Progress, RunFolder
from gpr.learn.sharing import shared_base
from gpr.workspace import Options, Workspace

pytestmark = pytest.mark.usefixtures("cache")


def test_one_process_needs_no_others() -> None:
    rows = torch.ones(3, 2)
    assert (processes.rank(), processes.world(), processes.from_first(7), processes.gathered(7)) == (0, 1, 7, [7])
    assert processes.rows_of_all(rows, [3]) is rows


@pytest.mark.parametrize("how", ["--multi_gpu", "--use_fsdp"])
def test_two_processes_learn_the_same_as_one(
    tmp_path: Path, films_folder: Path, tiny_base_folder: Path, how: str
) -> None:
    """With `--cpu`, `accelerate launch` starts a single process, whatever number it is given."""
    workspace = Workspace(tmp_path / "ws", str(tiny_base_folder))
    options = Options(epochs=3, base=str(tiny_base_folder), precision="float32", patience=0, learning_rate=3e-3)
    one = workspace.train(str(films_folder), workspace.new_run_folder("one"), options, lambda: False)
    words = ["train", str(films_folder), "--run", "two", "--base", options.base, "--epochs", "3", "--patience", "0"]
    words += ["--precision", "float32", "--learning-rate", "0.003", "--workspace", str(workspace.root)]
    launch = ["-m", "accelerate.commands.launch", how, "--num_processes", "2", "--main_process_port", "0"]
    done = subprocess.run([sys.executable, *launch, "-m", "gpr", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("done: ") == 1
    two = workspace.run("two")
    assert (two.status, two.step, two.state["processes"]) == ("done", one.step, 2)
    assert two.state.get("weights_among") == (2 if how == "--use_fsdp" else None)
    for name in ("loss", "generate", "match"):
        first, second = ([entry[name] for entry in run.log()] for run in (one, two))
        assert second == pytest.approx(first, abs=1e-3), name
    assert two.metrics == pytest.approx(one.metrics, abs=1e-6)
    adapters = [load_file(RunFolder(run.folder).adapter / "adapter_model.safetensors") for run in (one, two)]
    for name, weight in adapters[0].items():
        torch.testing.assert_close(weight, adapters[1][name], atol=1e-3, rtol=1e-2)
    assert [run.name for run in workspace.runs()] == ["two", "one"]


def test_a_process_that_has_read_its_own_reads_blanks_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[tuple[int, ...]] = []
    body = nn.Embedding(5, 2)
    model = SimpleNamespace(base_model=SimpleModel(body, passes), get_input_embeddings=lambda: body)
    others = iter([True, True, True, False])  # the other process has three passes to make
    monkeypatch.setattr(sharing, "wanted", lambda: True)
    monkeypatch.setattr(processes, "gathered", lambda own: [own, next(others)])
    with sharing.apart(model):
        model.base_model(input_ids=torch.ones(2, 3, dtype=torch.long))
    assert passes == [(2, 3), (1, 1), (1, 1)]
    assert next(others, None) is None
    model.base_model(input_ids=torch.ones(1, 2, dtype=torch.long))  # asks nobody any more


class SimpleModel(nn.Module):
    """Remembers the shapes of what it read."""

    def __init__(self, embedding: nn.Embedding, passes: list[tuple[int, ...]]) -> None:
        super().__init__()
        self.embedding, self.passes = embedding, passes

    def forward(self, input_ids: Tensor, use_cache: bool = True) -> Tensor:
        self.passes.append(tuple(input_ids.shape))
        found: Tensor = self.embedding(input_ids)
        return found


def test_what_needs_the_weights_whole_is_refused_where_they_are_shared_out(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="Neither 4-bit weights nor .* can be shared among"):
        shared_base(Options(adapt=1), lambda device: pytest.fail("loaded"), Progress(RunFolder(tmp_path)))
