"""Texts with labels as a data set that the same training takes: the labels are the catalogue, the texts are queries.

It knows texts and labels, not where they come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gpr.data.dataset import MAX_QUERY_CHARS, SPLITS, Split
from gpr.data.split import query_key
from gpr.data.table import fold
from gpr.errors import DataError

LEAST = 5
"""Texts that a label needs to be one."""
MOST_LABELS = 1_000


@dataclass(frozen=True)
class Labelled:
    """One text with its label, and the split that it belongs to."""

    text: str
    label: str
    split: Split


def read_labels(folder: Path) -> dict[str, str]:
    """Id -> label, from what `write_examples` wrote."""
    frame = pd.read_csv(folder / "items.csv", dtype=str, keep_default_na=False)
    return dict(zip(frame["item_id"], frame["title"], strict=True))


def write_labels(labels: Mapping[str, str], folder: Path) -> None:
    """The labels alone, without the texts that they were learned from."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame({"item_id": list(labels), "title": list(labels.values())})
    frame.to_csv(folder / "items.csv", index=False, lineterminator="\n")


def write_examples(examples: list[Labelled], folder: Path, name: str) -> None:
    """Writes items.csv and pairs.csv, which `gpr.data` reads. A text that comes twice counts once, rare labels are left
    out.

    Raises:
        DataError: fewer than two labels are left, too many are there, or nothing is left to train on.
    """
    frame = pd.DataFrame([(fold(e.text)[:MAX_QUERY_CHARS], fold(e.label), e.split) for e in examples])
    frame.columns = pd.Index(["query", "title", "split"])
    frame = frame[(frame["query"] != "") & (frame["title"] != "")]
    frame = frame.sort_values("split", key=lambda names: names.map(SPLITS.index), kind="stable", ascending=False)
    frame = frame[~frame["query"].map(query_key).duplicated()].sort_index()
    counts = frame["title"].value_counts()
    labels = sorted(counts.index[counts >= LEAST])
    if not 2 <= len(labels) <= MOST_LABELS:
        raise DataError(
            f"{len(labels):,} labels have at least {LEAST} texts; 2 to {MOST_LABELS:,} are needed.",
            where=name,
            hint="Check that --label names the column of labels and --text that of texts.",
        )
    frame = frame[frame["title"].isin(labels)]
    if not (frame["split"] == "train").any():
        raise DataError("No text is left to train on.", where=name, hint="Mark some rows as 'train', or none at all.")
    ids = {label: f"label-{number}" for number, label in enumerate(labels, 1)}
    write_labels({number: label for label, number in ids.items()}, folder)
    pairs = frame.assign(item_id=frame["title"].map(ids))[["query", "item_id", "split"]]
    pairs.to_csv(folder / "pairs.csv", index=False, lineterminator="\n")
