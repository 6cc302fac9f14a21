"""The interactions table against a catalogue -> one history a user, cut for training and testing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gpr.data.catalogue import item_numbers, unknown_items
from gpr.data.choices import Choices
from gpr.data.columns import Meaning, column_of
from gpr.data.dataset import SPLITS, Catalogue, Example, Finding, Request, Sequence, Split
from gpr.data.histories import CUTS, History, Timeline
from gpr.data.split import SPLIT_NAMES
from gpr.data.table import Table, fold_all, translate
from gpr.data.times import parse_times
from gpr.data.verdicts import conflicts, good_rows, well_rated


@dataclass
class Interactions:
    """What a table of interactions gives."""

    sequences: list[Sequence] = field(default_factory=list)
    examples: dict[Split, list[Example]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    findings: list[Finding] = field(default_factory=list)


def read_interactions(
    catalogue: Catalogue, table: Table, meanings: dict[str, Meaning], users: dict[str, str], choices: Choices
) -> Interactions:
    """Histories in the order of time, an item counted where it comes first."""
    made = Interactions()
    column = column_of(meanings, "user_id")
    ids = fold_all(table.frame[column])
    numbers, keep, made.findings = _kept(catalogue, table, meanings, choices, ids)
    times, found = _times(table, meanings)
    made.findings += found
    codes, names = pd.factorize(ids[keep])
    rows = ids.index[keep]
    said, found = _said(table, meanings, choices, keep)
    made.findings += found
    line = Timeline.of(codes, numbers[keep], times[keep])
    made.findings += _on_order(table, column_of(meanings, "timestamp"), rows, line)
    histories, unused = CUTS[choices.histories](line, said)
    message = "Rows after the item that a user is tested on are set aside."
    made.findings += table.finding("info", "after-test", message, rows[unused], aside=True)
    if users:
        strangers = rows[~np.asarray(ids[keep].isin(list(users)))]
        message = "Users who are not in the users file have no attributes."
        made.findings += table.finding("info", "unknown-user", message, strangers, column)
    _add(made, histories, list(names), users)
    single = sum(len(history.train) + (history.test is not None) < 2 for history in histories)
    if single:
        message = f"Users with one item only: {single:,}. They count for popularity, and teach nothing about order."
        made.findings.append(Finding("info", "single-interaction", message, table.file, None, column, single))
    return made


def _kept(
    catalogue: Catalogue, table: Table, meanings: dict[str, Meaning], choices: Choices, users: pd.Series
) -> tuple[np.ndarray, np.ndarray, list[Finding]]:
    """(rows,) the item of each row, and which rows say that somebody chose one.

    Args:
        users: (rows,) who chose.
    """
    numbers, findings = item_numbers(catalogue, table, meanings)
    empty = np.asarray(users == "", dtype=bool)
    message = "Rows without a user are set aside."
    column = column_of(meanings, "user_id")
    findings += table.finding("hurts", "empty-user", message, users.index[empty], column, aside=True)
    findings += unknown_items(catalogue, table, meanings, users.index[(numbers < 0) & ~empty])
    known = (numbers >= 0) & ~empty
    good, found = _good(table, meanings, choices, [users, numbers], known)
    return numbers, known & good, findings + found


def _on_order(table: Table, times: str, rows: pd.Index, line: Timeline) -> list[Finding]:
    """Args: times: the column of timestamps, '' without one. rows: those that the line is made of."""
    message = "A user's repeated items count once, where they come first."
    findings = table.finding("info", "repeated-item", message, rows[line.repeats], aside=True)
    if times:
        message = "Rows at the very time of the user's row before; the order of the file decides which came first."
        findings += table.finding("info", "timestamp-ties", message, rows[line.ties], times)
    return findings


def _add(made: Interactions, histories: list[History], names: list[str], users: dict[str, str]) -> None:
    for history in histories:
        user = users.get(names[history.user], "")
        if history.train:
            made.sequences.append(Sequence(history.train, user))
        if history.valid is not None:
            made.examples["valid"].append(Example(Request("", history.train, user), history.valid))
        if history.test is not None:
            made.examples["test"].append(Example(Request("", history.before_test, user), history.test))


def _good(
    table: Table, meanings: dict[str, Meaning], choices: Choices, keys: list[pd.Series | np.ndarray], known: np.ndarray
) -> tuple[np.ndarray, list[Finding]]:
    """(rows,) neither labelled nor rated bad."""
    labelled, findings = good_rows(table, meanings)
    rated, found = well_rated(table, meanings, choices.good_from)
    findings += found
    good = labelled & rated
    if not good.all():
        column = column_of(meanings, "label") or column_of(meanings, "rating")
        findings += conflicts(table, keys, good, known, column, "user and item")
    return good, findings


def _times(table: Table, meanings: dict[str, Meaning]) -> tuple[np.ndarray, list[Finding]]:
    """(rows,) sortable times; without a timestamp the file's order counts."""
    column = column_of(meanings, "timestamp")
    if not column:
        message = "There is no timestamp; the order of the rows is taken as the order of time."
        return np.zeros(len(table.frame)), [Finding("info", "no-timestamp", message, table.file)]
    rows = table.frame.index
    times = parse_times(table.frame[column])
    message = "Timestamps that are neither a number nor a date count as the earliest."
    findings = table.finding("hurts", "bad-timestamp", message, rows[times.bad], column)
    if times.constant:
        message = "All timestamps are equal; the order of the rows is taken as the order of time."
        findings.append(Finding("hurts", "constant-timestamp", message, table.file, None, column))
    message = "Timestamps in the future; they are kept, and count as the latest."
    findings += table.finding("hurts", "future-timestamp", message, rows[times.future], column)
    return times.order, findings


def _said(
    table: Table, meanings: dict[str, Meaning], choices: Choices, keep: np.ndarray
) -> tuple[np.ndarray | None, list[Finding]]:
    """(rows kept,) what the split column says as 0, 1, 2; None where it does not count."""
    column = column_of(meanings, "split")
    if not column or choices.histories != "file":
        return None, []
    values = fold_all(table.frame.loc[keep, column]).str.casefold()
    places = {name: SPLITS.index(split) for name, split in SPLIT_NAMES.items()}
    said = translate(values, places, -1)
    message = "A split that is none of train, valid, test counts as train."
    return np.maximum(said, 0), table.finding("hurts", "bad-split", message, values.index[said < 0], column)
