"""What can be picked instead of typed: example queries, recent ones, a history. It knows no widget."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from gpr.data.dataset import Dataset
from gpr.ui.language import say
from gpr.ui.messages import plural
from gpr.ui.press import button

MANY_ITEMS = 2_000
"""In a larger catalogue the history picker asks the server as one types."""
FOUND = 50
"""Titles that it then offers."""
EXAMPLES = 5
MAX_RECENT = 20
"""Queries that the browser keeps, of all data."""
RECENT = 4
"""Queries of earlier that are offered."""
USERS, LATEST = 40, 20
"""Users of the data that are offered, and how much of a history is taken over."""


def titles_offered(dataset: Dataset, chosen: Sequence[int] = ()) -> list[tuple[str, int]]:
    """Titles with their item numbers, for the history picker at first."""
    titles = dataset.catalogue.titles
    numbers = range(len(titles) if len(titles) <= MANY_ITEMS else FOUND)
    return [(titles[number], number) for number in dict.fromkeys([*numbers, *chosen])]


def titles_matching(dataset: Dataset, text: str, chosen: Sequence[int]) -> list[tuple[str, int]]:
    """The titles that hold a text, and those that are chosen."""
    folded, titles = text.casefold(), dataset.catalogue.titles
    hits = [number for number, title in enumerate(titles) if folded in title.casefold()][:FOUND]
    return [(titles[number], number) for number in dict.fromkeys([*hits, *chosen])]


def users_offered(dataset: Dataset) -> list[tuple[str, int]]:
    """Users of the data by what is known of them, with the number of their history."""
    step = max(1, len(dataset.sequences) // USERS)
    titles = dataset.catalogue.titles
    return [
        (" · ".join([one.user or plural(len(one.items), "item"), titles[one.items[-1]][:60]]), number)
        for number, one in list(enumerate(dataset.sequences))[::step][:USERS]
        if one.items
    ]


def history_of(dataset: Dataset, user: int) -> list[int]:
    """The latest items of a user that was offered."""
    return list(dict.fromkeys(dataset.sequences[user].items[-LATEST:]))


def examples(dataset: Dataset, recent: Sequence[str]) -> str:
    """Queries to try, and those that were typed before, as HTML."""
    lines = [("Try", _queries(dataset)), ("Asked before", list(recent)[:RECENT])]
    return "".join(
        f'<div class="gpr-examples"><span>{escape(say(words))}</span>{"".join(map(_chip, queries))}</div>'
        for words, queries in lines
        if queries
    )


def _chip(query: str) -> str:
    return button(escape(query), "example", style="gpr-chip", query=query)


def _queries(dataset: Dataset) -> list[str]:
    """Queries of the data's own validation and test part, which no run was trained on."""
    queries = [example.request.query for split in ("valid", "test") for example in dataset.examples[split]]
    queries = [query for query in dict.fromkeys(queries) if 0 < len(query) <= 60]
    if not queries:
        categories = dict.fromkeys(dataset.catalogue.table.get("category", ()))
        queries = [say(f"something about {category}") for category in categories if category and len(category) <= 40]
        titles = [title for title in dataset.catalogue.titles if len(title) <= 40]
        queries = queries or [say(f"something like {title}") for title in titles]
    step = max(1, len(queries) // EXAMPLES)
    return queries[::step][:EXAMPLES]


def asked_before(recent: object, data: str) -> list[str]:
    """The queries that were asked of this data before, the latest first."""
    pairs = recent if isinstance(recent, list) else []
    return [str(pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2 and pair[0] == data]


def remembered(recent: object, data: str, query: str) -> list[list[str]]:
    """The pairs of data and query that the browser keeps, with one more."""
    pairs = [pair for pair in recent if isinstance(pair, list)] if isinstance(recent, list) else []
    new = [data, " ".join((query or "").split())[:200]]
    return ([new] if new[1] else []) + [pair for pair in pairs if pair != new][: MAX_RECENT - 1]
