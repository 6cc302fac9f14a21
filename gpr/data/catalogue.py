"""The items table -> Catalogue: one item for each distinct title, every id an alias.

It does not know pairs and interactions, only how their ids and titles are looked up.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from gpr.data.columns import SYNONYMS, Meaning, column_of, normalise
from gpr.data.dataset import Catalogue, Finding
from gpr.data.table import Table, fold_all, translate
from gpr.errors import DataError

LONG_TITLE_CHARS = 300
_NUMBER = r"^\d{1,3}(?:,?\d{3})*(?:\.0+)?$|^\d+(?:\.0+)?$"
_NUMBER_ONLY = re.compile(_NUMBER)
_GROUPS = re.compile(r",(?=\d{3})")
CLOSE_IDS = 20_000
"""How many ids a misspelt one is compared with; comparing is slow."""


def _on_guess(table: Table, name: str, why: str) -> Finding:
    """A title column that no name says to be one; that of a single column may be a title itself."""
    if len(table.frame.columns) > 1:
        return Finding("info", "title-guessed", f"'{name}' is taken as the title: {why}.", table.file, None, name)
    message = f"The first line, '{name}', is read as the name of the column. Is it a title? Write 'title' above it."
    return Finding("hurts", "title-or-name", message, table.file, None, name)


def build_catalogue(
    table: Table, meanings: dict[str, Meaning], *, repeated: bool = False, apart: bool = False
) -> tuple[Catalogue, list[Finding]]:
    """The catalogue in the file's order.

    Args:
        repeated: the table has a row per pair or interaction, so that an item comes up many times and it is no fault.
        apart: items with equal titles are told apart by their id in the title; else they are one item.

    Raises:
        DataError: fewer than two different titles.
    """
    items, findings = _items(table, meanings, repeated=repeated)
    title_name = column_of(meanings, "title")
    if apart:
        items, found = _told_apart(table, items, title_name)
        findings += found
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


def _items(table: Table, meanings: dict[str, Meaning], *, repeated: bool) -> tuple[pd.DataFrame, list[Finding]]:
    """`item_id` and `title` of the rows that are items: each id once, and no title empty."""
    ids, findings = _item_ids(table, meanings)
    title_name, id_name = column_of(meanings, "title"), column_of(meanings, "item_id")
    why = meanings[title_name].reason
    if normalise(title_name) not in SYNONYMS["title"] and "you chose" not in why:
        findings.append(_on_guess(table, title_name, why))
    titles = fold_all(table.frame[title_name])
    keep = titles != ""
    message = "Rows without a title are set aside."
    empty: pd.Index = titles.index[~keep] if not repeated else pd.Index([])
    findings += table.finding("hurts", "empty-title", message, empty, title_name, aside=True)
    items = pd.DataFrame({"item_id": ids, "title": titles})[keep]
    if repeated:
        items = items.drop_duplicates(["item_id", "title"] if id_name else ["title"])
    again = items["item_id"].duplicated()
    message = "An item_id that came before; its first row is kept."
    findings += table.finding("hurts", "duplicate-item-id", message, items.index[again], id_name, aside=not repeated)
    return items[~again], findings


def _told_apart(table: Table, items: pd.DataFrame, column: str) -> tuple[pd.DataFrame, list[Finding]]:
    shared = items["title"].duplicated(keep=False)
    message = "Items with equal titles are told apart by their id behind the title, as you chose."
    findings = table.finding("info", "equal-titles", message, items.index[shared], column)
    titles = items["title"].where(~shared, items["title"] + " (" + items["item_id"] + ")")
    return items.assign(title=titles), findings


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
        if meaning.role in ("description", "category", "summary", "image"):
            names[name] = meaning.role
        elif meaning.role == "other":
            names[name] = name
    for name in [name for name, meaning in meanings.items() if meaning.role == "other"]:
        if name == "title" or list(names.values()).count(name) > 1:
            names[name] = f"{name} (column)"
    return pd.DataFrame({new: fold_all(frame[name]) for name, new in names.items()}, index=frame.index)


def item_numbers(catalogue: Catalogue, table: Table, meanings: dict[str, Meaning]) -> tuple[np.ndarray, list[Finding]]:
    """(rows,) the item that each row names by its id, else by its exact title; -1 if there is none.

    An id that is written as a number in another way ('12.0', '1,234') is the same id.
    """
    by_title = {title: number for number, title in enumerate(catalogue.titles)}
    numbers = np.full(len(table.frame), -1)
    findings: list[Finding] = []
    if name := column_of(meanings, "item_id"):
        ids = fold_all(table.frame[name])
        numbers = translate(ids, by_title | catalogue.numbers, -1)
        missed = numbers < 0
        if missed.any() and ids[missed].str.contains(_NUMBER).any():
            plain = {_plain_id(item_id): number for item_id, number in catalogue.numbers.items()}
            again = translate(pd.Series([_plain_id(text) for text in ids[missed]], dtype="str"), plain, -1)
            numbers[missed] = again
            rows = ids.index[missed][again >= 0]
            message = "Ids that are written as another number than in the catalogue ('12.0' for '12') are the same ids."
            findings += table.finding("info", "id-spelling", message, rows, name)
    if name := column_of(meanings, "title"):
        numbers = np.where(numbers < 0, translate(fold_all(table.frame[name]), by_title, -1), numbers)
    return numbers, findings


def _plain_id(text: str) -> str:
    """'12.0' and '1,234' as whole numbers are mostly written."""
    return _GROUPS.sub("", text.removesuffix(".0")) if _NUMBER_ONLY.match(text) else text


def unknown_items(
    catalogue: Catalogue, table: Table, meanings: dict[str, Meaning], rows: Iterable[int]
) -> list[Finding]:
    """The finding for rows whose item is not in the catalogue, with the id or title that is closest to the first."""
    places = list(rows)
    if not places:
        return []
    column = column_of(meanings, "item_id") or column_of(meanings, "title")
    named = (table.frame.loc[places, column].str.strip() != "").to_numpy(dtype=bool)
    message = "Rows that name no item are set aside."
    empty = table.finding("hurts", "empty-item", message, np.array(places)[~named], column, aside=True)
    places = np.array(places)[named].tolist()
    if not places:
        return empty
    name = str(table.frame.at[places[0], column])
    known = catalogue.item_ids if column_of(meanings, "item_id") else catalogue.titles
    close = difflib.get_close_matches(name, known[:CLOSE_IDS], n=1) if len(name) < LONG_TITLE_CHARS else []
    advice = f"the closest is '{close[0]}'" if close else f"known ones look like '{known[0]}'"
    message = f"Rows whose item is not in the catalogue are set aside; the first is '{name[:80]}', {advice}."
    return empty + table.finding("hurts", "unknown-item", message, places, column, aside=True)
