"""The two exceptions to the log's only growing: a person is forgotten, a data set gets another name."""

from __future__ import annotations

import json
from collections.abc import Collection

import sqlalchemy as sa

from gpr.labels.label import request_id
from gpr.labels.schema import actions
from gpr.labels.store import LabelStore

_c = actions.c
_CHUNK = 500


def forget_requests(store: LabelStore, request_ids: Collection[str]) -> int:
    """Removes all that was ever said of these requests, with its undos; returns how many actions that were."""
    wanted, removed = sorted(request_ids), 0
    with store.database.writing() as connection:
        for start in range(0, len(wanted), _CHUNK):
            chosen = _c.request_id.in_(wanted[start : start + _CHUNK])
            ids = [row.id for row in connection.execute(sa.select(_c.id).where(chosen))]
            while ids:  # undos name what they take back, and redos name undos
                naming = sa.select(_c.id).where(sa.or_(_c.undoes.in_(ids), _c.redoes.in_(ids)), _c.id.not_in(ids))
                more = [row.id for row in connection.execute(naming)]
                if not more:
                    break
                ids += more
            if ids:
                removed += connection.execute(sa.delete(actions).where(_c.id.in_(ids))).rowcount
    return removed


def rename_dataset(store: LabelStore, old: str, new: str) -> int:
    """Labels follow a data set to its new name; returns how many."""
    with store.database.writing() as connection:
        rows = connection.execute(sa.select(_c.id, _c.query, _c.history).where(_c.dataset == old)).all()
        for row in rows:
            history = json.loads(row.history) if row.history else ()
            values = {"dataset": new, "request_id": request_id(new, row.query or "", history)}
            connection.execute(sa.update(actions).where(_c.id == row.id).values(**values))
    return len(rows)
