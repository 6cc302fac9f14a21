"""What a column means by its values, where its name says nothing or says the wrong thing.

It looks at a sample of the values; it does not change them.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

from gpr.data.synonyms import SYNONYMS, Role, normalise
from gpr.data.table import Part, Table

SAMPLE = 1_000
_IMAGE = re.compile(r"https?://\S+\.(?:jpe?g|png|gif|webp|avif)(?:\?\S*)?", re.IGNORECASE)
_DATE = re.compile(r"\d{4}[-/年]\d{1,2}[-/月]\d{1,2}.*")
_EPOCH = re.compile(r"(?:[89]\d{8}|1\d{9}|2[01]\d{8})(?:\d{3})?(?:\.\d+)?")
"""Seconds or milliseconds of the years 1995 to 2039."""
LONG_TEXT_CHARS = 120
MOST = 0.8
MAX_CLASSES = 300
_REVIEW_TEXTS = {"reviewtext", "review", "reviewbody", "text", "评论", "评论内容"}


def filled(values: pd.Series) -> list[str]:
    """The first filled values."""
    return [value for value in values.iloc[: 10 * SAMPLE] if value.strip()][:SAMPLE]


def share(values: Collection[str], pattern: re.Pattern[str]) -> float:
    """Of the values that fit in full."""
    return sum(pattern.fullmatch(value.strip()) is not None for value in values) / max(1, len(values))


def is_text(values: pd.Series) -> bool:
    """Whether most of the first filled values hold a letter."""
    found = filled(values)
    lettered = sum(any(char.isalpha() for char in value) for value in found)
    return bool(found) and lettered > len(found) / 2


def is_review(table: Table) -> bool:
    """Whether rows are reviews: a text with a rating, of a user or an item. Their `title` is not the item's."""
    known = {normalise(name) for name in table.frame.columns}
    if not known & set(SYNONYMS["rating"]):
        return False
    who_and_what = known & set(SYNONYMS["user_id"]) and known & set(SYNONYMS["item_id"])
    return "reviewtext" in known or bool(known & _REVIEW_TEXTS and who_and_what)


def review_text(table: Table) -> str:
    """The column with the text of a review."""
    names = {normalise(name): name for name in table.frame.columns}
    return next(names[name] for name in names if name in _REVIEW_TEXTS)


def finest_classes(table: Table, names: Collection[str]) -> str:
    """Of these columns the one with the most values that are still few and of letters; '' if there is none."""
    best, most = "", 1
    for name in names:
        values = table.frame[name]
        distinct = values[values != ""].nunique()
        if most < distinct <= min(MAX_CLASSES, len(values) / 5) and is_text(values):
            best, most = name, distinct
    return best


def follows(table: Table, name: str, other: str) -> bool:
    """Whether a column says nothing that another one does not say: most of the other's values have one value here."""
    counts = table.frame.groupby(other, sort=False)[name].nunique()
    return bool((counts <= 1).mean() > MOST)


def by_values(table: Table, part: Part, names: Collection[str], taken: Collection[Role]) -> dict[str, tuple[Role, str]]:
    """Column -> role and reason, for those of the columns `names` whose values say it.

    Args:
        taken: roles that other columns have by their names.
    """
    found: dict[str, tuple[Role, str]] = {}
    for name in names:
        roles = {*taken, *(role for role, _ in found.values())}
        guessed = _guess(filled(table.frame[name]), part, roles)
        if guessed:
            found[name] = guessed
    return found


def _guess(values: list[str], part: Part, taken: Collection[Role]) -> tuple[Role, str] | None:
    if not values:
        return None
    if part in ("items", "single"):
        if "image" not in taken and share(values, _IMAGE) > MOST:
            return "image", "the values are addresses of pictures"
        long = sum(len(value) for value in values) / len(values) > LONG_TEXT_CHARS
        if "description" not in taken and long and sum(" " in value for value in values) > MOST * len(values):
            return "description", "the values are long texts"
    if part in ("interactions", "single") and "timestamp" not in taken and "user_id" in taken:
        if share(values, _EPOCH) > MOST:
            return "timestamp", "the values are seconds or milliseconds since 1970"
        if share(values, _DATE) > MOST:
            return "timestamp", "the values are dates"
    return None


def names_items(table: Table, names: Collection[str], known: Collection[str]) -> str:
    """The column of which most values are ids or titles of the catalogue; '' if there is none."""
    for name in names:
        values = filled(table.frame[name])
        if values and sum(value.strip() in known for value in values) > MOST * len(values):
            return name
    return ""
