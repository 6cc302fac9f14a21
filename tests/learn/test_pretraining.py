"""A GPT from scratch: its perplexity falls, it goes on after a kill as if nothing had happened, it is a base model."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor

from gpr.data.dataset import Request
from gpr.errors import DataError, RunError
from gpr.learn import pretraining
from gpr.learn.options import Shape
from gpr.learn.text_loop import TextLoop
from gpr.lm.base import load_base
from gpr.packing import export_run
from gpr.workspace import Options, RunInfo, Workspace

pytestmark = pytest.mark.usefixtures("cache")
SMALL = Shape(layers=1, width=32, vocabulary=300, context=16, batch=4)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "tales.txt"
    path.write_text("\n".join(f"The cat number {n % 7} sat on the mat and saw the dog." for n in range(60)))
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws")


def pretrain(
    workspace: Workspace, text: Path, name: str = "p", stop: Callable[[], bool] = lambda: False, shape: Shape = SMALL
) -> RunInfo:
    return workspace.pretrain([text], workspace.new_run_folder(name), shape, None, stop)


def test_perplexity_falls_and_the_result_is_a_base_model(
    workspace: Workspace, text: Path, films_folder: Path, tmp_path: Path
) -> None:
    run = pretrain(workspace, text)
    assert (run.status, run.task, run.step) == ("done", "pretrain", run.steps)
    log, checks = run.log(), run.checks()
    assert log[0]["loss"] > log[-1]["loss"]
    assert checks[-1]["perplexity"] < checks[0]["perplexity"]
    assert run.metrics["perplexity"] < 300
    assert run.command.startswith("python -m gpr pretrain")
    assert "--layers 1 --width 32" in run.command
    assert "| perplexity |" in (run.folder / "README.md").read_text()
    with pytest.raises(RunError, match="made a base model, not an adapter. Export it as 'merged'"):
        export_run(run, tmp_path / "p.zip")
    passed_on = export_run(run, tmp_path / "passed-on", "merged")
    assert load_base(str(passed_on)).model.config.num_hidden_layers == 1
    options = Options(epochs=1, base="p")
    first = workspace.train(str(films_folder), workspace.new_run_folder("a"), options, lambda: False)
    again = workspace.train(
        str(films_folder), workspace.new_run_folder("b"), Options(epochs=1, base="a"), lambda: False
    )
    assert (first.status, again.status) == ("done", "done")
    assert workspace.recommender("b").recommend(Request("a film about dreams"), 3)
    with pytest.raises(RunError, match="is the base model of"):
        workspace.delete_run("p")
    with pytest.raises(RunError, match="it recommends nothing yet"):
        workspace.recommender("p")


def test_a_resumed_run_ends_like_one_that_was_not_broken_off(
    workspace: Workspace, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pretrain(workspace, text, "whole")
    monkeypatch.setattr("gpr.learn.checkpoint.EVERY", 0.0)
    steps = []

    def dies() -> bool:
        steps.append(1)
        if len(steps) == 5:
            raise SystemExit
        return False

    with pytest.raises(SystemExit):
        pretrain(workspace, text, "killed", dies)
    assert workspace.run("killed").status == "failed"
    resumed = workspace.resume(workspace.claim("killed"), lambda: False)
    assert [entry["step"] for entry in resumed.log()] == list(range(1, resumed.steps + 1))
    assert resumed.metrics["loss"] == pytest.approx(whole.metrics["loss"], abs=1e-4)


@pytest.mark.parametrize("step", [1, 4])
def test_a_loss_that_becomes_no_number_ends_it_before_that_step(
    workspace: Workspace, text: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    loss_of = TextLoop._loss

    def broken(loop: TextLoop, blocks: Tensor) -> Tensor:
        loss = loss_of(loop, blocks)
        return loss * math.nan if loop.steps and loop.step + 1 == step and loss.requires_grad else loss

    monkeypatch.setattr(TextLoop, "_loss", broken)
    if step == 1:
        with pytest.raises(RunError, match="The loss is no longer a number. Use another --seed."):
            pretrain(workspace, text)
        return
    run = pretrain(workspace, text)
    assert (run.status, run.step) == ("done", step - 1)
    assert run.message == "The loss was no longer a number at step 4: stopped before it."
    assert math.isfinite(run.metrics["perplexity"])


def test_stopping_keeps_what_was_learned(workspace: Workspace, text: Path) -> None:
    run = pretrain(workspace, text, stop=lambda: True)
    assert run.status == "stopped"
    assert run.step == 1
    assert (run.folder / "model" / "config.json").is_file()


def test_it_ends_when_the_time_is_over_though_steps_became_slower(
    workspace: Workspace, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([90.0, 60.0, 50.0, 8.0])
    monkeypatch.setattr("gpr.learn.schedule.Clock.left", lambda clock: next(left))
    run = pretrain(workspace, text)
    assert (run.status, run.step) == ("stopped", 2)


def test_what_cannot_be_learned_from_is_said(workspace: Workspace, tmp_path: Path) -> None:
    for name, content, message in (
        ("short.txt", b"Only this.", "tokens of text; at least 68 are needed"),
        ("odd.txt", b"\xff\xfe\x00x", "it is not UTF-8 text"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=message):
            pretrain(workspace, tmp_path / name, name)
    with pytest.raises(RunError, match="The width is 50"):
        Shape(width=50)
    with pytest.raises(RunError, match="The layers is 0"):
        Shape(layers=0)


def test_texts_that_changed_are_noticed(workspace: Workspace, text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies() -> bool:
        raise SystemExit

    with pytest.raises(SystemExit):
        pretrain(workspace, text, "r", dies)
    text.write_text(text.read_text() + " And more.")
    with pytest.raises(RunError, match="The texts have changed"):
        workspace.resume(workspace.claim("r"), lambda: False)


def test_a_tokenizer_gives_every_text_back() -> None:
    tokenizer = pretraining.make_tokenizer(["a small text"], 300)
    assert tokenizer.decode(tokenizer.encode("梦 and é\n")) == "梦 and é\n"
