"""The commands around runs: list, compare, rename, describe, delete, export, import, resume, stop."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gpr.workspace import Options, Workspace
from tests.cli.conftest import Run, answer, refused

pytestmark = pytest.mark.usefixtures("cache")


class CutOff(BaseException):
    """As good as a kill."""


@pytest.fixture
def two(trained: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the workspace with the run `films` twice; the second has another rank and worse figures."""
    copy = Workspace(Path(shutil.copytree(trained.root, tmp_path / "ws")), trained.base)
    second = Path(shutil.copytree(copy.run("films").folder, copy.root / "runs" / "second"))
    config = json.loads((second / "config.json").read_text())
    config["options"]["rank"] = 8
    (second / "config.json").write_text(json.dumps(config))
    (second / "metrics.json").write_text('{"R@1": 0.25}')
    return copy


@pytest.fixture
def on(gpr: Run, two: Workspace) -> Run:
    """`gpr COMMAND...` in that workspace."""
    return lambda *words: gpr(*words, "--workspace", two.root)


def test_runs_are_listed(on: Run) -> None:
    found = answer(on("runs", "--json"))
    assert {run["name"] for run in found} == {"films", "second"}
    for run in found:
        assert (run["status"], run["task"], run["resumable"]) == ("done", "recommend", False)
        assert {"data", "base", "metrics", "seconds", "step", "steps", "note", "tags"} <= set(run)
    words = on("runs").stdout
    assert "second" in words
    assert "0.250" in words


def test_no_runs(gpr: Run, tmp_path: Path) -> None:
    assert gpr("runs", "--workspace", tmp_path / "none").stdout.strip() == "There are no runs yet."
    assert answer(gpr("runs", "--json", "--workspace", tmp_path / "none")) == []


def test_a_comparison_shows_what_differs(on: Run) -> None:
    table = answer(on("runs", "compare", "films", "second", "--json"))
    assert table["runs"] == ["films", "second"]
    assert table["settings"] == {"rank": [16, 8]}
    assert table["metrics"]["R@1"][1] == 0.25
    assert table["metrics"]["MRR"][1] is None
    assert "rank" in on("runs", "compare", "films", "second").stdout
    refused(on("runs", "compare", "films", "third"), "There is no run named 'third'")


def test_a_run_is_renamed_described_and_deleted(on: Run, two: Workspace) -> None:
    assert on("runs", "rename", "second", "better").exit_code == 0
    refused(on("runs", "rename", "better", "films"), "A run named 'films' exists")
    refused(on("runs", "rename", "better", "a/b"), "cannot name a run")
    told = on("runs", "note", "better", "try rank 8", "--tag", "small", "--tag", "demo").stdout
    assert told.strip() == "better: try rank 8 [demo, small]"
    assert on("runs", "note", "better").stdout == told
    assert on("runs", "delete", "better").exit_code == 0
    assert [run.name for run in two.runs()] == ["films"]
    refused(on("runs", "delete", "better"), "There is no run named 'better'")


def test_a_run_is_exported_and_imported(on: Run, two: Workspace, tmp_path: Path) -> None:
    assert on("export", "films", tmp_path / "f.zip").exit_code == 0
    assert on("import", tmp_path / "f.zip", "--run", "taken-over").exit_code == 0
    assert two.run("taken-over").usable
    refused(on("import", tmp_path / "f.zip", "--run", "films"), "A run named 'films' exists")
    refused(on("export", "films", tmp_path / "g", "--as", "picture"), "cannot be exported as 'picture'")


@pytest.mark.usefixtures("signals")
def test_a_run_that_was_cut_off_is_resumed(
    gpr: Run, films_folder: Path, tiny_base_folder: Path, tmp_path: Path
) -> None:
    def cut(state: dict[str, object]) -> None:
        if state["step"] == 2 and state["status"] == "running":
            raise CutOff

    workspace = Workspace(tmp_path / "ws", str(tiny_base_folder))
    options = Options(epochs=2, base=str(tiny_base_folder))
    with pytest.raises(CutOff):
        workspace.train(str(films_folder), workspace.new_run_folder("r"), options, lambda: False, cut)
    listed = answer(gpr("runs", "--json", "--workspace", workspace.root))[0]
    assert (listed["status"], listed["resumable"]) == ("failed", True)
    refused(gpr("stop", "r", "--workspace", workspace.root), "The run 'r' failed. Only a run that is going on")
    result = gpr("resume", "r", "--workspace", workspace.root)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("done: ")
    assert "Foreseen: " in result.stdout
    refused(gpr("resume", "r", "--workspace", workspace.root), "The run 'r' is done.")


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("command", ["train", "pretrain"])
def test_an_estimate_is_told_and_leaves_nothing(
    gpr: Run, films_folder: Path, tiny_base_folder: Path, tmp_path: Path, command: str
) -> None:
    root = tmp_path / "ws"
    words = ["train", films_folder, "--base", tiny_base_folder, "--epochs", "1"]
    if command == "pretrain":
        words = ["pretrain", "--data", films_folder, "--layers", "1", "--width", "32", "--context", "16"]
    words += ["--estimate", "--workspace", root]
    needed = answer(gpr(*words, "--json"))
    assert set(needed) == {"seconds", "memory_gb", "disk_gb"}
    assert min(needed.values()) >= 0
    assert gpr(*words).stdout.startswith("This run needs about ")
    assert Workspace(root).runs() == []


def test_the_queue_is_shown_and_its_order_changed(gpr: Run, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    assert gpr("runs", "queue").stdout == "No run waits.\n"
    for name in ("a", "b", "c"):
        folder = workspace.new_run_folder(name)
        folder.write("state.json", folder.read("state.json") | {"status": "queued"})
        workspace.turns.join(name, "cpu")
    assert answer(gpr("runs", "queue", "c", "--by", "-2", "--json")) == ["c", "a", "b"]
    assert gpr("runs", "queue").stdout == "1. c\n2. a\n3. b\n"
    refused(gpr("runs", "queue", "x"), "The run 'x' does not wait.", "Waiting: c, a, b.")
