"""The use cases on real parts: data, runs and evaluations, and what is kept between calls."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gpr.errors import DataError, RunError, WorkspaceError
from gpr.learn.run_folder import RunFolder, process_birth
from gpr.workspace import Options, RunInfo, Workspace
from tests.small_data import ITEMS, write_films

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def workspace(tmp_path: Path, tiny_base_folder: Path) -> Workspace:
    return Workspace(tmp_path / "ws", str(tiny_base_folder))


# data


def test_a_data_set_is_read_again_when_its_files_change(workspace: Workspace, tmp_path: Path) -> None:
    folder = write_films(tmp_path / "films")
    first = workspace.dataset(folder)
    assert workspace.dataset(folder) is first
    assert workspace.dataset(folder, seed=1) is not first
    (folder / "items.csv").write_text(ITEMS + "m12,Ran,1985,Drama,An old lord divides his land.\n", encoding="utf-8")
    later = (folder / "items.csv").stat().st_mtime + 1
    os.utime(folder / "items.csv", (later, later))
    assert len(workspace.dataset(folder).catalogue) == len(first.catalogue) + 1


def test_samples_are_read_by_name(workspace: Workspace) -> None:
    assert workspace.dataset("funds").name == "funds"
    assert workspace.dataset("funds") is workspace.dataset("funds")


def test_data_that_is_not_there(workspace: Workspace) -> None:
    with pytest.raises(DataError, match="'nothing' is no sample, folder or file"):
        workspace.dataset("nothing")
    with pytest.raises(DataError, match="No data is named"):
        workspace.recommender()


# the folder


def test_a_workspace_makes_its_folder_and_opens_it_again(tmp_path: Path) -> None:
    root = tmp_path / "new" / "ws"
    assert Workspace(root).runs() == []
    assert (root / "runs").is_dir()
    assert Workspace(root).labels.current() == []
    assert (root / "labels.db").is_file()


def test_labels_that_cannot_be_opened_are_in_nobody_elses_way(tmp_path: Path) -> None:
    (tmp_path / "labels.db").write_bytes(b"this is no database, however long it may be " * 50)
    workspace = Workspace(tmp_path)
    assert workspace.runs() == []
    with pytest.raises(WorkspaceError, match="labels.db"):
        _ = workspace.labels


def test_a_place_that_is_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="file"):
        Workspace(tmp_path / "file")


# runs


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "-x", "a b", "x" * 65, "a\n", "con:"])
def test_names_that_no_run_can_have(workspace: Workspace, name: str) -> None:
    with pytest.raises(RunError, match="cannot name a run"):
        workspace.new_run_folder(name)


@pytest.mark.parametrize("name", ["a", "run-1", "v1.2_b", "试验", "x" * 64])
def test_names_that_a_run_can_have(workspace: Workspace, name: str) -> None:
    assert workspace.new_run_folder(name).path.is_dir()


def test_a_name_is_given_once_unless_it_is_to_be_overwritten(workspace: Workspace) -> None:
    folder = workspace.new_run_folder("a")
    folder.write("done.json", {"status": "done"})
    with pytest.raises(RunError, match="A run named 'a' exists. Choose another name, or use --overwrite."):
        workspace.new_run_folder("a")
    again = workspace.new_run_folder("a", overwrite=True)
    assert [path.name for path in again.path.iterdir()] == ["state.json"]


def test_of_two_starts_at_once_under_one_name_one_counts(workspace: Workspace) -> None:
    def start(number: int) -> str:
        try:
            return workspace.new_run_folder("a").path.name
        except RunError as error:
            return str(error)

    with ThreadPoolExecutor(8) as many:
        said = list(many.map(start, range(8)))
    assert sorted(said) == ["The run 'a' is going on. Stop it first."] * 7 + ["a"]


@pytest.mark.parametrize("state", [{"status": "failed"}, {"status": "running", "pid": 1, "born": 1.0}, {}])
def test_a_run_that_kept_nothing_gives_up_its_name(workspace: Workspace, state: dict[str, Any]) -> None:
    folder = workspace.new_run_folder("a")
    folder.write("state.json", state)
    folder.add_log({"step": 1})
    assert workspace.new_run_folder("a").log() == []


def alive(folder: RunFolder, **state: Any) -> None:
    """Makes the run look as if this process were at work on it."""
    folder.write("state.json", {"pid": os.getpid(), "born": process_birth(os.getpid()), "status": "running", **state})


def test_a_run_that_goes_on_is_not_overwritten(workspace: Workspace) -> None:
    folder = workspace.new_run_folder("a")
    alive(folder)
    with pytest.raises(RunError, match="The run 'a' is going on. Stop it first."):
        workspace.new_run_folder("a", overwrite=True)


def test_the_status_of_a_run(workspace: Workspace) -> None:
    def status() -> str:
        return workspace.run("a").status

    folder = workspace.new_run_folder("a")
    assert status() == "running"  # it counts as this process's until its own says a word
    (folder.path / "state.json").unlink()
    assert status() == "interrupted"
    alive(folder)
    assert status() == "running"
    folder.ask_to_stop()
    assert status() == "stopping"
    folder.write("state.json", {**folder.read("state.json"), "born": 1.0})  # another process has its number now
    assert status() == "interrupted"
    folder.write("state.json", {"status": "failed", "message": "The disk is full."})
    assert (status(), workspace.run("a").message) == ("failed", "The disk is full.")
    folder.write("done.json", {"status": "stopped"})
    assert (status(), workspace.run("a").usable) == ("stopped", True)


def test_runs_are_listed_newest_first(workspace: Workspace) -> None:
    for name, started in (("b", "2026-01-02T00:00:00Z"), ("a", "2026-01-03T00:00:00Z"), ("c", "2026-01-01T00:00:00Z")):
        alive(workspace.new_run_folder(name), started=started)
    (workspace.root / "runs" / ".partial-x").mkdir()
    (workspace.root / "runs" / "notes.txt").touch()
    assert [run.name for run in workspace.runs()] == ["a", "b", "c"]


def test_damaged_files_make_no_trouble(workspace: Workspace) -> None:
    folder = workspace.new_run_folder("a")
    for name in ("config.json", "state.json", "metrics.json", "done.json"):
        (folder.path / name).write_text('{"cut')
    (folder.path / "log.jsonl").write_text('{"step": 1}\n{"st')
    run = workspace.run("a")
    assert (run.usable, run.metrics, run.log()) == (False, {}, [{"step": 1}])
    (folder.path / "state.json").write_text("[1]")
    assert workspace.run("a").status == "interrupted"


def test_a_run_that_is_not_there_leads_to_those_that_are(workspace: Workspace) -> None:
    with pytest.raises(RunError, match="There is no run named 'x'. There are no runs yet"):
        workspace.run("x")
    for name in ("films-1", "other"):
        workspace.new_run_folder(name)
    with pytest.raises(RunError, match="Runs here: films-1."):
        workspace.run("films1")
    for name in ("..", ".", "films-1/", "../runs/films-1"):
        with pytest.raises(RunError, match="There is no run named"):
            workspace.run(name)


def test_the_command_repeats_the_run(trained: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Any, ...]] = []

    def remember(self: Workspace, *args: Any) -> RunInfo:
        seen.append(args)
        return trained.run("films")

    monkeypatch.setattr(Workspace, "train", remember)
    run = trained.run("films")
    words = shlex.split(run.command)
    assert words[:3] == ["python", "-m", "gpr"]
    from gpr.cli import app

    result = CliRunner().invoke(app, [*words[3:], "--workspace", str(trained.root / "again")])
    assert result.exit_code == 0, result.output
    assert seen[0][0] == run.data
    assert asdict(seen[0][2]) == run.settings


TASK = ("classify", "Review Text", "Class Name")


def test_every_option_is_part_of_the_command(workspace: Workspace) -> None:
    options = Options(
        3, 2.5, 7, "b c", 0.001, 4, 0.5, 99, 0.2, 5, 6, 0.2, "mlp", 2, 0.5, 0.1, 2.0, 1, 9, "float32", *TASK
    )
    assert all(getattr(options, name) != value for name, value in asdict(Options()).items())
    folder = workspace.new_run_folder("a")
    folder.write("config.json", {"data": "my films", "options": asdict(options)})
    assert workspace.run("a").command == (
        "python -m gpr train 'my films' --run a --epochs 3 --max-minutes 2.5 --seed 7 --base 'b c' "
        "--learning-rate 0.001 --rank 4 --trained-share 0.5 --batch-tokens 99 "
        "--warm-up 0.2 --patience 5 --alpha 6 --dropout 0.2 --targets mlp --accumulation 2 --generate-weight 0.5 "
        "--title-weight 0.1 --match-weight 2.0 --adapt 1 --window 9 --precision float32 --task classify "
        "--text 'Review Text' --label 'Class Name'"
    )


# evaluate


def test_an_evaluation_is_kept_until_something_changes(
    trained: Workspace, films_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = trained.evaluate(films_folder, "films")
    assert (first["data"], first["n"]) == ("films", 7)

    def never(*args: Any) -> Any:
        raise AssertionError("computed again")

    with monkeypatch.context() as patch:
        patch.setattr("gpr.evaluate.table.evaluate", never)
        assert trained.evaluate(films_folder, "films") == first
        with pytest.raises(AssertionError, match="computed again"):
            trained.evaluate(films_folder)  # the base model alone is something else
    changed = write_films(tmp_path / "films")
    pairs = (changed / "pairs.csv").read_text(encoding="utf-8")
    (changed / "pairs.csv").write_text(f"{pairs}desert planet,m10,test\n", encoding="utf-8")
    assert trained.evaluate(changed, "films")["n"] == 8


def test_a_full_disk_costs_no_evaluation(
    trained: Workspace, films_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Workspace(Path(shutil.copytree(trained.root, tmp_path / "ws")), trained.base)
    shutil.rmtree(copy.root / "evaluations")
    (copy.root / "evaluations").mkdir()

    def full(*args: Any, **more: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert copy.evaluate(films_folder, "films")["n"] == 7
    assert not [*copy.root.rglob("table.json"), *copy.root.rglob(".partial*")]


def test_base_is_the_base_model_of_the_run(trained: Workspace, films_folder: Path, tmp_path: Path) -> None:
    elsewhere = Workspace(Path(shutil.copytree(trained.root, tmp_path / "ws")), base=str(tmp_path / "another"))
    shutil.rmtree(elsewhere.root / "evaluations")
    (elsewhere.root / "evaluations").mkdir()
    ours, theirs = (workspace.evaluate(films_folder, "films")["metrics"] for workspace in (elsewhere, trained))
    assert ours == theirs


def test_training_pays_on_what_was_trained(trained: Workspace, tmp_path: Path) -> None:
    seen = write_films(tmp_path / "seen")
    (seen / "interactions.csv").unlink()
    pairs = (seen / "pairs.csv").read_text(encoding="utf-8").replace(",test", ",valid").replace(",train", ",test")
    (seen / "pairs.csv").write_text(pairs, encoding="utf-8")
    metrics = trained.evaluate(seen, "films")["metrics"]
    assert metrics["gpr"]["MRR"] > max(0.8, metrics["base"]["MRR"])


def test_an_empty_test_split_is_told_in_words(trained: Workspace, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(ITEMS, encoding="utf-8")
    with pytest.raises(DataError, match="the test split is empty"):
        trained.evaluate(tmp_path / "items.csv", "films")
