"""A base model that reads the catalogue's text before: perplexity falls, one plain adapter holds both stages, it goes
on after a kill, and an estimate foresees it without doing it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel

from gpr.errors import DataError, RunError
from gpr.learn import adaptation
from gpr.learn.run_folder import ADAPTATION, RunFolder
from gpr.lm.base import load_base
from gpr.lm.body import quiet_peft
from gpr.run_plans import training
from gpr.workspace import Options, RunInfo, Workspace

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def workspace(tmp_path: Path, tiny_base_folder: Path) -> Workspace:
    return Workspace(tmp_path / "ws", str(tiny_base_folder))


@pytest.fixture
def options(tiny_base_folder: Path) -> Options:
    shared = {"base": str(tiny_base_folder), "patience": 0}  # how many checks there are depends on the machine's speed
    return Options(epochs=2, adapt=8, batch_tokens=64, learning_rate=3e-3, alpha=8, **shared)


def train(workspace: Workspace, data: Path, options: Options, name: str = "r", **more: Any) -> RunInfo:
    return workspace.train(str(data), workspace.new_run_folder(name), options, more.pop("stop", lambda: False), **more)


def test_both_stages_are_one_adapter(
    workspace: Workspace, films_folder: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []
    save = adaptation.merged

    def watched(model: Any, weights: dict[str, torch.Tensor]) -> Any:
        kept.append(save(model, weights))
        return kept[-1]

    monkeypatch.setattr(adaptation, "merged", watched)
    run = train(workspace, films_folder, options)
    found = run.adaptation
    assert (run.status, found["kept"]) == ("done", True)
    assert found["after"] < found["before"]
    assert len(run.text_log()) == found["steps"] > 3
    assert run.text_log()[-1]["loss"] < run.text_log()[0]["loss"]
    assert [entry["step"] for entry in run.log()] == list(range(1, run.steps + 1))
    assert "--adapt 8" in run.command
    assert not (run.folder / ADAPTATION / adaptation.WEIGHTS).exists()
    folder = RunFolder(run.folder).adapter
    config = json.loads((folder / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (2 * options.rank, 16)
    ids = torch.arange(12)[None]
    with torch.inference_mode(), quiet_peft():
        trained = kept[0](input_ids=ids).logits  # the adapted model, with the second LoRA still on it
        plain = PeftModel.from_pretrained(load_base(options.base).model, str(folder)).eval()(input_ids=ids).logits
        before = load_base(options.base).model(input_ids=ids).logits
    torch.testing.assert_close(plain, trained, atol=1e-4, rtol=1e-3)
    assert not torch.allclose(plain, before, atol=1e-2)


def test_a_stage_that_was_cut_off_goes_on(
    workspace: Workspace, films_folder: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(workspace, films_folder, options, "whole")
    monkeypatch.setattr("gpr.learn.checkpoint.EVERY", 0.0)

    def dies(state: dict[str, Any]) -> None:
        if state["phase"] == adaptation.PHASE and state["share"] > 0.5:
            raise SystemExit

    with pytest.raises(SystemExit):
        train(workspace, films_folder, options, "cut", listener=dies)
    assert workspace.run("cut").resumable
    run = workspace.resume(workspace.claim("cut"), lambda: False)
    assert [entry["loss"] for entry in run.text_log()] == pytest.approx([e["loss"] for e in whole.text_log()], abs=1e-3)
    assert (run.status, run.adaptation["after"]) == ("done", pytest.approx(whole.adaptation["after"], abs=0.05))


def test_stopping_it_keeps_what_was_read(workspace: Workspace, films_folder: Path, options: Options) -> None:
    asked: list[bool] = []

    def stop() -> bool:
        asked.append(bool(workspace.run("r").text_log()))
        return asked[-1]

    run = train(workspace, films_folder, options, stop=stop)
    assert (run.status, run.step, run.adaptation["steps"]) == ("stopped", 1, 1)


def test_an_estimate_foresees_it_without_reading(
    workspace: Workspace, films_folder: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreseen: list[float] = []
    plan = adaptation.TextLoop.plan
    monkeypatch.setattr(adaptation.TextLoop, "run", None)
    monkeypatch.setattr(adaptation.TextLoop, "plan", lambda *args: foreseen.append(plan(*args)) or 1_000.0)
    assert workspace.estimate(training(str(films_folder), options)).seconds > 1_000
    assert foreseen[0] > 0


def test_too_little_text_and_odd_settings_are_told_in_words(
    workspace: Workspace, options: Options, tmp_path: Path
) -> None:
    (tmp_path / "items.csv").write_text("id,title\n1,A\n2,B\n")
    with pytest.raises(DataError, match="at least 68 are needed. Leave --adapt away"):
        train(workspace, tmp_path / "items.csv", options)
    with pytest.raises(RunError, match="The adapt is -1"):
        Options(adapt=-1)
