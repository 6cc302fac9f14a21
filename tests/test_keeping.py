"""Kept data beyond the data: runs that need it, labels that follow its name, a person who is forgotten everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpr.errors import DataError
from gpr.keeping import FORGOTTEN, delete, forget, keep, rename, runs_on
from gpr.kept_batch import BATCHES, REQUESTS, BatchStore
from gpr.labels.label import Label, request_id
from gpr.workspace import Workspace
from tests.small_data import write_films

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path / "ws")
    keep(workspace, str(write_films(tmp_path / "films")), "films")
    workspace.new_run_folder("r").write("config.json", {"data": str(workspace.data.folder("films")), "options": {}})
    workspace.new_run_folder("other").write("config.json", {"data": "movies", "options": {}})
    yield workspace
    workspace.labels.close()


def label(query: str = "", history: tuple[str, ...] = ()) -> Label:
    key = request_id("films", query, history)
    return Label(key, query, history, "m1", "x", "r", 0.5, -1.0, 1, "good", "me", dataset="films")


def test_a_kept_name_is_data_like_any_other(workspace: Workspace) -> None:
    assert workspace.dataset("films").hash == workspace.data.find("films").hash
    assert [run.name for run in runs_on(workspace, "films")] == ["r"]


def test_several_files_are_kept_together(workspace: Workspace, tmp_path: Path) -> None:
    files = [tmp_path / "films" / name for name in ("items.csv", "pairs.csv")]
    assert keep(workspace, files, "two").items == 10
    assert workspace.data.find("two").source == "items.csv, pairs.csv"


def test_runs_and_labels_follow_a_new_name(workspace: Workspace) -> None:
    workspace.labels.add(label("space"), label(history=("m3", "m4")))
    rename(workspace, "films", "kino")
    assert [run.name for run in runs_on(workspace, "kino")] == ["r"]
    assert {said.request_id for said in workspace.labels.current(dataset="kino")} == {
        request_id("kino", "space"),
        request_id("kino", "", ["m3", "m4"]),
    }
    assert workspace.labels.current(dataset="films") == []


def test_data_that_a_run_needs_is_deleted_by_force_only(workspace: Workspace) -> None:
    with pytest.raises(DataError, match="is needed by the run r|is needed by runs: r"):
        delete(workspace, "films")
    delete(workspace, "films", force=True)
    with pytest.raises(DataError, match="no kept data set"):
        delete(workspace, "films")


def test_forgetting_a_person_reaches_labels_and_runs(workspace: Workspace) -> None:
    u1 = ("m3", "m4", "m1", "m10")
    workspace.labels.add(label(history=u1), label(history=("m4",)), label("space"))
    workspace.labels.undo("me")
    workspace.labels.redo("me")
    data, batches = str(workspace.data.folder("films")), BatchStore(workspace.root / BATCHES)
    asked = workspace.root / "asked.csv"
    asked.write_text(f"query,history,who\nspace,,u1\n,{'|'.join(u1)},u1\n", encoding="utf-8")
    theirs = batches.add(asked, workspace.dataset(data), data, "", 3, ".csv")
    asked.write_text("query\nspace\n", encoding="utf-8")
    others = batches.add(asked, workspace.dataset(data), data, "", 3, ".csv")
    assert "who" not in (theirs.folder / REQUESTS).read_text(), "what is not asked is not kept"
    (gone,) = forget(workspace, "u1")
    assert (gone.batches, batches.get(theirs.key), batches.get(others.key)) == (1, None, others)
    assert (gone.name, gone.rows, gone.runs) == ("films", 6, ("r",))
    assert gone.labels == 3, "the label, its undo and its redo"
    assert {said.history for said in workspace.labels.current()} == {("m4",), ()}
    mark = workspace.run("r").folder / FORGOTTEN
    assert gone.before in mark.read_text()
    assert gone.after == workspace.data.find("films").hash
    assert (workspace.run("r").forgotten, workspace.run("other").forgotten) == (True, False)
    with pytest.raises(DataError, match="Nobody of that id"):
        forget(workspace, "u1")
