"""The labels' database: opened by a file's name or a URL, brought to the newest schema, its faults in words.

It knows no label. SQLite and PostgreSQL are tested; other databases of SQLAlchemy may work.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from gpr.errors import WorkspaceError
from gpr.files import disk_error

NEWEST = "0002"
"""The revision of the last migration."""
BUSY_SECONDS = 30
"""How long a process waits for another one's write."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = "SELECT pg_advisory_xact_lock(7236001)"
"""On PostgreSQL; the number is GPR's own."""
_RESTORE = "Move it away and start with a new one, or put a backup in its place."


class Database:
    """An open database. Threads may share it; several processes may open the same one.

    Args:
        url_or_path: the file of an SQLite database, made with its folder if it is not there; or an SQLAlchemy URL,
            such as `postgresql://user@host/labels`, or `sqlite://` for one in memory.

    Raises:
        WorkspaceError: from here and from `writing` and `reading`: it is damaged, read-only, full or out of reach.
    """

    def __init__(self, url_or_path: str | Path) -> None:
        asked = str(url_or_path)
        self.place = f"{asked.partition('://')[0]}://..." if "://" in asked else asked
        """Where it is, in words that can be shown: without a password."""
        try:
            url = _url(asked) if "://" in asked else _sqlite_url(Path(url_or_path))
            self.place = url.database or self.place if _is_sqlite(url) else url.render_as_string(hide_password=True)
            self._engine = sa.create_engine(url, **_engine_options(url))
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            # A ValueError comes from a URL that was cut in the wrong places; its words may be a piece of the password.
            said = "the URL cannot be read" if isinstance(error, ValueError) else error
            raise WorkspaceError(
                f"This is no database that GPR can open ({said}).",
                where=self.place,
                hint="Give a file name, or an SQLAlchemy URL whose driver is installed.",
            ) from error
        self._sqlite = _is_sqlite(url)
        if self._sqlite:
            sa.event.listen(self._engine, "connect", _set_up_sqlite)
        self._migrate()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for a transaction that only reads."""
        with self._faults(), self._engine.connect() as connection, connection.begin():
            if self._sqlite:
                connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection whose work is on the disk when the block ends, or not done at all.

        One process writes at a time, from the start of the block on: ids grow with time, and what was read holds.
        """
        with self._faults(), self._engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("BEGIN IMMEDIATE" if self._sqlite else _LOCK)
            yield connection

    def close(self) -> None:
        """Lets go of files and connections. A later call opens them again."""
        self._engine.dispose()

    def _migrate(self) -> None:
        """To the newest schema, in one transaction; processes that come at the same moment wait for one another."""
        with self.reading() as connection:
            if _revision(connection) == NEWEST:
                return
        with self.writing() as connection:
            found = _revision(connection)
            if found is not None and found > NEWEST:
                raise WorkspaceError(
                    "The database of labels is of a newer GPR.", where=self.place, hint="Update GPR to use it."
                )
            if found != NEWEST:
                _upgrade(connection)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _explained(error, self.place) from error
        except json.JSONDecodeError as error:
            raise WorkspaceError("The database of labels is damaged.", where=self.place, hint=_RESTORE) from error


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    return None if found is None else str(found)


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


def _explained(error: DBAPIError, place: str) -> WorkspaceError:
    told = error.orig.args[0] if error.orig and error.orig.args else error.orig
    said = str(told.get("M", told) if isinstance(told, dict) else told).partition("\n")[0].rstrip(".")
    low = said.lower()
    if "readonly" in low or "read-only" in low:
        return WorkspaceError("The database of labels is read-only.", where=place, hint="Choose a place to write to.")
    if "disk is full" in low or "disk full" in low:
        return WorkspaceError("The disk is full.", where=place, hint="Free some space; no label that was kept is lost.")
    if "disk i/o error" in low:  # what SQLite says when not even its shared memory fits
        hint = "Free some space and try again; no label that was kept is lost."
        return WorkspaceError("The disk is full, or it fails.", where=place, hint=hint)
    if "can't create a connection" in low:
        return WorkspaceError(
            "The server of the database does not answer.", where=place, hint="Check its address, and that it runs."
        )
    if "locked" in low:
        return WorkspaceError(
            f"Another process has been writing for {BUSY_SECONDS} seconds.", where=place, hint="Close it and try again."
        )
    if "not a database" in low or "malformed" in low or "no such column" in low:
        return WorkspaceError(f"The database of labels is damaged ({said}).", where=place, hint=_RESTORE)
    return WorkspaceError(
        f"The database of labels does not work ({said}).",
        where=place,
        hint="Check that it is there and may be written to.",
    )


def _url(asked: str) -> sa.URL:
    url = sa.make_url(asked)
    return url.set(drivername="postgresql+pg8000") if url.drivername in ("postgresql", "postgres") else url


def _is_sqlite(url: sa.URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _sqlite_url(path: Path) -> sa.URL:
    path = path.expanduser().absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, path) from error
    return sa.URL.create("sqlite", database=str(path))


def _engine_options(url: sa.URL) -> dict[str, Any]:
    if not _is_sqlite(url):
        return {"pool_pre_ping": True}
    shared: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
    if url.database in (None, "", ":memory:"):  # it lives in its one connection, which the threads take in turn
        shared |= {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
    return shared


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `reading` and `writing` say so, DDL's included
    # It fails when another process is at it, or the database is read-only; the first write tells the latter.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode=WAL")  # readers and the writer do not wait for one another
    connection.execute("PRAGMA synchronous=FULL")  # what is committed survives a power cut
