from __future__ import annotations

from pathlib import Path

import pytest

from gpr.data.read import read
from gpr.errors import DataError, RunError
from gpr.ui.context import Active, Context, make_context, same_data
from gpr.ui.uploads import free_name, plain_name, suggest_name
from tests.ui.fake import FakeJobs, FakeRun, FakeWorkspace


def make(workspace: FakeWorkspace, **asked: str | None) -> Context:
    return make_context(workspace, FakeJobs(), **asked)  # type: ignore[arg-type]


def test_a_new_visitor_sees_the_newest_usable_run_of_the_data(workspace: FakeWorkspace) -> None:
    assert make(workspace).settle(None) == Active("movies", "")
    workspace.known = [FakeRun("m1", "movies"), FakeRun("m2", "movies"), FakeRun("m3", "movies", status="failed")]
    workspace.known += [FakeRun("n", "news")]
    assert make(workspace).settle(None) == Active("movies", "m2")
    assert make(workspace, data="news").settle(None) == Active("news", "n")
    assert make(workspace, run="m1").settle(None) == Active("movies", "m1")


def test_a_browser_gets_back_what_it_remembers_if_it_is_still_there(workspace: FakeWorkspace, data: str) -> None:
    context = make(workspace)
    workspace.known = [FakeRun("m", "movies")]
    kept = context.remember(Active("news", "m"))
    assert context.settle(kept) == Active("news", "m")
    assert make(workspace).settle(kept) == Active("news", "m"), "after a restart"
    workspace.known = []
    assert context.settle(kept) == Active("news", "")
    assert context.settle(kept | {"data": data}) == Active("movies", ""), "a path that was never offered"
    assert context.settle(["nonsense"]) == Active("movies", "")


def test_what_the_server_was_started_with_goes_before_what_a_browser_remembers(workspace: FakeWorkspace) -> None:
    kept = make(workspace).remember(Active("news"))
    assert make(workspace, data="funds").settle(kept) == Active("funds")


def test_a_start_with_what_is_not_there_is_refused(workspace: FakeWorkspace) -> None:
    with pytest.raises(RunError, match="no run named 'x'"):
        make(workspace, run="x")
    workspace.known = [FakeRun("f", "movies", status="failed")]
    with pytest.raises(RunError, match="The run 'f' failed."):
        make(workspace, run="f")
    with pytest.raises(DataError, match="is no sample, folder or file. Did you mean movies?"):
        make(workspace, data="movie")


def test_all_data_that_was_used_can_be_chosen(workspace: FakeWorkspace, data: str, tmp_path: Path) -> None:
    context = make(workspace)
    workspace.data.add("shop", read(Path(data)), source=data)
    (workspace.data.root / ".partial-shop").mkdir()
    (tmp_path / "empty.csv").touch()
    unreadable = FakeRun("d", str(tmp_path / "empty.csv"), status="failed")
    workspace.known = [FakeRun("a", data), FakeRun("b", "/gone"), FakeRun("c", "movies"), unreadable]
    found = {source.name: source.kind for source in context.sources()}
    assert found["movielens-100k"] == "download"
    assert {name for name, kind in found.items() if kind == "yours"} == {"shop", "tiny"}


def test_two_names_of_the_same_data(data: str) -> None:
    assert same_data(data, f"{data}/../tiny")
    assert same_data("movies", "movies")
    assert not same_data("movies", "./movies")


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["/tmp/x/My Shop (2).csv"], "My-Shop-2"),
        (["items.csv", "pairs.csv"], "my-data"),
        (["items.csv", "电影.parquet"], "电影"),
        ([".csv"], "csv"),
    ],
)
def test_names_for_uploads(files: list[str], name: str) -> None:
    assert suggest_name(files) == name


@pytest.mark.parametrize("text", ["../../etc", "/etc/passwd", "a\0b", "..", "x" * 500, "con:*?"])
def test_a_name_is_a_plain_folder(text: str, tmp_path: Path) -> None:
    name = plain_name(text)
    assert len(name) <= 40
    assert (tmp_path / (name or "x")).parent == tmp_path
    assert not set(name) & set("./\\\0:*?")


def test_uploads_are_kept_beside_one_another(workspace: FakeWorkspace, data: str) -> None:
    assert free_name("shop", workspace.data) == "shop"
    workspace.data.add("shop", read(Path(data)), source=data)
    assert free_name("shop", workspace.data) == "shop-2"
    assert free_name("movies", workspace.data) == "movies-2", "a sample has this name"
