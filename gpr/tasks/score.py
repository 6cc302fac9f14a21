"""`score`: whether an item is good for a request, learned from ratings or labels. It knows a data set with its bad
rows, and how a request and an item are put in words; no model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd

from gpr.data.catalogue import item_numbers
from gpr.data.columns import Meaning
from gpr.data.dataset import MAX_QUERY_CHARS, Catalogue, Dataset, Split
from gpr.data.split import split_at_random
from gpr.data.table import Table, fold_all
from gpr.data.text import attributes_text
from gpr.data.times import parse_numbers, parse_times
from gpr.data.verdicts import good_rows
from gpr.errors import DataError
from gpr.tasks.examples import Labelled

GOOD, BAD = "good", "bad"
BEFORE = 10
"""Items that were rated before and are part of a request."""
MOST: dict[Split, int] = {"train": 3_000, "valid": 300, "test": 2_000}
"""Examples of each split; of more a fixed sample is taken."""
LATEST = (0.8, 0.9)
"""Rated later than this share of all is for validation; later than the second for test."""


def score_text(
    catalogue: Catalogue, item: int, query: str = "", liked: Sequence[int] = (), disliked: Sequence[int] = ()
) -> str:
    """A request and an item in words; the item stands last."""
    titles = catalogue.titles
    parts = [query[: MAX_QUERY_CHARS // 2]]
    for words, numbers in (("Liked", liked), ("Disliked", disliked)):
        if numbers:
            parts.append(f"{words}: " + "; ".join(titles[number][:80] for number in numbers))
    asked = ". ".join(part for part in (titles[item], attributes_text(catalogue, item)) if part)
    before = ". ".join(part for part in parts if part)[: MAX_QUERY_CHARS - 400]
    return f"{before}. Now: {asked[:380]}" if before else f"Now: {asked[:380]}"


def judged_pairs(dataset: Dataset, seed: int) -> list[Labelled]:
    """Examples from ratings (above the middle of the scale is good) or labels, of users in the order of time or of
    queries.

    Raises:
        DataError: nothing says what is good and what is bad.
    """
    for file, table in dataset.tables.items():
        columns = {role: name for name, role in dataset.mapping.get(file, {}).items()}
        if dataset.parts.get(file) in ("items", "users") or not {"rating", "label"} & set(columns):
            continue
        meanings = {name: Meaning(role, "") for name, role in dataset.mapping[file].items()}  # type: ignore[arg-type]
        good = _verdicts(table, columns, meanings, dataset.choices.good_from)
        items, _ = item_numbers(dataset.catalogue, table, meanings)
        kept = (items >= 0) & np.isfinite(good)
        if "user_id" in columns and "query" not in columns:
            return _of_users(dataset.catalogue, table, columns, items, good, kept, seed)
        if "query" in columns:
            return _of_queries(dataset.catalogue, table, columns, items, good, kept, seed)
    raise DataError(
        "Nothing here says which items were good for whom and which were bad.",
        where=dataset.name,
        hint="Bring ratings of users, or queries with items and a column 'label' of good and bad.",
    )


def _verdicts(
    table: Table, columns: dict[str, str], meanings: dict[str, Meaning], good_from: float | None
) -> np.ndarray:
    """(rows,) 1 good, 0 bad, NaN unknown."""
    if "label" in columns:
        labelled, findings = good_rows(table, meanings)
        odd = [row for finding in findings if finding.code == "odd-label" for row in finding.rows.tolist()]  # type: ignore[union-attr]
        return np.where(table.frame.index.isin(odd), np.nan, labelled.astype(float))
    values = parse_numbers(table.frame[columns["rating"]])
    middle = (values.min() + values.max()) / 2
    good = values > middle if good_from is None else values >= good_from
    return np.where(values.isna(), np.nan, good.astype(float))


def _of_users(
    catalogue: Catalogue,
    table: Table,
    columns: dict[str, str],
    items: np.ndarray,
    good: np.ndarray,
    kept: np.ndarray,
    seed: int,
) -> list[Labelled]:
    """What each user rated, after the BEFORE items rated before. Split by time, for all users alike."""
    times = np.zeros(len(items))
    if "timestamp" in columns:
        times = np.asarray(parse_times(table.frame[columns["timestamp"]]).order, float)
    users = fold_all(table.frame[columns["user_id"]])
    frame = pd.DataFrame({"user": users.to_numpy(), "item": items, "good": good, "time": times})[kept]
    frame = frame.sort_values("time", kind="stable").reset_index(drop=True)
    rng = np.random.default_rng(seed)
    places = rng.permutation(len(frame))
    cuts = [int(share * len(frame)) for share in LATEST]
    wanted: dict[int, Split] = {}
    for split, (low, high) in zip(MOST, ((0, cuts[0]), (cuts[0], cuts[1]), (cuts[1], len(frame))), strict=True):
        some = places[(low <= places) & (places < high)][: MOST[split]]
        wanted |= dict.fromkeys(some.tolist(), split)
    before: dict[str, list[tuple[int, bool]]] = defaultdict(list)
    found = []
    for place, user, item, liked in zip(frame.index, frame["user"], frame["item"], frame["good"] == 1, strict=True):
        if place in wanted and before[user]:
            last = before[user][-BEFORE:]
            sides = [[number for number, side in last if side == which] for which in (True, False)]
            found.append(Labelled(score_text(catalogue, item, "", *sides), GOOD if liked else BAD, wanted[place]))
        before[user].append((int(item), bool(liked)))
    return found


def _of_queries(
    catalogue: Catalogue,
    table: Table,
    columns: dict[str, str],
    items: np.ndarray,
    good: np.ndarray,
    kept: np.ndarray,
    seed: int,
) -> list[Labelled]:
    """Queries with items that were labelled; a query is on one side only."""
    queries = table.frame[columns["query"]].to_numpy()[kept].tolist()
    rows = zip(queries, items[kept], good[kept], split_at_random(queries, seed), strict=True)
    return [
        Labelled(score_text(catalogue, int(item), query), GOOD if verdict else BAD, split)
        for query, item, verdict, split in rows
    ]
