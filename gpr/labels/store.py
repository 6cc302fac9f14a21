"""The labels in their database: a log of actions that only grows, so that nothing is lost and everything can be taken
back, again and again, from any process.

A label stands unless an undo names it; the current labels are the latest standing ones of each (request, item,
annotator). It does not know how labels are queued, compared or exported.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gpr.labels.database import Database
from gpr.labels.label import Label, Preference, now
from gpr.labels.schema import STANDS, actions

Said = Label | Preference
_c = actions.c
_SAID = tuple(name for name in _c.keys() if name not in ("id", "undoes", "redoes", "batch"))  # noqa: SIM118
"""The columns that a redo repeats."""


class LabelStore:
    """All labels of a workspace. Threads may share one store; several processes may open the same database.

    Args:
        url_or_path: a file or an SQLAlchemy URL, see `Database`.

    Raises:
        WorkspaceError: from here and every method: the database is damaged, read-only, full or out of reach.
    """

    def __init__(self, url_or_path: str | Path) -> None:
        self.database = Database(url_or_path)

    @property
    def place(self) -> str:
        """Where the labels are, in words that can be shown."""
        return self.database.place

    def add(self, *said: Said, batch: str = "") -> list[int]:
        """Keeps what was said with one press; it is on the disk when this returns.

        Args:
            batch: of an earlier press that this belongs to, so that one undo takes back both.

        Returns:
            The ids of its actions, which grow with time.
        """
        if not said:
            return []
        batch = batch or _new_batch()
        with self.database.writing() as connection:
            rows = [_row(one) | {"batch": batch} for one in said]
            added = connection.execute(
                sa.insert(actions).returning(_c.id, sort_by_parameter_order=True), rows
            ).scalars()
            return [int(number) for number in added]

    def undo(self, annotator: str) -> list[Said]:
        """Takes back the annotator's latest standing press, and returns what it said; [] when there is none left."""
        mine = sa.and_(_c.annotator == _storable(annotator), STANDS)
        latest = sa.select(_c.id, _c.batch).where(mine).order_by(_c.id.desc()).limit(1)
        with self.database.writing() as connection:
            found = connection.execute(latest).one_or_none()
            if found is None:
                return []
            same = _c.batch == found.batch if found.batch else _c.id == found.id
            rows = connection.execute(sa.select(actions).where(mine, same).order_by(_c.id)).all()
            _take_back(connection, rows)
            return [_said(row) for row in rows]

    def redo(self, annotator: str) -> list[Said]:
        """Says again what the annotator took back last; [] when there is nothing, or something new was said since."""
        name = _storable(annotator)
        again = actions.alias("again")
        fresh = sa.select(sa.func.max(_c.id)).where(_c.annotator == name, _c.undoes.is_(None), _c.redoes.is_(None))
        open_undo = sa.and_(
            _c.annotator == name,
            _c.undoes.is_not(None),
            _c.id > sa.func.coalesce(fresh.scalar_subquery(), 0),
            ~sa.exists().where(again.c.redoes == _c.id),
        )
        latest = sa.select(_c.id, _c.batch).where(open_undo).order_by(_c.id.desc()).limit(1)
        with self.database.writing() as connection:
            found = connection.execute(latest).one_or_none()
            if found is None:
                return []
            same = _c.batch == found.batch if found.batch else _c.id == found.id
            undos = connection.execute(sa.select(_c.id, _c.undoes).where(open_undo, same)).all()
            return _say_again(connection, {undo.undoes: undo.id for undo in undos})

    def take_back(self, request_id: str, item_id: str, annotator: str) -> None:
        """Takes back all that an annotator said of one recommendation, as one press."""
        key = (_c.request_id == request_id, _c.item_id == _storable(item_id), _c.annotator == _storable(annotator))
        with self.database.writing() as connection:
            rows = connection.execute(sa.select(actions).where(*key, STANDS, _c.kind == "label").order_by(_c.id)).all()
            _take_back(connection, rows)

    def current(
        self, *, dataset: str | None = None, run: str | None = None, annotator: str | None = None
    ) -> list[Label]:
        """The latest standing label for each (request_id, item_id, annotator), oldest first.

        With a filter, the latest among those that pass it: what was labelled again on another run counts for both runs.
        """
        return self._latest("label", (_c.request_id, _c.item_id, _c.annotator), dataset, run, annotator)

    def rulings(self, *, dataset: str | None = None) -> list[Label]:
        """The owner's word where annotators disagree: the latest standing ruling for each (request_id, item_id)."""
        return self._latest("ruling", (_c.request_id, _c.item_id), dataset)

    def preferences(self, *, dataset: str | None = None, annotator: str | None = None) -> list[Preference]:
        """The latest standing preference for each (request_id, pair of runs, annotator), oldest first."""
        ordered = sa.case((_c.run < _c.against, _c.run + "\n" + _c.against), else_=_c.against + "\n" + _c.run)
        return self._latest("preference", (_c.request_id, ordered, _c.annotator), dataset, annotator=annotator)

    def stats(
        self, *, dataset: str | None = None, run: str | None = None, annotator: str | None = None
    ) -> dict[str, Any]:
        """Counts of the current labels: `total`, and by value `by_verdict`, `by_annotator` and `by_run`."""
        counted = {"by_verdict": "verdict", "by_annotator": "annotator", "by_run": "run"}
        labels = self.current(dataset=dataset, run=run, annotator=annotator)
        counts = {name: dict(Counter(getattr(label, value) for label in labels)) for name, value in counted.items()}
        return {"total": len(labels)} | counts

    def close(self) -> None:
        """Lets go of the database's files and connections. A later call opens them again."""
        self.database.close()

    def _latest(
        self,
        kind: str,
        key: Sequence[sa.ColumnElement[Any]],
        dataset: str | None = None,
        run: str | None = None,
        annotator: str | None = None,
    ) -> list[Any]:
        wanted = [(_c.dataset, dataset), (_c.run, run), (_c.annotator, annotator)]
        filters = [column == _storable(value) for column, value in wanted if value is not None]
        chosen = sa.select(sa.func.max(_c.id)).where(STANDS, _c.kind == kind, *filters).group_by(*key)
        with self.database.reading() as connection:
            rows = connection.execute(sa.select(actions).where(_c.id.in_(chosen)).order_by(_c.id))
            return [_said(row) for row in rows]


def _take_back(connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> None:
    if rows:
        shared = {"time": now(), "batch": _new_batch()}
        undos = [{"undoes": row.id, "annotator": row.annotator} | shared for row in rows]
        connection.execute(sa.insert(actions), undos)


def _say_again(connection: sa.Connection, undo_of: dict[int, int]) -> list[Said]:
    """Args: undo_of: id of what was taken back -> id of its undo."""
    rows = connection.execute(sa.select(actions).where(_c.id.in_(undo_of)).order_by(_c.id)).all()
    batch = _new_batch()
    copies = [
        {name: row._mapping[name] for name in _SAID} | {"redoes": undo_of[row.id], "batch": batch} for row in rows
    ]
    connection.execute(sa.insert(actions), copies)
    return [_said(row) for row in rows]


def _new_batch() -> str:
    return secrets.token_hex(8)


def _row(said: Said) -> dict[str, Any]:
    values = {name: _storable(value) if isinstance(value, str) else value for name, value in vars(said).items()}
    values["history"] = json.dumps(said.history)
    if isinstance(said, Label):
        return values | {"scores": json.dumps(said.scores)}
    del values["winner"], values["loser"], values["tie"]
    verdict = "skip" if said.tie else "good"
    return values | {"kind": "preference", "run": said.winner, "against": said.loser, "verdict": verdict}


def _said(row: sa.Row[Any]) -> Said:
    values = {name: row._mapping[name] for name in _SAID}
    values["history"] = tuple(json.loads(values["history"]))
    if values["kind"] == "preference":
        runs = {"winner": values["run"], "loser": values["against"], "tie": values["verdict"] == "skip"}
        return Preference(**{name: values[name] for name in Preference.STORED} | runs)
    for name in ("probability", "log_prob"):  # SQLite keeps NaN as NULL
        values[name] = float("nan") if values[name] is None else values[name]
    del values["against"]
    return Label(**values | {"scores": json.loads(values["scores"])})


def _storable(text: str) -> str:
    """Without what databases refuse: NUL characters and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
