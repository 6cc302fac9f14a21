"""The users table -> a line of text for each user, which becomes part of the request ('age 24, technician').

It does not know who interacted with what.
"""

from __future__ import annotations

import pandas as pd

from gpr.data.columns import Meaning, column_of
from gpr.data.dataset import Finding
from gpr.data.table import Table, fold_all

MANY_USERS = 100
"""From here on, an attribute that differs for most users (a name, an address) is taken for an identifier."""
MAX_VALUE_CHARS = 200


def describe_users(table: Table, meanings: dict[str, Meaning]) -> tuple[dict[str, str], list[Finding]]:
    """User id -> text, of the attributes that are filled.

    Numbers and codes of one or two characters bring the column's name ('age 24'), words stand alone ('technician').
    """
    id_name = column_of(meanings, "user_id")
    ids = fold_all(table.frame[id_name])
    message = "Rows without a user_id are set aside."
    findings = table.finding("hurts", "empty-user", message, ids.index[ids == ""], id_name, aside=True)
    again = ids.duplicated() & (ids != "")
    message = "A user_id that came before; its first row is kept."
    findings += table.finding("hurts", "duplicate-user", message, ids.index[again], id_name, aside=True)
    keep = (ids != "") & ~again
    texts: list[list[str]] = [[] for _ in range(int(keep.sum()))]
    for name, meaning in meanings.items():
        if meaning.role != "user attribute":
            continue
        values = fold_all(table.frame.loc[keep, name])
        if len(values) >= MANY_USERS and values[values != ""].nunique() > len(values) / 2:
            message = f"'{name}' differs for most users; it identifies them and is left out of the requests."
            findings.append(Finding("info", "identifying-attribute", message, table.file, None, name))
            continue
        for parts, text in zip(texts, phrases(name, values), strict=True):
            if text:
                parts.append(text)
    return dict(zip(ids[keep], (", ".join(parts) for parts in texts), strict=True)), findings


def phrases(name: str, values: pd.Series) -> list[str]:
    """(users,) each value as it is put in the text."""
    label = " ".join(name.replace("_", " ").split()).casefold()
    filled = values[values != ""]
    coded = bool(pd.to_numeric(filled, errors="coerce").notna().all()) or bool((filled.str.len() <= 2).all())
    return [(f"{label} {value}" if coded else value)[:MAX_VALUE_CHARS] if value else "" for value in values]
