"""The pairs table against a catalogue -> examples query -> item, split as the file says or at random by query."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gpr.data.catalogue import item_numbers, unknown_items
from gpr.data.choices import Choices
from gpr.data.columns import Meaning, column_of
from gpr.data.dataset import MAX_QUERY_CHARS, SPLITS, Catalogue, Example, Finding, Request, Split
from gpr.data.split import SPLIT_NAMES, leaks, query_key, split_at_random
from gpr.data.table import Table, fold_all, translate
from gpr.data.users import phrases
from gpr.data.verdicts import conflicts, good_rows

Examples = dict[Split, list[Example]]


def read_pairs(
    catalogue: Catalogue,
    table: Table,
    meanings: dict[str, Meaning],
    users: dict[str, str],
    choices: Choices,
    seed: int,
) -> tuple[Examples, list[Finding]]:
    """The examples of each split.

    Args:
        users: user id -> text of the request, for tables that name users.
    """
    column = column_of(meanings, "query")
    queries = fold_all(table.frame[column])
    numbers, findings = item_numbers(catalogue, table, meanings)
    empty, long = queries == "", queries.str.len() > MAX_QUERY_CHARS
    message = "Rows without a query are set aside."
    findings += table.finding("hurts", "empty-query", message, queries.index[empty], column, aside=True)
    message = f"Queries of more than {MAX_QUERY_CHARS:,} characters are set aside."
    findings += table.finding("hurts", "long-query", message, queries.index[long], column, aside=True)
    readable = ~np.asarray(empty | long, dtype=bool)
    findings += unknown_items(catalogue, table, meanings, queries.index[(numbers < 0) & readable])
    good, found = good_rows(table, meanings)
    findings += found
    keep = (numbers >= 0) & readable
    if label := column_of(meanings, "label"):
        findings += conflicts(table, [queries.map(query_key), numbers], good, keep, label, "query and item")
    pairs = pd.DataFrame({"query": queries, "item": numbers, "user": _user_texts(table, meanings, users)})[keep & good]
    splits, used, found = _split(pairs, table, meanings, choices, seed)
    findings += found
    examples: Examples = {split: [] for split in SPLITS}
    rows = zip(pairs["query"], pairs["item"].tolist(), pairs["user"], splits, used.tolist(), strict=True)
    for query, item, user, split, kept in rows:
        if kept:
            examples[split].append(Example(Request(query, (), user), item))
    return examples, findings


def _user_texts(table: Table, meanings: dict[str, Meaning], users: dict[str, str]) -> Any:
    """(rows,) the text of each row's user, '' where there is none."""
    name = column_of(meanings, "user_id")
    if name and users:
        texts = translate(fold_all(table.frame[name]), users, "")
        return pd.Series(texts, index=table.frame.index, dtype="str")
    attributes = [name for name, meaning in meanings.items() if meaning.role == "user attribute"]
    if not attributes:
        return ""
    parts = zip(*(phrases(name, fold_all(table.frame[name])) for name in attributes), strict=True)
    return pd.Series([", ".join(filter(None, row)) for row in parts], index=table.frame.index, dtype="str")


def _split(
    pairs: pd.DataFrame, table: Table, meanings: dict[str, Meaning], choices: Choices, seed: int
) -> tuple[list[Split], np.ndarray, list[Finding]]:
    """(pairs,) the split of each, (pairs,) whether it is used or leaks, and what was noticed."""
    column = column_of(meanings, "split")
    queries = list(pairs["query"])
    if not column or choices.pairs == "random":
        splits = split_at_random(queries, seed)
        counts = ", ".join(f"{splits.count(split):,} {split}" for split in SPLITS)
        why = "The pairs have no split column; they" if not column else "As you chose, the pairs"
        message = f"{why} were split at random by query (seed {seed}): {counts}."
        note = Finding("info", "split-made", message, table.file)
        return splits, np.ones(len(pairs), dtype=bool), [note]
    said = fold_all(table.frame.loc[pairs.index, column]).str.casefold()
    bad = ~said.isin(list(SPLIT_NAMES))
    first = said[bad].iloc[0] if bad.any() else ""
    message = f"A split that is none of train, valid, test counts as train; the first is '{first[:80]}'."
    findings = table.finding("hurts", "bad-split", message, said.index[bad], column)
    splits = [SPLIT_NAMES.get(value, "train") for value in said]
    leaking = leaks(queries, splits)
    message = "The same query is also valid or test; it is taken from the side nearer to training."
    findings += table.finding("hurts", "split-leak", message, pairs.index[leaking], column, aside=True)
    if len(pairs) and "test" not in splits:
        message = "The split column has no test pairs; results on pairs cannot be measured."
        findings.append(Finding("info", "no-test", message, table.file, None, column))
    return splits, ~leaking, findings
