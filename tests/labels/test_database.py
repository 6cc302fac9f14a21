from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gpr.errors import WorkspaceError
from gpr.labels.label import Label
from gpr.labels.store import LabelStore

MakeLabel = Callable[..., Label]


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
    with store.database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(WorkspaceError, match="The disk is full"):
        store.add(label(note="x" * 100_000))
    assert store.stats()["total"] == 1
    store.close()


@pytest.mark.parametrize("url", ["nosuchthing://host/db", "sqlite+nosuchthing://", "postgresql+nosuchthing://h/d"])
def test_an_unknown_database_is_refused(url: str, label: MakeLabel) -> None:
    assert "This is no database that GPR can open" in refused(url, label())


def test_a_password_is_never_shown(label: MakeLabel) -> None:
    message = refused("nosuchthing://user:hunter2@host/labels", label())
    assert "This is no database that GPR can open" in message
    assert "hunter2" not in message


def test_a_server_that_does_not_answer_is_named_without_its_password(label: MakeLabel) -> None:
    message = refused("postgresql://user:hunter2@127.0.0.1:1/labels", label())
    assert "user:***@127.0.0.1:1/labels: The server of the database does not answer." in message
    assert "hunter2" not in message


def test_a_place_that_is_no_folder_is_named(tmp_path: Path, label: MakeLabel) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refused(tmp_path / "file" / "labels.db", label())
    assert "The database of labels does not work" in refused(tmp_path, label())
