from __future__ import annotations

import math
import multiprocessing
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from gpr.errors import WorkspaceError
from gpr.labels.label import Label
from gpr.labels.store import LabelStore

MakeLabel = Callable[..., Label]


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LabelStore]:
    store = LabelStore("sqlite://" if request.param == "memory" else tmp_path / "new" / "labels.db")
    yield store
    store.close()


def test_a_label_comes_back_as_it_was(store: LabelStore, label: MakeLabel) -> None:
    given = label(query='=1+1, "盗梦"\n\'; DROP TABLE label_actions', note="ünïcode 🎬", reason="too long")
    assert store.current() == []
    assert store.add(given) == 1
    assert store.current() == [given]


def test_text_that_databases_refuse_is_kept_without_it(store: LabelStore, label: MakeLabel) -> None:
    store.add(label(note="a\0b\ud800c", annotator="ada\ud800"))
    (kept,) = store.current()
    assert (kept.note, kept.annotator) == ("ab?c", "ada?")
    assert store.undo("ada\ud800") == kept


def test_a_label_without_a_probability_is_kept(store: LabelStore, label: MakeLabel) -> None:
    store.add(label(probability=math.nan, log_prob=-math.inf))
    (kept,) = store.current()
    assert math.isnan(kept.probability)
    assert kept.log_prob == -math.inf


def test_a_label_is_on_the_disk_when_add_returns(tmp_path: Path, label: MakeLabel) -> None:
    writer, reader = LabelStore(tmp_path / "labels.db"), LabelStore(tmp_path / "labels.db")
    for number in range(3):
        writer.add(label(item_id=str(number)))
        assert len(reader.current()) == number + 1
    writer.close()
    reader.close()


def test_the_latest_label_of_a_recommendation_counts(store: LabelStore, label: MakeLabel) -> None:
    first = label()
    for verdict in ("good", "bad", "skip"):
        store.add(replace(first, verdict=verdict))
    store.add(replace(first, annotator="bob"))
    store.add(replace(first, item_id="8"))
    assert [(kept.item_id, kept.annotator, kept.verdict) for kept in store.current()] == [
        ("7", "ada", "skip"),
        ("7", "bob", "good"),
        ("8", "ada", "good"),
    ]


def test_undo_takes_back_one_label_after_the_other(store: LabelStore, label: MakeLabel) -> None:
    one, two, three = label(), label(verdict="bad"), label(item_id="8")
    for given in (one, two, replace(one, annotator="bob"), three):
        store.add(given)
    assert store.undo("ada") == three
    assert store.undo("ada") == two
    assert store.current() == [one, replace(one, annotator="bob")]
    store.add(two)
    assert store.undo("ada") == two
    assert store.undo("ada") == one
    assert store.undo("ada") is None
    assert store.undo("nobody") is None
    assert store.current() == [replace(one, annotator="bob")]


def test_filters_choose_before_the_latest_is_taken(store: LabelStore, label: MakeLabel) -> None:
    on_one, on_two = label(run="run-1"), label(run="run-2", verdict="bad")
    store.add(on_one)
    store.add(on_two)
    store.add(label(dataset="books", request_id="other", run="run-3"))
    assert store.current(run="run-1") == [on_one]
    assert store.current(dataset="films") == [on_two]
    assert store.current(dataset="films", run="run-3") == []
    assert store.current(annotator="bob") == []


def test_stats_count_the_current_labels(store: LabelStore, label: MakeLabel) -> None:
    assert store.stats() == {"total": 0, "by_verdict": {}, "by_annotator": {}, "by_run": {}}
    for given in (
        label(),
        label(verdict="bad"),
        label(item_id="8"),
        label(annotator="bob"),
        label(annotator="bob", item_id="9", run="run-2"),
    ):
        store.add(given)
    store.undo("bob")
    assert store.stats() == {
        "total": 3,
        "by_verdict": {"bad": 1, "good": 2},
        "by_annotator": {"ada": 2, "bob": 1},
        "by_run": {"run-1": 3},
    }
    assert store.stats(annotator="bob")["total"] == 1


def test_threads_share_a_store(store: LabelStore, label: MakeLabel) -> None:
    labels = [label(item_id=str(number)) for number in range(60)]
    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(store.add, labels)) == list(range(1, 61))
    assert store.stats()["total"] == 60
    with ThreadPoolExecutor(6) as pool:
        undone = list(pool.map(store.undo, ["ada"] * 50))
    assert len({gone.item_id for gone in undone if gone}) == 50
    assert store.stats()["total"] == 10


def write_labels(path: Path, labels: list[Label]) -> None:
    store = LabelStore(path)
    for given in labels:
        store.add(given)
    store.undo(labels[0].annotator)
    store.close()


def test_processes_lose_no_label(tmp_path: Path, label: MakeLabel) -> None:
    path = tmp_path / "labels.db"
    names = ["ada", "bob", "cy", "di"]
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        tasks = [
            pool.submit(write_labels, path, [label(annotator=name, item_id=str(item)) for item in range(25)])
            for name in names
        ]
        for task in tasks:
            task.result()
    store = LabelStore(path)
    assert store.stats()["by_annotator"] == dict.fromkeys(names, 24)
    store.close()


def refused(place: str | Path, given: Label) -> str:
    with pytest.raises(WorkspaceError) as caught:
        LabelStore(place).add(given)
    return str(caught.value)


def test_a_file_that_is_no_database_is_named(tmp_path: Path, label: MakeLabel) -> None:
    path = tmp_path / "labels.db"
    path.write_text("these are notes, and not a database at all; " * 100)
    message = refused(path, label())
    assert message.startswith(f"{path}: The database of labels is damaged (file is not a database).")


def test_a_damaged_database_is_named(tmp_path: Path, label: MakeLabel) -> None:
    path = tmp_path / "labels.db"
    store = LabelStore(path)
    for number in range(200):
        store.add(label(item_id=str(number), note="x" * 200))
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    assert "The database of labels is damaged" in refused(path, label())


def test_damaged_values_are_named(tmp_path: Path, label: MakeLabel) -> None:
    store = LabelStore(tmp_path / "labels.db")
    store.add(label())
    with sqlite3.connect(tmp_path / "labels.db") as connection:
        connection.execute("UPDATE label_actions SET history = '['")
    connection.close()
    with pytest.raises(WorkspaceError, match="The database of labels is damaged"):
        store.current()
    store.close()


def test_a_table_of_another_program_is_named(tmp_path: Path, label: MakeLabel) -> None:
    with sqlite3.connect(tmp_path / "labels.db") as connection:
        connection.execute("CREATE TABLE label_actions (id INTEGER)")
    connection.close()
    assert "The database of labels is damaged" in refused(tmp_path / "labels.db", label())


def test_a_read_only_database_can_be_read_but_refuses_labels(tmp_path: Path, label: MakeLabel) -> None:
    store = LabelStore(tmp_path / "labels.db")
    store.add(label())
    store.close()
    store = LabelStore(f"sqlite:///file:{tmp_path / 'labels.db'}?mode=ro&uri=true")
    assert store.stats()["total"] == 1
    with pytest.raises(WorkspaceError, match="The database of labels is read-only. Choose a place to write to."):
        store.add(label())
    store.close()


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, label: MakeLabel) -> None:
    store = LabelStore(tmp_path / "labels.db")
    store.add(label())
    with store._transaction() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(WorkspaceError, match="The disk is full"):
        store.add(label(note="x" * 100_000))
    assert store.stats()["total"] == 1
    store.close()


@pytest.mark.parametrize("url", ["nosuchthing://host/db", "sqlite+nosuchthing://", "postgresql+nosuchthing://h/d"])
def test_an_unknown_database_is_refused(url: str, label: MakeLabel) -> None:
    assert "This is no database that GPR can open" in refused(url, label())


@pytest.mark.parametrize("url", ["nosuchthing://user:hunter2@host/labels", "postgresql://user:hunter2/3@host/labels"])
def test_a_password_is_never_shown(url: str, label: MakeLabel) -> None:
    message = refused(url, label())
    assert "This is no database that GPR can open" in message
    assert "hunter2" not in message


def test_a_place_that_is_no_folder_is_named(tmp_path: Path, label: MakeLabel) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refused(tmp_path / "file" / "labels.db", label())
    assert "The database of labels does not work" in refused(tmp_path, label())
