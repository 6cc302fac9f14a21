"""The labels' database: a log of actions that only grows, so that nothing is lost and everything can be taken back.

An action is a label or an undo of one label. A label stands unless an undo names it; the current labels are the latest
standing ones of each (request, item, annotator). Works on SQLite and on any other database that SQLAlchemy reaches.
It does not know how labels are queued, compared or exported.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, ProgrammingError
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateIndex, CreateTable

from gpr.errors import WorkspaceError
from gpr.files import disk_error
from gpr.labels.label import Label, now

BUSY_SECONDS = 30
"""How long a process waits for another one's write."""

_actions = sa.Table(
    "label_actions",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("undoes", sa.Integer, unique=True, nullable=True),
    sa.Column("time", sa.Text, nullable=False),
    sa.Column("annotator", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text),
    sa.Column("request_id", sa.Text),
    sa.Column("query", sa.Text),
    sa.Column("history", sa.Text),  # JSON
    sa.Column("item_id", sa.Text),
    sa.Column("title", sa.Text),
    sa.Column("run", sa.Text),
    sa.Column("probability", sa.Double),
    sa.Column("log_prob", sa.Double),
    sa.Column("rank", sa.Integer),
    sa.Column("scores", sa.Text),  # JSON
    sa.Column("verdict", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("note", sa.Text),
    sqlite_autoincrement=True,
)
"""One row an action. A label fills all columns but `undoes`; an undo has an id there, its time and annotator."""
_INDEXES = (
    sa.Index("label_actions_key", _actions.c.request_id, _actions.c.item_id, _actions.c.annotator),
    sa.Index("label_actions_annotator", _actions.c.annotator),
)
_undone = _actions.alias("undone")
_STANDS = sa.and_(_actions.c.undoes.is_(None), ~sa.exists().where(_undone.c.undoes == _actions.c.id))


class LabelStore:
    """All labels of a workspace. Threads may share one store; several processes may open the same database.

    Args:
        url_or_path: the file of an SQLite database, made with its folder if it is not there; or an SQLAlchemy URL,
            such as `postgresql+psycopg://user@host/labels`, or `sqlite://` for one in memory.

    Raises:
        WorkspaceError: from here and every method: the database is damaged, read-only, full or out of reach.
    """

    def __init__(self, url_or_path: str | Path) -> None:
        asked = str(url_or_path)
        self.place = f"{asked.partition('://')[0]}://..." if "://" in asked else asked
        """Where the labels are, in words that can be shown: without a password."""
        try:
            url = sa.make_url(asked) if "://" in asked else _sqlite_url(Path(url_or_path))
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
        if _is_sqlite(url):
            sa.event.listen(self._engine, "connect", _set_up_sqlite)
        with self._faults():
            try:
                self._create()
            except (IntegrityError, ProgrammingError):  # PostgreSQL, when another process does so at the same moment
                self._create()

    def _create(self) -> None:
        with self._engine.begin() as connection:
            connection.execute(CreateTable(_actions, if_not_exists=True))
            for index in _INDEXES:
                connection.execute(CreateIndex(index, if_not_exists=True))

    def add(self, label: Label) -> int:
        """Keeps a label; it is on the disk when this returns. Returns its id, which grows with time."""
        with self._transaction() as connection:
            added = connection.execute(sa.insert(_actions).values(_row(label)).returning(_actions.c.id))
            return int(added.scalar_one())

    def undo(self, annotator: str) -> Label | None:
        """Takes back the annotator's latest standing label, and returns it. None: there is none left."""
        latest = (
            sa.select(_actions.c.id, sa.literal(now()), _actions.c.annotator)
            .where(_actions.c.annotator == _storable(annotator), _STANDS)
            .order_by(_actions.c.id.desc())
            .limit(1)
        )
        undo = sa.insert(_actions).from_select(["undoes", "time", "annotator"], latest).returning(_actions.c.undoes)
        while True:
            try:
                with self._transaction() as connection:
                    undone = connection.execute(undo).scalar_one_or_none()
                    if undone is None:
                        return None
                    row = connection.execute(sa.select(_actions).where(_actions.c.id == undone)).one()
                    return _label(row)
            except IntegrityError:  # the same annotator, in another window, took the same label back just now
                continue

    def current(
        self, *, dataset: str | None = None, run: str | None = None, annotator: str | None = None
    ) -> list[Label]:
        """The latest standing label for each (request_id, item_id, annotator), oldest first.

        With a filter, the latest among those that pass it: what was labelled again on another run counts for both runs.
        """
        chosen = _current(dataset, run, annotator)
        with self._transaction() as connection:
            rows = connection.execute(sa.select(_actions).where(_actions.c.id.in_(chosen)).order_by(_actions.c.id))
            return [_label(row) for row in rows]

    def stats(
        self, *, dataset: str | None = None, run: str | None = None, annotator: str | None = None
    ) -> dict[str, Any]:
        """Counts of the current labels: `total`, and by value `by_verdict`, `by_annotator` and `by_run`."""
        columns = (_actions.c.verdict, _actions.c.annotator, _actions.c.run)
        chosen = _actions.c.id.in_(_current(dataset, run, annotator))
        with self._transaction() as connection:
            rows = connection.execute(sa.select(*columns, sa.func.count()).where(chosen).group_by(*columns)).all()
        counts: dict[str, Counter[str]] = {"by_verdict": Counter(), "by_annotator": Counter(), "by_run": Counter()}
        for *values, count in rows:
            for counter, value in zip(counts.values(), values, strict=True):
                counter[value] += count
        return {"total": sum(row[-1] for row in rows)} | {name: dict(counter) for name, counter in counts.items()}

    def close(self) -> None:
        """Lets go of the database's files and connections. A later call opens them again."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """A connection whose work is committed at the end."""
        with self._faults(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """The database's faults in words for the user; a broken constraint is for the caller."""
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise _explained(error, self.place) from error
        except json.JSONDecodeError as error:
            raise WorkspaceError("The database of labels is damaged.", where=self.place, hint=_RESTORE) from error


_RESTORE = "Move it away and start with a new one, or put a backup in its place."


def _explained(error: DBAPIError, place: str) -> WorkspaceError:
    said = str(error.orig).partition("\n")[0].rstrip(".")
    low = said.lower()
    if "readonly" in low or "read-only" in low:
        return WorkspaceError("The database of labels is read-only.", where=place, hint="Choose a place to write to.")
    if "disk is full" in low or "disk full" in low:
        return WorkspaceError("The disk is full.", where=place, hint="Free some space; no label that was kept is lost.")
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


def _current(dataset: str | None, run: str | None, annotator: str | None) -> sa.Select[Any]:
    """The ids of the current labels among those that pass the filters."""
    c = _actions.c
    wanted = [(c.dataset, dataset), (c.run, run), (c.annotator, annotator)]
    filters = [column == _storable(value) for column, value in wanted if value is not None]
    return sa.select(sa.func.max(c.id)).where(_STANDS, *filters).group_by(c.request_id, c.item_id, c.annotator)


def _row(label: Label) -> dict[str, Any]:
    values = {name: _storable(value) if isinstance(value, str) else value for name, value in vars(label).items()}
    return values | {"history": json.dumps(label.history), "scores": json.dumps(label.scores)}


def _label(row: sa.Row[Any]) -> Label:
    values = dict(row._mapping)
    del values["id"], values["undoes"]
    for name in ("probability", "log_prob"):  # SQLite keeps NaN as NULL
        values[name] = float("nan") if values[name] is None else values[name]
    return Label(**values | {"history": tuple(json.loads(values["history"])), "scores": json.loads(values["scores"])})


def _storable(text: str) -> str:
    """Without what databases refuse: NUL characters and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


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
    # It fails when another process is at it, or the database is read-only; the first write tells the latter.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode=WAL")  # readers and the writer do not wait for one another
    connection.execute("PRAGMA synchronous=FULL")  # what is committed survives a power cut
