"""Which rows say that a choice was good, and which contradict each other: by labels, or ratings with a threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gpr.data.columns import Meaning, column_of
from gpr.data.dataset import Finding
from gpr.data.table import Table, fold_all, translate
from gpr.data.times import parse_numbers

GOOD = {
    "good",
    "yes",
    "y",
    "true",
    "1",
    "1.0",
    "relevant",
    "positive",
    "like",
    "liked",
    "exact",
    "好",
    "是",
    "相关",
    "喜欢",
}
BAD = {
    "bad", "no", "n", "false", "0", "0.0", "-1", "irrelevant", "negative", "dislike", "disliked", "坏", "差", "否",
    "不相关", "不喜欢",
}  # fmt: skip


def good_rows(table: Table, meanings: dict[str, Meaning]) -> tuple[np.ndarray, list[Finding]]:
    """(rows,) whether the label of each is good; an empty one counts as good, one that is neither does not."""
    name = column_of(meanings, "label")
    if not name:
        return np.ones(len(table.frame), dtype=bool), []
    said = fold_all(table.frame[name]).str.casefold()
    verdicts = translate(said, dict.fromkeys(GOOD, 1) | dict.fromkeys(BAD, 0) | {"": 1}, -1)
    message = "Rows that are labelled bad are set aside: nobody should be recommended what was not wanted."
    findings = table.finding("info", "labelled-bad", message, said.index[verdicts == 0], name, aside=True)
    first = said[verdicts < 0].iloc[0] if (verdicts < 0).any() else ""
    message = f"Labels that are neither good nor bad (the first is '{first[:40]}'); their rows are set aside."
    findings += table.finding("hurts", "odd-label", message, said.index[verdicts < 0], name, aside=True)
    return verdicts == 1, findings


def well_rated(table: Table, meanings: dict[str, Meaning], good_from: float | None) -> tuple[np.ndarray, list[Finding]]:
    """(rows,) whether each row's rating reaches the threshold; without a rating or a threshold it does."""
    name = column_of(meanings, "rating")
    everything = np.ones(len(table.frame), dtype=bool)
    if not name:
        message = "There are no ratings: every interaction counts as chosen."
        return everything, [Finding("info", "implicit", message, table.file)]
    values = parse_numbers(table.frame[name])
    filled = table.frame[name].str.strip() != ""
    message = "Ratings that are not numbers; the rows count as chosen all the same."
    findings = table.finding("info", "bad-rating", message, values.index[values.isna() & filled], name)
    distinct = values.dropna().nunique()
    if distinct <= 1:
        message = "All ratings are equal, so they say only that something was chosen."
        return everything, [*findings, Finding("info", "implicit", message, table.file, None, name)]
    scale = f"{values.min():g} to {values.max():g}"
    if good_from is None:
        message = f"Ratings go from {scale}. Every interaction counts as chosen, whatever its rating."
        return everything, [*findings, Finding("info", "ratings-unused", message, table.file, None, name)]
    good = ~np.asarray(values < good_from, dtype=bool)
    message = f"Ratings go from {scale}; rows rated below {good_from:g} are set aside as bad, as you chose."
    if good.all():
        message = f"Ratings go from {scale}; all are {good_from:g} or more, so every interaction counts as chosen."
        return good, [*findings, Finding("info", "ratings-unused", message, table.file, None, name)]
    return good, findings + table.finding("info", "rated-bad", message, values.index[~good], name, aside=True)


def conflicts(
    table: Table, keys: Sequence[pd.Series | np.ndarray], good: np.ndarray, keep: np.ndarray, column: str, what: str
) -> list[Finding]:
    """Rows of which the same key is good in one place and bad in another. The good one counts."""
    frame = pd.DataFrame({f"key {place}": np.asarray(key) for place, key in enumerate(keys)}, index=table.frame.index)
    frame["good"] = good
    frame = frame[keep]
    sides = frame.groupby([name for name in frame if name != "good"], sort=False)["good"].transform("nunique")
    message = f"The same {what} is good in one row and bad in another; the good one counts."
    return table.finding("hurts", "conflicting-labels", message, frame.index[(sides > 1).to_numpy(dtype=bool)], column)
