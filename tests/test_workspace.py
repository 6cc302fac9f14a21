"""The use cases on real parts: data, runs, recommendations and evaluations, and what is kept between calls."""

from __future__ import annotations

import math
import os
import shlex
import shutil
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gpr.data.dataset import Dataset, Request
from gpr.errors import DataError, ModelError, RequestError, RunError, WorkspaceError
from gpr.learn.run_folder import RunFolder, process_birth
from gpr.lm.base import Base
from gpr.recommender import Recommender, load_recommender
from gpr.workspace import Options, RunInfo, Workspace
from tests.small_data import ITEMS, write_films

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def workspace(tmp_path: Path, tiny_base_folder: Path) -> Workspace:
    return Workspace(tmp_path / "ws", str(tiny_base_folder))


@pytest.fixture(scope="session")
def recommender(trained: Workspace, cache_root: Path) -> Recommender:
    """The trained run on its own data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPR_CACHE", str(cache_root))
        return trained.recommender("films")


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
    assert {path.name for path in root.iterdir()} >= {"runs", "labels.db"}
    assert Workspace(root).labels.current() == []


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


def test_every_option_is_part_of_the_command(workspace: Workspace) -> None:
    options = Options(3, 2.5, 7, "b c", 0.001, 4, 0.5, 99)
    assert all(getattr(options, name) != value for name, value in asdict(Options()).items())
    folder = workspace.new_run_folder("a")
    folder.write("config.json", {"data": "my films", "options": asdict(options)})
    assert workspace.run("a").command == (
        "python -m gpr train 'my films' --run a --epochs 3 --max-minutes 2.5 --seed 7 --base 'b c' "
        "--learning-rate 0.001 --rank 4 --trained-share 0.5 --batch-tokens 99"
    )


# recommend


def test_the_answer_to_a_query(recommender: Recommender, films: Dataset) -> None:
    found = recommender.recommend(Request("marines in space"), 4)
    assert [item.rank for item in found] == [1, 2, 3, 4]
    assert [item.log_prob for item in found] == sorted((item.log_prob for item in found), reverse=True)
    for item in found:
        assert (item.item_id, item.title) == (
            films.catalogue.item_ids[item.number],
            films.catalogue.titles[item.number],
        )
        assert math.log(item.probability) == pytest.approx(item.log_prob)
        assert {"generate", "match", "words"} <= set(item.scores) == set(item.shares)


@pytest.mark.parametrize(
    "request_", [Request("marines"), Request("梦"), Request("", (2, 3)), Request("dream", (0,)), Request("🎬?!")]
)
def test_probabilities_sum_to_one_over_what_can_be_recommended(recommender: Recommender, request_: Request) -> None:
    found = recommender.recommend(request_, 10**6)
    assert sum(item.probability for item in found) == pytest.approx(1, abs=1e-5)
    assert {item.number for item in found} == set(range(10)) - set(request_.history)
    best = recommender.recommend(request_, 3)
    assert [item.number for item in best] == [item.number for item in found[:3]]
    assert [item.probability for item in best] == pytest.approx([item.probability for item in found[:3]])


@pytest.mark.parametrize(
    ("request_", "k", "message"),
    [
        (Request(), 5, "The request is empty. Type a query"),
        (Request("  \n"), 5, "The request is empty"),
        (Request("x" * 10_000), 5, "The query is 10,000 characters long; the limit is 2,000. Shorten it."),
        (Request("a", (99,)), 5, "Item number 99 is not in this catalogue of 10 items"),
        (Request("a"), 0, "0 recommendations cannot be given. Ask for 1 or more."),
        (Request("", tuple(range(10))), 5, "The history holds the whole catalogue"),
    ],
)
def test_requests_that_cannot_be_answered(recommender: Recommender, request_: Request, k: int, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        recommender.recommend(request_, k)


def test_a_recommender_is_loaded_once(trained: Workspace, films_folder: Path) -> None:
    fresh, told = Workspace(trained.root, trained.base), []
    first = fresh.recommender("films", tell=lambda share, words: told.append(words))
    assert (told[0], first.title, fresh.loading()) == ("Loading the model…", "films · run films", "")
    told.clear()
    assert fresh.recommender("films", tell=lambda share, words: told.append(words)) is first
    assert told == []
    assert fresh.recommender(data=films_folder).title == "films · base model, not fine-tuned"


def test_a_recommender_that_cannot_be_loaded_leaves_nothing_behind(workspace: Workspace, films_folder: Path) -> None:
    workspace.base = str(workspace.root / "no-model")
    with pytest.raises(ModelError, match="There is no such folder"):
        workspace.recommender(data=films_folder)
    assert workspace.loading() == ""


def test_the_base_model_stays_what_it_was_beside_a_run(trained: Workspace, films_folder: Path, films: Dataset) -> None:
    fresh = Workspace(trained.root, trained.base)
    before = fresh.recommender(data=films_folder).recommend(Request("marines"), 10)
    tuned = fresh.recommender("films").recommend(Request("marines"), 10)
    assert fresh.recommender(data=films_folder).recommend(Request("marines"), 10) == before
    assert [item.log_prob for item in tuned] != pytest.approx([item.log_prob for item in before], abs=0.01)


def test_a_loaded_run_answers_as_it_did_before(trained: Workspace, recommender: Recommender) -> None:
    again = Workspace(trained.root).recommender("films").recommend(Request("marines"), 10)
    first = recommender.recommend(Request("marines"), 10)
    assert [item.number for item in again] == [item.number for item in first]
    assert [item.probability for item in again] == pytest.approx([item.probability for item in first], abs=1e-4)


def test_a_run_answers_on_another_catalogue(trained: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "books.csv"
    other.write_text("item_id,title\nb1,Dracula\nb2,Frankenstein\nb3,Emma\n", encoding="utf-8")
    found = trained.recommender("films", other).recommend(Request("monster"), 10)
    assert sorted(item.item_id for item in found) == ["b1", "b2", "b3"]
    assert sum(item.probability for item in found) == pytest.approx(1, abs=1e-5)


def test_many_may_ask_at_once(recommender: Recommender) -> None:
    expected = recommender.recommend(Request("marines"), 5)
    found: list[list[Any]] = []
    threads = [
        threading.Thread(target=lambda: found.append(recommender.recommend(Request("marines"), 5))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_an_unfinished_run_answers_nothing(workspace: Workspace, films_folder: Path) -> None:
    folder = workspace.new_run_folder("a")
    folder.write("config.json", {"data": str(films_folder)})
    folder.write("state.json", {})
    with pytest.raises(RunError, match="The run 'a' is interrupted. Train it to the end"):
        workspace.recommender("a")


def test_a_run_whose_data_or_adapter_is_gone(trained: Workspace, tmp_path: Path) -> None:
    copy = Workspace(Path(shutil.copytree(trained.root, tmp_path / "ws")), trained.base)
    folder = RunFolder(copy.run("films").folder)
    folder.write("config.json", {**folder.read("config.json"), "data": str(tmp_path / "gone")})
    with pytest.raises(DataError, match="is no sample, folder or file"):
        copy.recommender("films")
    shutil.rmtree(folder.adapter)
    with pytest.raises(ModelError, match="The adapter cannot be used"):
        copy.recommender("films", "funds")


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


def test_base_is_the_base_model_of_the_run(trained: Workspace, films_folder: Path, tmp_path: Path) -> None:
    elsewhere = Workspace(Path(shutil.copytree(trained.root, tmp_path / "ws")), base=str(tmp_path / "another"))
    shutil.rmtree(elsewhere.root / "evaluations")
    (elsewhere.root / "evaluations").mkdir()
    assert elsewhere.evaluate(films_folder, "films") == trained.evaluate(films_folder, "films")


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


# the real model


@pytest.mark.model
def test_the_default_model_answers_without_training(films: Dataset, base_model: Base) -> None:
    zero_shot = load_recommender(films, base_model, None, "", lambda share, words: None)
    for request in (Request("a film about dreams"), Request("", (2, 3))):
        found = zero_shot.recommend(request, 10)
        assert sum(item.probability for item in found) == pytest.approx(1, abs=1e-5)
        assert len({item.item_id for item in found}) == 10 - len(request.history)
