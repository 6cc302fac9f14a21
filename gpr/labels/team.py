"""What annotators share: guidelines, the reasons that are offered, how many judge the same, and who has what."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gpr.labels.database import Database
from gpr.labels.label import REASONS, now
from gpr.labels.schema import STANDS, actions, claims, settings

HELD = timedelta(hours=1)
"""A request that somebody took and gave no label for is free again after this."""
MAX_REASONS = 9
"""There are nine digits."""


class Team:
    """Settings and claims in the labels' database.

    Raises:
        WorkspaceError: from every method: the database does not work.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def guidelines(self) -> str:
        """Markdown; '' where the owner wrote none."""
        return str(self._get("guidelines", ""))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Offered after 'bad'."""
        return tuple(self._get("reasons", REASONS))

    @property
    def overlap(self) -> int:
        """How many annotators judge the same request; 0 is everybody."""
        return int(self._get("overlap", 0))

    def set_guidelines(self, text: str, owner: str) -> None:
        self._set("guidelines", text, owner)

    def set_reasons(self, reasons: list[str], owner: str) -> None:
        """Empty ones and repetitions are left out; the ones that GPR brings stand where none is left."""
        kept = list(dict.fromkeys(reason.replace(";", ",").strip() for reason in reasons if reason.strip()))
        self._set("reasons", kept[:MAX_REASONS] or REASONS, owner)

    def set_overlap(self, annotators: int, owner: str) -> None:
        self._set("overlap", max(0, annotators), owner)

    def claim(self, request_id: str, annotator: str, overlap: int) -> bool:
        """Takes a request for an annotator. False: as many others as are wanted have it already."""
        if overlap < 1:
            return True
        c, others = claims.c, actions.c
        judged = sa.exists().where(others.request_id == c.request_id, others.annotator == c.annotator, STANDS)
        fresh = (datetime.now(UTC) - HELD).isoformat(timespec="milliseconds")
        mine = sa.select(c.id).where(c.request_id == request_id, c.annotator == annotator)
        taken = sa.select(sa.func.count()).where(c.request_id == request_id, sa.or_(c.time > fresh, judged))
        with self._database.writing() as connection:
            if connection.execute(mine).first():
                return True
            if connection.execute(taken).scalar_one() >= overlap:
                return False
            connection.execute(sa.insert(claims).values(request_id=request_id, annotator=annotator, time=now()))
            return True

    def _get(self, name: str, default: Any) -> Any:
        latest = sa.select(settings.c.value).where(settings.c.name == name).order_by(settings.c.id.desc()).limit(1)
        with self._database.reading() as connection:
            value = connection.execute(latest).scalar_one_or_none()
            return default if value is None else json.loads(value)

    def _set(self, name: str, value: Any, owner: str) -> None:
        row = {"name": name, "value": json.dumps(value), "annotator": owner, "time": now()}
        with self._database.writing() as connection:
            connection.execute(sa.insert(settings).values(**row))
