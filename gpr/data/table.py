"""A table as it was read: strings only, each row with its place in the file.

It knows rows and how to report them; it does not know formats (`delimited`, `records`) nor what a column means.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gpr.data.finding import Finding, Grade
from gpr.errors import DataError

Part = Literal["items", "pairs", "interactions", "users", "single"]
"""What a file holds; `single` is one file on its own: a catalogue, pairs with titles, or interactions with titles."""

MAX_COLUMNS = 1_000

_TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NOT_FOLDED = r"[^\x21-\x7e ]|  |^ | $"
"""Anything but printable ASCII with single spaces inside; for RE2, which reads millions of texts a second."""
_INVISIBLE = re.compile("[\u200b\ufeff]+")


@dataclass(frozen=True)
class Table:
    """The rows of one file."""

    file: str
    """The file's name, without its folder."""
    frame: pd.DataFrame
    """(rows kept, columns) all strings, '' = missing; the index is the 1-based row of data in the file."""
    rows: int
    """Rows in the file, those set aside included, blank ones not."""
    findings: tuple[Finding, ...] = ()
    unread: dict[int, str] = field(default_factory=dict)
    """Row -> its text, of rows that fit no column."""

    def finding(
        self, grade: Grade, code: str, message: str, rows: Iterable[int], column: str = "", *, aside: bool = False
    ) -> list[Finding]:
        """One finding for all `rows` (numbers of the file), which names the first of them; none if there is no row.

        Args:
            aside: these rows are set aside.
        """
        places = np.asarray(rows if isinstance(rows, (pd.Index, np.ndarray)) else list(rows), dtype=np.int64)
        if not len(places):
            return []
        return [Finding(grade, code, message, self.file, int(places[0]), column, len(places), aside, places)]


def column_names(header: Iterable[object], path: Path | str) -> list[str]:
    """Distinct names without surrounding space: a blank one becomes 'column 3', a second 'title' becomes 'title (2)'.

    Raises:
        DataError: more than `MAX_COLUMNS`.
    """
    names: list[str] = []
    taken: set[str] = set()
    for position, raw in enumerate(header, start=1):
        base = fold(str(raw)) or f"column {position}"
        name, copy = base, 1
        while name in taken:
            copy += 1
            name = f"{base} ({copy})"
        taken.add(name)
        names.append(name)
    if len(names) > MAX_COLUMNS:
        raise DataError(
            f"There are {len(names):,} columns; the limit is {MAX_COLUMNS:,}.",
            where=path.name if isinstance(path, Path) else path,
            hint="Keep the columns that describe an item.",
        )
    return names


def text_frame(columns: pa.Table, rows: np.ndarray) -> pd.DataFrame:
    """Columns of `large_string` without nulls as a frame of strings, without a copy. `rows` is its index."""
    frame: pd.DataFrame = columns.to_pandas(types_mapper=lambda _: _TEXT)
    frame.index = pd.Index(rows)
    return frame


def fold(text: str) -> str:
    """The text on one line: control characters are spaces, white space is folded, letters are composed (NFC)."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return " ".join(_CONTROL.sub(" ", text).split())


def fold_all(values: pd.Series) -> pd.Series:
    """`fold` on each value, computed once for each distinct one that is not as it should be already."""
    odd = pc.match_substring_regex(values.array.__arrow_array__(), _NOT_FOLDED).to_numpy(zero_copy_only=False)
    if not odd.any():
        return values
    codes, distinct = pd.factorize(values[odd])
    folded = np.array([fold(text) for text in distinct], dtype=object)
    if len(codes) == len(values):
        return pd.Series(folded[codes], index=values.index, dtype="str")
    changed = values.to_numpy(dtype=object, copy=True)
    changed[odd] = folded[codes]
    return pd.Series(changed, index=values.index, dtype="str")


def translate(values: pd.Series, known: dict[str, Any], default: object) -> np.ndarray:
    """(rows,) `known[value]` or `default`, looked up once for each distinct value."""
    codes, distinct = pd.factorize(values)
    kind = object if isinstance(default, str) else None
    found = np.array([known.get(value, default) for value in distinct], dtype=kind)
    return found[codes] if len(found) else found
