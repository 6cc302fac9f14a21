"""Catalogues of any size, made of the words of real titles. It knows no model."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from gpr.data.dataset import Catalogue
from gpr.errors import DataError

_YEAR = re.compile(r" \(\d{4}\)$")


def recombined(titles: Sequence[str], size: int, seed: int) -> list[str]:
    """`size` distinct titles: the first word of one, further words of others, the length and the year of yet another.

    First words are drawn as often as they begin real titles, so shared beginnings stay as common as they were.

    Raises:
        DataError: the titles have too few words for so many.
    """
    rng = np.random.default_rng(seed)
    words = [_YEAR.sub("", title).split() for title in titles]
    firsts = [own[0] for own in words]
    further = [word for own in words for word in own[1:]]
    years = [match.group() for title in titles if (match := _YEAR.search(title))] or [""]
    found: dict[str, None] = {}
    while len(found) < size:
        before = len(found)
        lengths = [len(words[at]) for at in rng.integers(len(words), size=size)]
        drawn = iter(rng.integers(len(further), size=sum(lengths)).tolist())
        for length, first, year in zip(
            lengths, rng.integers(len(firsts), size=size), rng.integers(len(years), size=size), strict=True
        ):
            tail = [further[next(drawn)] for _ in range(length - 1)]
            found[" ".join([firsts[first], *tail]) + years[year]] = None
        if len(found) == before:
            raise DataError(
                f"{len(titles):,} titles cannot be recombined to {size:,} others.", hint="Take longer ones."
            )
    return list(found)[:size]


def catalogue_of(titles: Sequence[str]) -> Catalogue:
    """A catalogue of titles alone."""
    ids = tuple(str(number) for number in range(len(titles)))
    return Catalogue(ids, pd.DataFrame({"title": list(titles)}), {item_id: at for at, item_id in enumerate(ids)})
