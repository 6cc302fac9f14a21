"""Tables -> Dataset: the catalogue, then pairs and interactions against it, then the split.

It does not know how a file is read. A row that cannot be used is set aside with a finding, never silently.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gpr.data.catalogue import build_catalogue, item_numbers, unknown_items
from gpr.data.columns import Meaning, column_of, map_columns
from gpr.data.dataset import MAX_QUERY_CHARS, SPLITS, Catalogue, Dataset, Example, Finding, Request, Sequence, Split
from gpr.data.split import SPLIT_NAMES, leaks, split_at_random, split_histories
from gpr.data.table import Part, Table, fold_all, translate
from gpr.data.users import describe_users


def build(tables: Mapping[Part, Table], *, name: str, seed: int = 0) -> Dataset:
    """The data set of a folder's or file's tables.

    Args:
        tables: `single`, or `items` and any of the others, as `read` gives them.
        seed: for the random split of pairs that come without one.

    Raises:
        DataError: a column that is needed is missing, or the catalogue has fewer than two items.
    """
    meanings = {part: map_columns(table, part) for part, table in tables.items()}
    items: Part = "items" if "items" in tables else "single"
    roles = {meaning.role for meaning in meanings[items].values()} if items == "single" else set()
    repeated = bool({"query", "user_id"} & roles)
    catalogue, findings = build_catalogue(tables[items], meanings[items], repeated=repeated)
    parts = _Parts(catalogue)
    if "users" in tables:
        parts.users, found = describe_users(tables["users"], meanings["users"])
        parts.findings += found
    pairs: Part = "single" if "query" in roles else "pairs"
    if pairs in tables:
        parts.add_pairs(tables[pairs], meanings[pairs], seed)
    interactions: Part = "single" if "user_id" in roles and "query" not in roles else "interactions"
    if interactions in tables:
        parts.add_interactions(tables[interactions], meanings[interactions])
    if not parts.sequences and not any(parts.examples.values()):
        message = "There are no pairs and no interactions; training uses the items' own descriptions."
        parts.findings.append(Finding("info", "no-examples", message))
    files = {table.file: meanings[part] for part, table in tables.items()}
    return Dataset(
        name=name,
        catalogue=catalogue,
        examples={split: tuple(found) for split, found in parts.examples.items()},
        sequences=tuple(parts.sequences),
        findings=(*(note for table in tables.values() for note in table.findings), *findings, *parts.findings),
        mapping={file: {column: meaning.role for column, meaning in found.items()} for file, found in files.items()},
        reasons={file: {column: meaning.reason for column, meaning in found.items()} for file, found in files.items()},
        rows={table.file: table.rows for table in tables.values()},
        seed=seed,
    )


@dataclass
class _Parts:
    """What is gathered around one catalogue."""

    catalogue: Catalogue
    users: dict[str, str] = field(default_factory=dict)
    """User id -> text of the request."""
    examples: dict[Split, list[Example]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    sequences: list[Sequence] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add_pairs(self, table: Table, meanings: dict[str, Meaning], seed: int) -> None:
        """Query -> item, split as the file says or at random."""
        column = column_of(meanings, "query")
        queries = fold_all(table.frame[column])
        numbers = item_numbers(self.catalogue, table, meanings)
        empty, long = queries == "", queries.str.len() > MAX_QUERY_CHARS
        message = "Rows without a query are set aside."
        self.findings += table.finding("hurts", "empty-query", message, queries.index[empty], column)
        message = f"Queries of more than {MAX_QUERY_CHARS:,} characters are set aside."
        self.findings += table.finding("hurts", "long-query", message, queries.index[long], column)
        unknown = (numbers < 0) & ~empty & ~long
        self.findings += unknown_items(self.catalogue, table, meanings, queries.index[unknown])
        pairs = pd.DataFrame({"query": queries, "item": numbers, "user": self._user_texts(table, meanings)})
        pairs = pairs[(numbers >= 0) & ~empty & ~long]
        pairs = self._with_split(pairs, table, meanings, seed)
        for query, item, user, split in pairs.itertuples(index=False):
            self.examples[split].append(Example(Request(query, (), user), int(item)))

    def _user_texts(self, table: Table, meanings: dict[str, Meaning]) -> Any:
        """(rows,) the text of each row's user, '' where there is none."""
        name = column_of(meanings, "user_id")
        if not name or not self.users:
            return ""
        return pd.Series(translate(fold_all(table.frame[name]), self.users, ""), index=table.frame.index, dtype="str")

    def _with_split(self, pairs: pd.DataFrame, table: Table, meanings: dict[str, Meaning], seed: int) -> pd.DataFrame:
        """The pairs with a column `split`, without those that leak."""
        column = column_of(meanings, "split")
        queries = list(pairs["query"])
        if not column:
            pairs = pairs.assign(split=split_at_random(queries, seed))
            counts = ", ".join(f"{int((pairs['split'] == split).sum())} {split}" for split in SPLITS)
            message = f"The pairs have no split column; they were split at random by query (seed {seed}): {counts}."
            self.findings.append(Finding("info", "split-made", message, table.file))
            return pairs
        said = fold_all(table.frame.loc[pairs.index, column]).str.casefold()
        bad = ~said.isin(list(SPLIT_NAMES))
        first = said[bad].iloc[0] if bad.any() else ""
        message = f"A split that is none of train, valid, test counts as train; the first is '{first[:80]}'."
        self.findings += table.finding("hurts", "bad-split", message, said.index[bad], column)
        splits = [SPLIT_NAMES.get(value, "train") for value in said]
        leaking = leaks(queries, splits)
        message = "The same query is also valid or test; it is taken from the side nearer to training."
        self.findings += table.finding("hurts", "split-leak", message, pairs.index[leaking], column)
        pairs = pairs.assign(split=splits)[~leaking]
        if len(pairs) and not (pairs["split"] == "test").any():
            message = "The split column has no test pairs; results on pairs cannot be measured."
            self.findings.append(Finding("info", "no-test", message, table.file, None, column))
        return pairs

    def add_interactions(self, table: Table, meanings: dict[str, Meaning]) -> None:
        """User, item -> one history a user, its last two items for valid and test."""
        column = column_of(meanings, "user_id")
        ids = fold_all(table.frame[column])
        numbers = item_numbers(self.catalogue, table, meanings)
        empty = ids == ""
        message = "Rows without a user are set aside."
        self.findings += table.finding("hurts", "empty-user", message, ids.index[empty], column)
        unknown = (numbers < 0) & ~empty
        self.findings += unknown_items(self.catalogue, table, meanings, ids.index[unknown])
        self._check_ratings(table, meanings)
        times = self._times(table, meanings)
        keep = np.asarray((numbers >= 0) & ~empty)
        users, names = pd.factorize(ids[keep])
        histories, repeats = split_histories(users, numbers[keep], times[keep])
        message = "A user's repeated items count once, where they come first."
        self.findings += table.finding("info", "repeated-item", message, ids.index[keep][repeats])
        if self.users:
            strangers = ids.index[keep][~np.asarray(ids[keep].isin(list(self.users)))]
            message = "Users who are not in the users file have no attributes."
            self.findings += table.finding("info", "unknown-user", message, strangers, column)
        for history in histories:
            user = self.users.get(names[history.user], "")
            self.sequences.append(Sequence(history.train, user))
            if history.valid is not None:
                self.examples["valid"].append(Example(Request("", history.train, user), history.valid))
            if history.test is not None:
                before = history.train if history.valid is None else (*history.train, history.valid)
                self.examples["test"].append(Example(Request("", before, user), history.test))

    def _check_ratings(self, table: Table, meanings: dict[str, Meaning]) -> None:
        column = column_of(meanings, "rating")
        if not column:
            return
        values = table.frame[column].str.strip()
        bad = pd.to_numeric(values, errors="coerce").isna() & (values != "")
        message = "Ratings that are not numbers; the rows count as chosen all the same."
        self.findings += table.finding("info", "bad-rating", message, values.index[bad], column)
        message = "Ratings are not used: every interaction counts as chosen, whatever its rating."
        self.findings.append(Finding("info", "ratings-unused", message, table.file, None, column))

    def _times(self, table: Table, meanings: dict[str, Meaning]) -> np.ndarray:
        """(rows,) sortable times; without a timestamp the file's order counts."""
        column = column_of(meanings, "timestamp")
        if not column:
            message = "There is no timestamp; the order of the rows is taken as the order of time."
            self.findings.append(Finding("info", "no-timestamp", message, table.file))
            return np.zeros(len(table.frame))
        times, bad = parse_times(table.frame[column])
        message = "Timestamps that are neither a number nor a date count as the earliest."
        self.findings += table.finding("hurts", "bad-timestamp", message, table.frame.index[bad], column)
        return times


def parse_times(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """(rows,) sortable times and (rows,) which values were none: numbers if most are, dates otherwise."""
    codes, distinct = pd.factorize(values.str.strip())
    texts = pd.Series(distinct, dtype="str")
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.notna().sum() * 2 >= (texts != "").sum():
        bad = ~np.isfinite(numbers.to_numpy(dtype=float, na_value=np.nan))
        ranked = numbers.mask(bad)
    else:
        western = texts.str.replace("[年月]", "-", regex=True).str.replace("日", "", regex=False)
        with warnings.catch_warnings(action="ignore"):  # of time zones that pandas does not know
            ranked = pd.to_datetime(western, errors="coerce", format="mixed", utc=True)
        bad = ranked.isna().to_numpy()
    ranks = ranked.rank(method="dense", na_option="top").to_numpy()
    return ranks[codes].astype(np.int64), bad[codes]
