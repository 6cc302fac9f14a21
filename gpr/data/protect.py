"""People out of tables before anything is stored: user ids become keyed hashes, personal data in texts is masked.

It does not know where tables are stored.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from gpr.data.choices import Choices
from gpr.data.clean import TEXTS, on_personal
from gpr.data.columns import chosen_columns
from gpr.data.finding import Finding
from gpr.data.personal import mask_all
from gpr.data.pseudonyms import Pseudonyms, user_columns
from gpr.data.synonyms import Role
from gpr.data.table import Part, Table

_STORED: tuple[Role, ...] = (*TEXTS, "ignore")
"""What is not used is stored too."""


def protect(
    part: Part, table: Table, choices: Choices, pseudonyms: Pseudonyms, hashed: Collection[str] = ()
) -> tuple[Table, tuple[str, ...]]:
    """The table as it may be stored, and the columns whose values are keyed hashes by now.

    Args:
        hashed: those that were before.
    """
    users = user_columns(table, part, dict(choices.roles.get(table.file, {})))
    new = [column for column in users if column not in hashed]
    table = pseudonyms.hide(table, new)
    hashed = (*hashed, *new)
    return (_masked(part, table, choices, pseudonyms, hashed) if choices.personal == "mask" else table), hashed


def _masked(part: Part, table: Table, choices: Choices, pseudonyms: Pseudonyms, hashed: Collection[str]) -> Table:
    frame = table.frame.copy(deep=False)
    findings: list[Finding] = []
    for name, meaning in chosen_columns(table, part, choices.roles.get(table.file)).items():
        if name in hashed or meaning.role not in _STORED:
            continue
        values, kinds, rows = mask_all(frame[name], pseudonyms.of)
        if rows.any():
            frame[name] = values
            findings += on_personal(table, kinds, rows, name, choices)
    return replace(table, frame=frame, findings=(*table.findings, *findings)) if findings else table
