"""A run that learns from labels: what is learned, what is held out, and when the old adapter stays."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from typer.testing import CliRunner

from gpr import cli
from gpr.data.dataset import Dataset, Request
from gpr.errors import RunError
from gpr.labels.label import Label, Verdict, request_id
from gpr.learn.lessons import kept, lessons_of, without
from gpr.learn.run_folder import RunFolder
from gpr.learn.taught import words
from gpr.learn.validation import Found, Validation
from gpr.scorers.adapter import load_examples
from gpr.scorers.pool import Pool
from gpr.workspace import Options, RunInfo, Workspace
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("cache")


def label(query: str, item: str, verdict: Verdict, annotator: str = "ann", dataset: str = "films") -> Label:
    return Label(
        request_id(dataset, query), query, (), item, item, "r", 0.5, -0.7, 1, verdict, annotator, dataset=dataset
    )


SAID = [
    one
    for number in range(10)
    for query in [f"night number {number}"]
    for one in (label(query, "m9", "good"), label(query, "m2", "bad"), label(query, "m5", "bad"))
]


@pytest.fixture(scope="session")
def finished(films_folder: Path, tiny_base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run `r` of the films. To be copied."""
    root = tmp_path_factory.mktemp("finished") / "ws"
    workspace = Workspace(root, str(tiny_base_folder))
    options = Options(epochs=1, base=str(tiny_base_folder))
    workspace.train(str(films_folder), workspace.new_run_folder("r"), options, lambda: False)
    return root


@pytest.fixture
def workspace(finished: Path, tmp_path: Path, tiny_base_folder: Path) -> Workspace:
    shutil.copytree(finished, tmp_path / "ws")
    return Workspace(tmp_path / "ws", str(tiny_base_folder))


def taught(workspace: Workspace, **options: Any) -> RunInfo:
    folder = workspace.begin_teaching("r", **{"epochs": 6, **options})
    return workspace.teach(folder, lambda: False)


def weights(run: RunInfo) -> dict[str, Any]:
    return load_file(run.folder / "adapter" / "adapter_model.safetensors")


@pytest.fixture
def pleased(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validation likes each check better than the one before."""
    found = iter(range(1000, 0, -1))
    monkeypatch.setattr(Validation, "of", lambda *args: Found(Pool(), next(found), {"R@10": 0.5, "NDCG@10": 0.5}))


@pytest.mark.usefixtures("pleased")
def test_a_taught_run_puts_good_above_bad_and_leaves_the_old_one(workspace: Workspace) -> None:
    workspace.labels.add(*SAID)
    before = weights(workspace.run("r"))
    run = taught(workspace, epochs=30)
    assert (run.name, run.status, run.data) == ("r-taught", "done", workspace.run("r").data)
    assert not all(value.equal(before[name]) for name, value in weights(run).items())
    assert all(value.equal(before[name]) for name, value in weights(workspace.run("r")).items())
    figures = RunFolder(run.folder).read("taught.json")
    assert (figures["good"], figures["bad"], figures["held_out"], figures["pairs"]) == (8, 16, 6, 4)
    assert figures["win_rate"]["after"] >= figures["win_rate"]["before"]
    assert figures["win_rate"]["after"] == 1.0
    assert 0 < figures["changed"] <= figures["asked"] == 10
    assert "8 good and 16 bad" in words(figures)
    assert "4 held-out pairs" in words(figures)
    assert {"loss", "generate", "match", "preference"} <= set(run.log()[0])
    assert run.checks()[0]["step"] == 0
    assert not (run.folder / "lessons.json").exists()
    assert run.command == "python -m gpr teach --run r --as r-taught --epochs 30 --max-minutes 6.0"
    assert workspace.recommender("r-taught").recommend(Request("night number 0"), 3)


def test_the_old_adapter_stays_where_validation_gets_worse(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.labels.add(*SAID)
    losses = iter([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    monkeypatch.setattr(Validation, "of", lambda *args: Found(Pool(), next(losses), {"R@10": 0.5, "NDCG@10": 0.5}))
    run = taught(workspace)
    for name in ("adapter_model.safetensors", "match.safetensors", "pool.json"):
        assert (run.folder / "adapter" / name).read_bytes() == (
            workspace.run("r").folder / "adapter" / name
        ).read_bytes()
    assert not (run.folder / "adapter" / "examples.json").exists()
    assert run.message == "Validation got worse: the weights from before stay."
    figures = RunFolder(run.folder).read("taught.json")
    assert figures["changed"] == 0
    assert figures["win_rate"]["before"] == figures["win_rate"]["after"]


@pytest.mark.usefixtures("pleased")
def test_what_was_called_good_is_an_example_from_then_on(workspace: Workspace) -> None:
    workspace.labels.add(*SAID)
    run = taught(workspace, epochs=1)
    again = workspace.teach(workspace.begin_teaching(run.name, "again", epochs=1), lambda: False)
    films = workspace.recommender("r").dataset
    known = [load_examples(one.folder / "adapter", films.catalogue) for one in (run, again)]
    assert known[0] == known[1], "nothing is known twice"
    assert len(known[0]) == 8, "what judges is no example"
    assert {films.catalogue.item_ids[one.item] for one in known[0]} == {"m9"}
    query = known[0][0].request
    before, after = (
        workspace.recommender(name).ensemble.others["words"].score_all([query])[0] for name in ("r", "again")
    )
    place = films.catalogue.numbers["m9"]
    assert after[place] > before[place]


@pytest.mark.usefixtures("pleased")
def test_a_taught_run_that_was_cut_off_goes_on(workspace: Workspace) -> None:
    class CutOff(BaseException):
        pass

    def listen(state: dict[str, Any]) -> None:
        if state["status"] == "running" and state["step"] == 2:
            raise CutOff

    workspace.labels.add(*SAID)
    folder = workspace.begin_teaching("r", "again", epochs=2)
    with pytest.raises(CutOff):
        workspace.teach(folder, lambda: False, listen)
    run = workspace.resume(workspace.claim("again"), lambda: False)
    assert (run.status, run.step) == ("done", run.steps)
    assert RunFolder(run.folder).read("taught.json")["good"] == 8


def test_the_page_starts_it_as_a_process_of_its_own(workspace: Workspace) -> None:
    from gpr import jobs

    workspace.labels.add(*SAID)
    run = jobs.teach(workspace, "r")
    assert run.name == "r-taught"
    until(lambda: not workspace.run("r-taught").going)
    assert workspace.run("r-taught").usable, workspace.run("r-taught").message


@pytest.mark.usefixtures("pleased")
def test_the_command(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpr.cli_teach.stop_on_signal", lambda: lambda: False)
    workspace.labels.add(*SAID)
    given = ["teach", "--run", "r", "--workspace", str(workspace.root), "--epochs", "1"]
    needed = json.loads(CliRunner().invoke(cli.app, [*given, "--estimate", "--json"]).stdout)
    assert min(needed.values()) > 0
    assert [run.name for run in workspace.runs()] == ["r"]
    result = CliRunner().invoke(cli.app, [*given, "--as", "better"])
    assert result.exit_code == 0, result.output
    assert "done: " in result.stdout
    assert "Foreseen: " in result.stdout
    assert (
        "Learned from 8 good and 16 bad labels. Win rate of good over bad items on 4 held-out pairs: " in result.stdout
    )
    refused = CliRunner().invoke(cli.app, [*given, "--as", "better"])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "A run named 'better' exists" in refused.stderr
    figures = json.loads(CliRunner().invoke(cli.app, [*given, "--json"]).stdout)
    assert (figures["run"], figures["good"]) == ("r-taught", 8)


def test_names_go_on_counting(workspace: Workspace) -> None:
    workspace.labels.add(*SAID)
    workspace.new_run_folder("r-taught").write("done.json", {"status": "done"})
    assert workspace.begin_teaching("r").path.name == "r-taught-2"


def test_without_a_label_of_use_nothing_begins(workspace: Workspace) -> None:
    workspace.labels.add(
        label("cops and robbers", "m9", "good"),  # of the test split
        label("night", "gone", "good"),
        label("night", "m2", "skip"),
        label("night", "m2", "good", dataset="other"),
    )
    with pytest.raises(RunError, match="no label to learn from"):
        workspace.begin_teaching("r")
    assert [run.name for run in workspace.runs()] == ["r"]


def test_annotators_who_disagree_teach_nothing(films: Dataset, workspace: Workspace) -> None:
    workspace.labels.add(*SAID[:3], label("night number 0", "m9", "bad", "bob"))
    folder = workspace.begin_teaching("r")
    rows = folder.read("lessons.json")["labels"]
    assert [(row["item_id"], row["verdict"]) for row in rows] == [("m2", "bad"), ("m5", "bad")]
    assert len(lessons_of(films, rows).taught) == 2


def test_what_a_lesson_is_about_does_not_validate_it(films: Dataset) -> None:
    lessons = lessons_of(films, kept([label("Stuck in  TIME", "m6", "good"), label("night", "m9", "bad")]))
    queries = [example.request.query for example in without(films, lessons)]
    assert [query for query in queries if query] == ["worms in the sand", "love and war"]


def test_only_requests_that_can_judge_are_held_out(films: Dataset) -> None:
    lessons = lessons_of(films, kept([replace(one, verdict="bad") for one in SAID]))
    assert lessons.held_out == ()
    lessons = lessons_of(films, kept(SAID))
    assert len({one.request for one in lessons.held_out}) == 2
    assert {one.request for one in lessons.held_out}.isdisjoint({one.request for one in lessons.taught})
