"""Layouts of well-known data sets, which need no mapping: MovieLens, Amazon reviews, RecBole, train/val/test files.

Prompts with completions and exports of Argilla and Label Studio are in `annotations`.

It renames, joins and sorts tables into parts; it sets no row aside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from gpr.data.annotations import from_annotations
from gpr.data.dataset import Finding
from gpr.data.delimited import Dialect
from gpr.data.guess import is_review
from gpr.data.movielens import natural_title
from gpr.data.split import SPLIT_NAMES
from gpr.data.synonyms import SYNONYMS, normalise
from gpr.data.table import Part, Table
from gpr.errors import DataError

PARTS: dict[Part, tuple[str, ...]] = {
    "items": ("items", "item", "catalogue", "catalog", "products", "movies"),
    "pairs": ("pairs", "queries"),
    "interactions": ("interactions", "ratings", "events", "clicks"),
    "users": ("users",),
}
"""The names (without ending) that a folder's files go by; the first of each is the one to use."""

_GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
_FILMS, _OLD_NAMES = {"item_id", "title"}, {"movie_id": "item_id", "movie_title": "title"}
_RATED = ("user_id", "item_id", "rating", "timestamp")
_HEADERLESS: dict[str, Dialect] = {
    "u.data": Dialect(_RATED, "\t", quoted=False),
    "u.item": Dialect(("item_id", "title", "released", "video", "imdb", *_GENRES), "|", quoted=False),
    "u.user": Dialect(("user_id", "age", "gender", "occupation", "zip_code"), "|", quoted=False),
    "ratings.dat": Dialect(_RATED, "::", quoted=False),
    "movies.dat": Dialect(("item_id", "title", "genres"), "::", quoted=False),
    "users.dat": Dialect(("user_id", "gender", "age", "occupation", "zip_code"), "::", quoted=False),
}
"""MovieLens-100K and -1M name no columns."""
_PART_OF_ENDING: dict[str, Part] = {
    ".inter": "interactions", ".item": "items", ".user": "users", ".data": "interactions",
}  # fmt: skip
_TYPED = re.compile(r"^(?P<name>[^:]+):(?:token|token_seq|float|float_seq)$")
_MOVIELENS_NOISE = re.compile(r"(u\d|ua|ub)\.(base|test)|u\.(genre|info|occupation)|allbut\.pl|mku\.sh")


def dialect_of(path: Path) -> Dialect | None:
    """How a file of a known name is written; None where that has to be found."""
    if path.name in _HEADERLESS:
        return _HEADERLESS[path.name]
    return Dialect(separator="\t", quoted=False) if path.suffix in (".inter", ".item", ".user") else None


def is_noise(path: Path, files: Sequence[Path]) -> bool:
    """Whether the file repeats what others of its layout say: the ready-made folds of MovieLens-100K, links, tags."""
    names = {file.name for file in files}
    if "u.data" in names:
        return bool(_MOVIELENS_NOISE.fullmatch(path.name))
    return {"movies.csv", "ratings.csv"} <= names and path.name in ("links.csv", "tags.csv", "genome-tags.csv")


def adapted(table: Table) -> Table:
    """The table with the columns that GPR knows, where its layout is known; else as it was."""
    frame = table.frame
    typed = {name: match["name"] for name in frame.columns if (match := _TYPED.match(name))}
    if len(typed) == len(frame.columns):
        table = replace(table, frame=frame.rename(columns=typed))
    elif len(set(_GENRES) & set(frame.columns)) > len(_GENRES) / 2 and _standard(frame) >= _FILMS:
        table = _flags_joined(table)
    return _natural(from_annotations(table))


def _standard(frame: pd.DataFrame) -> set[str]:
    return set(frame.rename(columns=_OLD_NAMES).columns)


def _flags_joined(table: Table) -> Table:
    """MovieLens-100K: one column of 0 and 1 for each genre becomes the column `category`."""
    names = np.array([name for name in _GENRES[1:] if name in table.frame])
    flags = table.frame[list(names)].to_numpy() == "1"
    category = [", ".join(names[row]) for row in flags]
    kept = table.frame.rename(columns=_OLD_NAMES)[["item_id", "title"]]
    frame = kept.assign(category=pd.Series(category, kept.index), title=[natural_title(text) for text in kept["title"]])
    return replace(table, frame=frame)


def _natural(table: Table) -> Table:
    """MovieLens: 'Matrix, The (1999)' as people say it, and genres that are not joined with '|'."""
    frame = table.frame
    if table.file not in ("movies.csv", "movies.dat") or not {"title", "genres"} <= set(frame.columns):
        return table
    genres = frame["genres"].str.replace("(no genres listed)", "", regex=False).str.replace("|", ", ", regex=False)
    return replace(table, frame=frame.assign(title=[natural_title(text) for text in frame["title"]], genres=genres))


def assign(tables: Sequence[Table], place: str) -> tuple[dict[Part, Table], list[Table]]:
    """The tables by part, and those left out: by their names, and where the name says nothing by their columns.

    Raises:
        DataError: two tables are one part and differ in their columns, or nothing can be a catalogue.
    """
    split = [table for table in tables if _name(table) in SPLIT_NAMES]
    if len(split) > 1:
        merged = joined([_with_split(table) for table in split])
        tables = [merged, *(table for table in tables if _name(table) not in SPLIT_NAMES)]
    chosen: dict[Part, list[Table]] = {}
    by_columns: list[Table] = []
    for table in tables:
        part = _part_by_name(table)
        if part:
            chosen.setdefault(part, []).append(table)
        else:
            by_columns.append(table)
    named = set(chosen)
    left_out = []
    for table in by_columns:
        part = part_by_columns(table)
        if part and part not in named:
            chosen.setdefault(part, []).append(table)
        else:
            left_out.append(table)
    if "items" not in chosen and not _carries_titles(chosen):
        seen = ", ".join(table.file for table in tables[:10])
        hint = "Name the catalogue items.csv, with the columns item_id and title."
        raise DataError(f"There is no items file among {seen}.", where=place, hint=hint)
    return {part: _one(part, found, place) for part, found in chosen.items()}, left_out


def _carries_titles(chosen: dict[Part, list[Table]]) -> bool:
    """One part alone may bring its items along, in a column of titles."""
    return len(chosen) == 1


def _one(part: Part, tables: list[Table], place: str) -> Table:
    if len(tables) > 1 and len({tuple(table.frame.columns) for table in tables}) > 1:
        both = " and ".join(table.file for table in tables[:2])
        raise DataError(f"Both {both} could be the {part}.", where=place, hint="Remove or rename one.")
    return tables[0] if len(tables) == 1 else joined(tables)


def joined(tables: Sequence[Table]) -> Table:
    """Tables one below the other; rows count on from file to file."""
    file = " + ".join(table.file for table in tables)
    frames: list[pd.DataFrame] = []
    findings: list[Finding] = []
    unread: dict[int, str] = {}
    start = 0
    for table in tables:
        frames.append(table.frame.set_axis(table.frame.index + start))
        unread |= {row + start: text for row, text in table.unread.items()}
        findings += [_moved(finding, file, start) for finding in table.findings]
        start += max([0, int(table.frame.index.max()), *table.unread])
    frame = pd.concat(frames).fillna("")
    return Table(file, frame, sum(table.rows for table in tables), tuple(findings), unread)


def _moved(finding: Finding, file: str, by: int) -> Finding:
    rows = None if finding.rows is None else finding.rows + by
    return replace(finding, file=file, row=None if finding.row is None else finding.row + by, rows=rows)


def _with_split(table: Table) -> Table:
    return replace(table, frame=table.frame.assign(split=SPLIT_NAMES[_name(table)]))


def _name(table: Table) -> str:
    """The file's name, or that of a sheet, without what says its format."""
    name = table.file.rpartition("[")[2].rstrip("]") if table.file.endswith("]") else table.file.partition(".")[0]
    return name.casefold()


def _part_by_name(table: Table) -> Part | None:
    ending = Path(table.file).suffix
    return _PART_OF_ENDING.get(ending) or next((part for part, names in PARTS.items() if _name(table) in names), None)


def part_by_columns(table: Table) -> Part | None:
    """What a table with a name that says nothing is, by its columns; None if it is nothing that GPR uses."""
    known = {normalise(name) for name in table.frame.columns}
    roles = {role for role, names in SYNONYMS.items() if known & set(names)}
    if is_review(table) or ("user_id" in roles and {"item_id", "title"} & roles):
        return "interactions"
    if "query" in roles:
        return "pairs"
    if "user_id" in roles:
        return "users"
    return "items" if "title" in roles else None
