"""Real runs of the tiny model: what they leave behind, in which order, and all the ways in which they end."""

from __future__ import annotations

import errno
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gpr.data.dataset import Request
from gpr.errors import ModelError, RunError, WorkspaceError
from gpr.learn.joint import JointModel
from gpr.learn.run_folder import RunFolder
from gpr.learn.training import Stopped
from gpr.scorers.pool import Pool
from gpr.scorers.sequence import SEQUENCE
from gpr.workspace import Options, Workspace
from tests.learn.conftest import Start

pytestmark = pytest.mark.usefixtures("cache")


def test_a_run_learns(trained: Workspace) -> None:
    run = trained.run("films")
    assert (run.status, run.usable, run.message) == ("done", True, "")
    assert run.step == run.steps == len(run.log()) > 20
    losses = [entry["loss"] for entry in run.log()]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) / 2
    assert [entry["step"] for entry in run.log()] == list(range(1, run.steps + 1))
    assert all({"loss", "generate", "match", "seconds"} <= set(entry) for entry in run.log())
    assert set(run.metrics) == {"R@1", "R@5", "R@10", "NDCG@10", "MRR"}


def test_it_knows_what_it_has_seen(trained: Workspace) -> None:
    recommender = trained.recommender("films")
    for example in recommender.dataset.examples["train"]:
        best = recommender.recommend(example.request, 3)
        assert example.item in [item.number for item in best]


def test_the_adapter_is_in_pefts_own_format(trained: Workspace) -> None:
    folder = RunFolder(trained.run("films").folder).adapter
    config = json.loads((folder / "adapter_config.json").read_text())
    assert (config["peft_type"], config["task_type"]) == ("LORA", "CAUSAL_LM")
    assert (folder / "adapter_model.safetensors").is_file()
    assert not [path for path in trained.root.rglob("*") if path.suffix in (".bin", ".pt", ".pkl", ".pth")]


def test_histories_leave_a_sequence_that_is_part_of_the_answer(trained: Workspace) -> None:
    assert (RunFolder(trained.run("films").folder).adapter / SEQUENCE).is_file()
    recommender = trained.recommender("films")
    scores = recommender.ensemble.score([Request("", (2, 3))])
    assert {"sequence", "taste_next", "words", "popular"} <= set(scores)
    assert recommender.pool.weights["history"].keys() >= scores.keys()


def test_done_is_written_last_but_for_the_card_that_tells_of_it(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    there: dict[str, list[str]] = {}
    write = RunFolder.write

    def watched(self: RunFolder, name: str, content: dict[str, Any]) -> None:
        there[name] = sorted(path.name for path in self.path.iterdir())
        write(self, name, content)

    monkeypatch.setattr(RunFolder, "write", watched)
    run = start()
    assert {"adapter", "config.json", "log.jsonl", "metrics.json", "state.json"} <= set(there["done.json"])
    assert {path.name for path in run.folder.iterdir()} - set(there["done.json"]) == {"done.json", "README.md"}


def test_phases_are_told_and_steps_counted(start: Start) -> None:
    states: list[dict[str, Any]] = []
    run = start(listener=lambda state: states.append(dict(state)))
    phases = list(dict.fromkeys(state["phase"] for state in states if state["phase"]))
    assert phases[0] == "starting"
    shares = {state["share"] for state in states if state["phase"] == "reading the items"}
    assert min(shares) < max(shares) == 1
    assert phases.index("reading data") < phases.index("training") < phases.index("saving")
    steps = [state["step"] for state in states]
    assert steps == sorted(steps)
    assert (states[-1]["status"], states[-1]["step"], states[-1]["seconds_left"]) == ("done", run.steps, 0)


@pytest.mark.parametrize(
    "files",
    [
        {"items": "title\nAlien\nAliens\n"},
        {"items": "title,genre\nAlien,horror\nAliens,action\nEmma,romance\n"},
        {"items": "id,title\n1,A\n2,B\n3,C\n4,D\n", "interactions": "user_id,item_id\nu,1\nu,2\nu,3\nu,4\nv,1\nv,3\n"},
        {"items": "id,title\n1,A\n2,B\n", "pairs": "query,item_id,split\nq,1,train\nr,2,test\n"},
    ],
    ids=["titles", "attributes", "histories", "no validation"],
)
def test_whatever_there_is_can_be_learned_from(
    workspace: Workspace, tiny_base_folder: Path, tmp_path: Path, files: dict[str, str]
) -> None:
    (tmp_path / "data").mkdir()
    for name, content in files.items():
        (tmp_path / "data" / f"{name}.csv").write_text(content)
    options = Options(epochs=2, base=str(tiny_base_folder))
    run = workspace.train(str(tmp_path / "data"), workspace.new_run_folder("r"), options, stop=lambda: False)
    assert run.status == "done"
    assert len(workspace.recommender("r").recommend(Request("horror"), 2)) == 2


def test_nothing_to_learn_from_is_told_in_words(workspace: Workspace, tiny_base_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id,title\n1,A\n2,B\n")
    (tmp_path / "pairs.csv").write_text("query,item_id,split\na,1,test\nb,2,test\n")
    options = Options(epochs=2, base=str(tiny_base_folder))
    with pytest.raises(RunError, match="There is nothing to learn from"):
        workspace.train(str(tmp_path), workspace.new_run_folder("r"), options, stop=lambda: False)


def test_the_same_seed_gives_the_same_run(workspace: Workspace, start: Start) -> None:
    logs = []
    for seed in (3, 3, 4):
        run = start(seed=seed)
        logs.append([entry["loss"] for entry in run.log()])
        run.folder.rename(run.folder.with_name(f"r{len(logs)}"))
    assert logs[0] == pytest.approx(logs[1], abs=1e-3)
    assert logs[0] != pytest.approx(logs[2], abs=1e-3)


def test_epochs_decide_the_steps(start: Start) -> None:
    once = start()
    once.folder.rename(once.folder.with_name("once"))
    thrice = start(epochs=3)
    assert 2 * once.steps < thrice.steps < 4 * once.steps


def test_the_window_of_a_run_is_that_of_its_answers(start: Start, workspace: Workspace) -> None:
    run = start(window=2)
    assert "--window 2" in run.command
    assert workspace.recommender("r").ensemble.gpt.prompts.window == 2


def test_four_bits_are_refused_where_there_is_no_gpu(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="4-bit weights need an NVIDIA GPU .CUDA.*Use another --precision"):
        start(precision="4bit")


def test_stopping_keeps_what_was_learned(start: Start, workspace: Workspace) -> None:
    asked: list[int] = []

    def stop() -> bool:
        steps = RunFolder(workspace.root / "runs" / "r").log()
        asked.append(len(steps))
        return len(steps) >= 3

    run = start(stop=stop, epochs=50)
    assert (run.status, run.usable, run.step) == ("stopped", True, 3)
    assert RunFolder(run.folder).read("done.json")["status"] == "stopped"
    assert len(workspace.recommender("r").recommend(Request("marines"), 3)) == 3


def test_word_left_in_the_folder_stops_too(start: Start, workspace: Workspace) -> None:
    def leave_word(state: dict[str, Any]) -> None:
        if state["step"] == 2:
            RunFolder(workspace.root / "runs" / "r").ask_to_stop()

    run = start(listener=leave_word, epochs=50)
    assert (run.status, run.step) == ("stopped", 2)


def test_stopping_before_anything_was_learned_leaves_no_usable_run(start: Start, workspace: Workspace) -> None:
    with pytest.raises(Stopped, match="stopped before it had learned anything"):
        start(stop=lambda: True)
    run = workspace.run("r")
    assert not run.usable
    assert "stopped before it had learned anything" in run.message
    assert not (run.folder / "done.json").exists()


def test_a_loss_that_is_no_number_is_told_in_words(
    start: Start, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: JointModel, numbers: list[int], rows: list[Any], counts: bool = True) -> dict[str, torch.Tensor]:
        self.parts = {"generate": math.nan, "match": 1.0}
        return {"loss": math.nan * torch.cat([p.flatten() for p in self.parameters() if p.requires_grad]).sum()}

    monkeypatch.setattr(JointModel, "forward", broken)
    with pytest.raises(RunError, match="The loss is no longer a number. Use a smaller learning rate."):
        start()
    run = workspace.run("r")
    assert (run.status, run.usable) == ("failed", False)
    assert "no longer a number" in run.message
    assert not (run.folder / "done.json").exists()


@pytest.mark.parametrize("full_at", ["adapter", "log"])
def test_a_full_disk_is_told_in_words(
    start: Start, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, full_at: str
) -> None:
    opened = Path.open

    def full(*args: Any, **more: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def open_unless_full(path: Path, *args: Any, **more: Any) -> Any:
        return full() if path.name == "log.jsonl" else opened(path, *args, **more)

    if full_at == "adapter":
        monkeypatch.setattr("safetensors.torch.save_file", full)
    else:
        monkeypatch.setattr(Path, "open", open_unless_full)
    with pytest.raises(WorkspaceError, match="The disk is full. Free some space"):
        start()
    run = workspace.run("r")
    assert (run.status, run.usable) == ("failed", False)
    assert "The disk is full" in run.message
    assert not (run.folder / "done.json").exists()
    assert not list(run.folder.glob(".partial*"))


def test_an_unexpected_end_is_kept_and_raised(start: Start, workspace: Workspace) -> None:
    def trip(state: dict[str, Any]) -> None:
        if state["step"] == 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        start(listener=trip)
    assert workspace.run("r").status == "failed"
    assert "unexpected ZeroDivisionError" in workspace.run("r").message


def test_titles_learned_whole_are_a_part_of_the_answer_where_they_count(
    workspace: Workspace, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[set[str]] = []

    def fitted(parts: dict[str, np.ndarray], *_: Any) -> Pool:
        offered.append(set(parts))
        return Pool.same(generate=0.1, plausibility=0.5)

    monkeypatch.setattr("gpr.learn.validation.fit", fitted)
    run = start(title_weight=0.5, generate_weight=0.0, match_weight=0.0, epochs=30, learning_rate=1e-2, patience=0)
    assert "plausibility" in offered[-1]
    assert {"generate", "match", "title"} <= set(run.log()[0])
    assert run.log()[-1]["title"] < run.log()[0]["title"] / 2
    assert "--title-weight 0.5" in run.command
    recommender = workspace.recommender("r")
    assert recommender.ensemble.gpt.reads_titles
    assert {"generate", "plausibility"} <= set(recommender.recommend(Request("marines in space"), 3)[0].scores)


def test_titles_that_are_not_learned_whole_are_not_read_to_their_ends(trained: Workspace) -> None:
    assert not trained.recommender("films").ensemble.gpt.reads_titles
