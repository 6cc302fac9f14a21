"""Pages of the items, the examples and the rows set aside, found by words. Only one page leaves the server."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from gpr.data.account import account, set_aside
from gpr.data.dataset import SPLITS, Dataset, Example
from gpr.ui.language import say
from gpr.ui.press import button
from gpr.ui.tables import SPLIT_WORDS, table

PAGE = 8
"""Rows of a page."""


def preview(dataset: Dataset, part: str = "items", page: int = 0, search: str = "") -> str:
    """One page."""
    sizes = {
        "items": len(dataset.catalogue),
        "examples": sum(map(len, dataset.examples.values())),
        "set aside": sum(row["set_aside"] for row in account(dataset).values()),
    }
    part = part if sizes.get(part) else "items"
    found = _found(dataset, part, " ".join(search.split()).casefold())
    total = sizes[part] if found is None else len(found)
    page = max(0, min(page, (total - 1) // PAGE))
    numbers = np.arange(total) if found is None else found
    places = numbers[page * PAGE :][:PAGE]
    shown = {"items": _items, "examples": _examples, "set aside": _set_aside}[part](dataset, places.tolist())
    switch = "".join(
        button(
            f"{say(name.capitalize())} <small>{size:,}</small>",
            "page",
            style="gpr-switch",
            on=name == part,
            part=name,
            page=0,
        )
        for name, size in sizes.items()
        if size
    )
    return (
        f'<div class="gpr-pager"><div class="gpr-switches">{switch}</div>'
        f'<div class="gpr-turns">{_turns(part, page, total)}</div></div>{shown if total else _nothing()}'
    )


def _nothing() -> str:
    return f'<p class="gpr-muted">{say("Nothing has these words.")}</p>'


def _turns(part: str, page: int, total: int) -> str:
    first, last = min(page * PAGE + 1, total), min((page + 1) * PAGE, total)
    turns = "".join(
        button(arrow, "page", label=words, part=part, page=target)
        for arrow, words, target in (("←", "Previous page", page - 1), ("→", "Next page", page + 1))
    )
    return f"<span>{say(f'{first:,} to {last:,} of {total:,}')}</span>{turns if total > PAGE else ''}"


def _found(dataset: Dataset, part: str, search: str) -> np.ndarray | None:
    """The places of the rows that have these words; None for all."""
    if not search:
        return None
    if part == "examples":
        titles = dataset.catalogue.titles
        fits = [
            search in example.request.query.casefold() or search in titles[example.item].casefold()
            for _, example in _all_examples(dataset)
        ]
        return np.flatnonzero(fits)
    frame = dataset.catalogue.table if part == "items" else set_aside(dataset)
    columns = [frame[name].astype("str") for name in frame.columns]
    if part == "items":
        columns.append(pd.Series(dataset.catalogue.item_ids, dtype="str"))
    hits = np.zeros(len(frame), dtype=bool)
    for column in columns:
        arrow = column.array.__arrow_array__()  # type: ignore[attr-defined]
        hits |= pc.match_substring(arrow, search, ignore_case=True).to_numpy(zero_copy_only=False)
    return np.flatnonzero(hits)


def _items(dataset: Dataset, places: list[int]) -> str:
    catalogue = dataset.catalogue
    shown = catalogue.table.iloc[places]
    ids = [catalogue.item_ids[place] for place in places]
    body = [(item_id, *row) for item_id, row in zip(ids, shown.itertuples(index=False), strict=True)]
    return table(("item_id", *map(str, shown.columns)), body, label="items")


def _all_examples(dataset: Dataset) -> list[tuple[str, Example]]:
    return [(split, example) for split in SPLITS for example in dataset.examples[split]]


def _examples(dataset: Dataset, places: list[int]) -> str:
    titles = dataset.catalogue.titles
    everything = _all_examples(dataset)
    pairs = [everything[place] for place in places]
    histories = any(example.request.history for _, example in pairs)
    users = any(example.request.user for _, example in pairs)
    body = []
    for split, example in pairs:
        chosen = [titles[number] for number in example.request.history]
        history = [say(f"{len(chosen)} items, last {chosen[-1]}") if chosen else ""] if histories else []
        user = [example.request.user] if users else []
        body.append((example.request.query, *history, *user, titles[example.item], SPLIT_WORDS[split]))
    head = ("query", *(["history"] if histories else []), *(["user"] if users else []), "item", "split")
    return table(head, body, label="examples")


def _set_aside(dataset: Dataset, places: list[int]) -> str:
    shown = set_aside(dataset).iloc[places].drop(columns="why")
    filled = [str(name) for name in shown.columns if name in ("file", "row", "reason") or (shown[name] != "").any()]
    return table(filled, shown[filled].to_numpy().tolist(), label="rows set aside")
