"""The items table -> Catalogue: one item for each distinct title, every id an alias.

It does not know pairs and interactions, only how their ids and titles are looked up.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import numpy as np
import pandas as pd

from gpr.data.columns import SYNONYMS, Meaning, Role, column_of, normalise
from gpr.data.dataset import Catalogue, Finding
from gpr.data.table import Table, fold_all, translate
from gpr.errors import DataError

LONG_TITLE_CHARS = 300
CLOSE_IDS = 20_000
"""How many ids a misspelt one is compared with; comparing is slow."""


def build_catalogue(
    table: Table, meanings: dict[str, Meaning], *, repeated: bool = False
) -> tuple[Catalogue, list[Finding]]:
    """The catalogue in the file's order.

    Args:
        repeated: the table has a row per pair or interaction, so that an item comes up many times and it is no fault.

    Raises:
        DataError: fewer than two different titles.
    """
    ids, findings = _item_ids(table, meanings)
    title_name, id_name = column_of(meanings, "title"), column_of(meanings, "item_id")
    if normalise(title_name) not in SYNONYMS["title"]:
        message = f"No column is named like a title; '{title_name}' is taken, as the only column of text."
        findings.append(Finding("info", "title-guessed", message, table.file, None, title_name))
    titles = fold_all(table.frame[title_name])
    keep = titles != ""
    message = "Rows without a title are set aside."
    findings += table.finding("hurts", "empty-title", message, titles.index[~keep], title_name)
    items = pd.DataFrame({"item_id": ids, "title": titles})[keep]
    if repeated:
        items = items.drop_duplicates(["item_id", "title"] if id_name else ["title"])
    again = items["item_id"].duplicated()
    message = "An item_id that came before; its first row is kept."
    findings += table.finding("hurts", "duplicate-item-id", message, items.index[again], id_name)
    items = items[~again]
    numbers, distinct = pd.factorize(items["title"])
    if len(distinct) < 2:
        raise DataError(
            f"The catalogue has {len(distinct)} item{'s' if len(distinct) != 1 else ''} with a title of its own.",
            where=table.file,
            hint="Recommending needs two or more.",
        )
    first = items[~items["title"].duplicated()]
    findings += _on_titles(table, items["title"], title_name)
    details = _details(table.frame.loc[first.index], meanings)
    details.insert(0, "title", first["title"])
    known = dict(zip(items["item_id"], numbers.tolist(), strict=True))
    return Catalogue(tuple(first["item_id"]), details.reset_index(drop=True), known), findings


def _on_titles(table: Table, titles: pd.Series, column: str) -> list[Finding]:
    shared = titles.duplicated()
    message = "Items with a title that came before are one item with the first; their ids are its aliases."
    findings = table.finding("info", "duplicate-title", message, titles.index[shared], column)
    long = titles.index[titles.str.len() > LONG_TITLE_CHARS]
    message = f"Titles of more than {LONG_TITLE_CHARS} characters make training and recommending slow."
    return findings + table.finding("hurts", "long-title", message, long, column)


def _item_ids(table: Table, meanings: dict[str, Meaning]) -> tuple[pd.Series, list[Finding]]:
    """(rows,) the id of each row, its row number where there is none."""
    rows = table.frame.index
    id_name = column_of(meanings, "item_id")
    if not id_name:
        message = "No column is an item_id; an item's id is the number of its row."
        note = Finding("info", "row-number-id", message, table.file)
        return pd.Series(rows.astype(str), index=rows, dtype="str"), [note]
    ids = fold_all(table.frame[id_name])
    empty = ids == ""
    message = "Items without an item_id are called 'row-' and the number of their row."
    findings = table.finding("hurts", "empty-item-id", message, rows[empty], id_name)
    return ids.mask(empty, pd.Series([f"row-{row}" for row in rows], index=rows, dtype="str")), findings


def _details(frame: pd.DataFrame, meanings: dict[str, Meaning]) -> pd.DataFrame:
    """(items, columns) the columns beside id and title, those with a role under its name, folded."""
    names: dict[str, str] = {}
    for name, meaning in meanings.items():
        if meaning.role in ("description", "category", "summary"):
            names[name] = meaning.role
        elif meaning.role == "other":
            names[name] = name
    for name in [name for name, meaning in meanings.items() if meaning.role == "other"]:
        if name == "title" or list(names.values()).count(name) > 1:
            names[name] = f"{name} (column)"
    return pd.DataFrame({new: fold_all(frame[name]) for name, new in names.items()}, index=frame.index)


def item_numbers(catalogue: Catalogue, table: Table, meanings: dict[str, Meaning]) -> np.ndarray:
    """(rows,) the item that each row names by its id, else by its exact title; -1 if there is none."""
    by_title = {title: number for number, title in enumerate(catalogue.titles)}
    numbers = np.full(len(table.frame), -1)
    lookups: tuple[tuple[Role, dict[str, int]], ...] = (("item_id", by_title | catalogue.numbers), ("title", by_title))
    for role, known in lookups:
        name = column_of(meanings, role)
        if name:
            numbers = np.where(numbers < 0, translate(fold_all(table.frame[name]), known, -1), numbers)
    return numbers


def unknown_items(
    catalogue: Catalogue, table: Table, meanings: dict[str, Meaning], rows: Iterable[int]
) -> list[Finding]:
    """The finding for rows whose item is not in the catalogue, with the id or title that is closest to the first."""
    places = list(rows)
    if not places:
        return []
    column = column_of(meanings, "item_id") or column_of(meanings, "title")
    name = str(table.frame.at[places[0], column])
    known = catalogue.item_ids if column_of(meanings, "item_id") else catalogue.titles
    close = difflib.get_close_matches(name, known[:CLOSE_IDS], n=1) if len(name) < LONG_TITLE_CHARS else []
    advice = f"the closest is '{close[0]}'" if close else f"known ones look like '{known[0]}'"
    message = f"Rows whose item is not in the catalogue are set aside; the first is '{name[:80]}', {advice}."
    return table.finding("hurts", "unknown-item", message, places, column)
