"""Runs that end before their last step because validation says so, a loss is no number, or memory runs out."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gpr.errors import RunError
from gpr.learn import training
from gpr.learn.checkpoint import weights_of
from gpr.learn.joint import JointModel
from gpr.learn.run_folder import RunFolder
from gpr.learn.schedule import Speed
from gpr.learn.validation import Found, Validation
from gpr.scorers.pool import Pool
from gpr.workspace import Options, RunInfo, Workspace

pytestmark = pytest.mark.usefixtures("cache")
Train = Callable[..., RunInfo]


@pytest.fixture
def workspace(tmp_path: Path, tiny_base_folder: Path) -> Workspace:
    return Workspace(tmp_path / "ws", str(tiny_base_folder))


@pytest.fixture
def train(workspace: Workspace, films_folder: Path, tiny_base_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    monkeypatch.setattr(training, "measure_speed", lambda *args: Speed(1.0, 1.0, 1.0, 0.1))

    def run(**options: Any) -> RunInfo:
        chosen = Options(**{"epochs": 10, "base": str(tiny_base_folder), "batch_tokens": 256, **options})
        return workspace.train(str(films_folder), workspace.new_run_folder("r"), chosen, lambda: False)

    return run


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the checks find, one after the other; the end of the run finds 0."""
    script: list[float] = []

    def of(self: Validation, gpt: Any, requests: int) -> Found:
        loss = script.pop(0) if script else 0.0
        return Found(Pool(), loss, {"R@10": 1 - loss / 10, "NDCG@10": 0.5})

    monkeypatch.setattr(Validation, "of", of)
    monkeypatch.setattr(Validation, "at_the_end", lambda self, gpt, sequence, requests: Found(Pool(), 0.0, {}))
    return script


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, torch.Tensor]]:
    """The weights that the run ended with."""
    found: list[dict[str, torch.Tensor]] = []
    monkeypatch.setattr(training, "go_halfway", lambda joint, start: found.append(weights_of(joint)))
    return found


def test_a_run_that_overfits_is_stopped_at_its_best(
    train: Train, losses: list[float], kept: list[dict[str, torch.Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses += [3.0, 2.0, 2.5, 2.6, 2.7, 1.0, 1.0]
    best: list[Any] = []
    monkeypatch.setattr("gpr.learn.checkpoint.Checkpoints.save_best", lambda self, found: best.append(found))
    run = train()
    checks = run.checks()
    assert [check["valid_loss"] for check in checks] == [3.0, 2.0, 2.5, 2.6, 2.7]
    assert run.message == f"Validation got worse at 3 checks: stopped, kept step {checks[1]['step']}."
    assert (run.status, run.step) == ("done", checks[-1]["step"])
    assert run.step < run.steps
    assert [found.step for found in best] == [checks[0]["step"], checks[1]["step"]]
    for name, weight in kept[0].items():
        assert torch.equal(weight, best[1].weights[name])


def test_noise_does_not_end_a_run(train: Train, losses: list[float]) -> None:
    losses += [2.0, *[2.01] * 20]
    run = train()
    assert (run.step, run.message) == (run.steps, "")


def test_the_last_step_is_kept_unless_an_earlier_one_was_better(train: Train, losses: list[float]) -> None:
    losses += [2.0, 1.0, *[1.5] * 20]
    run = train(patience=1000)
    assert run.step == run.steps
    assert run.message == f"Validation was best at step {run.checks()[1]['step']}: kept that."


def test_without_patience_the_last_step_is_kept(train: Train, losses: list[float]) -> None:
    losses += [1.0, *[2.0] * 20]
    run = train(patience=0)
    assert (run.step, run.message) == (run.steps, "")


def test_checks_are_logged_with_their_figures(train: Train) -> None:
    run = train()
    checks = run.checks()
    assert checks[-1]["step"] == run.steps
    assert all({"step", "valid_loss", "R@10", "NDCG@10", "seconds"} == set(check) for check in checks)
    assert all({"rate", "examples_per_second", "memory_gb"} <= set(entry) for entry in run.log())
    rates = [entry["rate"] for entry in run.log()]
    assert max(rates) == 5e-4
    assert rates[-1] < rates[len(rates) // 2]


def test_a_loss_that_becomes_no_number_ends_the_run_before_that_step(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward, calls = JointModel.forward, []

    def breaks(self: JointModel, numbers: list[int], rows: list[Any], counts: bool = True) -> dict[str, torch.Tensor]:
        calls.append(1)
        out = forward(self, numbers, rows, counts)
        if len(calls) == 5:
            self.parts["generate"] = math.nan
            return {"loss": out["loss"] * math.nan}
        return out

    monkeypatch.setattr(JointModel, "forward", breaks)
    run = train()
    assert (run.status, run.usable, run.step) == ("done", True, 4)
    assert run.message == "The loss was no longer a number at step 5: stopped before it."


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory. Tried"), RuntimeError(
    "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried"
)])  # fmt: skip
def test_when_memory_runs_out_half_the_batch_is_tried_once(
    train: Train, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    forward, most = JointModel.forward, 200

    def limited(self: JointModel, numbers: list[int], rows: list[Any], counts: bool = True) -> dict[str, torch.Tensor]:
        if sum(len(row.ids) for row in rows) > most:
            raise error
        return forward(self, numbers, rows, counts)

    monkeypatch.setattr(JointModel, "forward", limited)
    run = train(epochs=2)
    assert run.status == "done"
    assert run.message.startswith("Memory ran out with 256 tokens at once. Tried again with 128.")
    assert (run.settings["batch_tokens"], run.settings["accumulation"]) == (128, 2)
    most = 10
    (workspace.root / "runs" / "r").rename(workspace.root / "runs" / "first")
    with pytest.raises(RunError, match="Memory ran out with 128 tokens at once. Use --batch-tokens 64, a smaller"):
        train(epochs=2)
    assert workspace.run("r").status == "failed"


def test_other_faults_are_not_taken_for_a_lack_of_memory(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: JointModel, numbers: list[int], rows: list[Any], counts: bool = True) -> dict[str, torch.Tensor]:
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(JointModel, "forward", wrong)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train()


@pytest.mark.parametrize(
    "options",
    [{"targets": "attention"}, {"targets": "mlp"}, {"precision": "bfloat16"}, {"alpha": 4, "dropout": 0.0},
     {"accumulation": 3}, {"match_weight": 0.0}, {"generate_weight": 0.0, "trained_share": 1.0}],
    ids=str,
)  # fmt: skip
def test_every_setting_trains(train: Train, options: dict[str, Any]) -> None:
    run = train(epochs=2, **options)
    assert run.status == "done"
    config = RunFolder(run.folder).adapter / "adapter_config.json"
    if targets := options.get("targets"):
        text = config.read_text()
        assert ("self_attn" in text, "mlp" in text) == (targets == "attention", targets == "mlp")
