from __future__ import annotations

import math
import multiprocessing
import sqlite3
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from gpr.errors import WorkspaceError
from gpr.labels import database
from gpr.labels.schema import metadata
from gpr.labels.store import LabelStore
from tests.labels.old import OLD


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "labels.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(OLD)
    connection.close()
    return path


def test_an_old_database_is_upgraded_and_loses_nothing(old: Path) -> None:
    store = LabelStore(old)
    [kept] = store.current()
    assert (kept.item_id, kept.verdict, kept.reason, kept.note) == ("8", "bad", "too long", "two hours")
    assert kept.history == ("3", "1")
    assert math.isnan(kept.probability)
    assert [label.item_id for label in store.undo("ada")] == ["8"]
    assert [label.item_id for label in store.redo("ada") + store.redo("ada")] == ["8"]
    store.close()


def test_processes_that_open_an_old_database_at_once_all_can(old: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(count, [old] * 2)) == [1] * 2


def count(place: str | Path) -> int:
    store = LabelStore(place)
    found = len(store.current())
    store.close()
    return found


def test_servers_are_set_up_by_one_of_many(new_database: str) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(count, [new_database] * 2)) == [0] * 2


def test_the_migrations_lead_to_the_schema(store: LabelStore) -> None:
    with store.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_revision_is_known() -> None:
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == database.NEWEST


def test_a_failed_upgrade_changes_nothing(old: Path) -> None:
    with sqlite3.connect(old) as connection:
        connection.execute("CREATE TABLE label_claims (id INTEGER)")
    connection.close()
    with pytest.raises(WorkspaceError, match="already exists"):
        LabelStore(old)
    with sqlite3.connect(old) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(label_actions)")]
        connection.execute("DROP TABLE label_claims")
    connection.close()
    assert "batch" not in names
    assert count(old) == 1


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    count(tmp_path / "labels.db")
    with sqlite3.connect(tmp_path / "labels.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(WorkspaceError, match="of a newer GPR. Update GPR to use it."):
        LabelStore(tmp_path / "labels.db")
