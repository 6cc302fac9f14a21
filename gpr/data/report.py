"""What was understood of data, as plain values for JSON: what `gpr check` says."""

from __future__ import annotations

from typing import Any

from gpr.data.account import account, examples_of
from gpr.data.dataset import SPLITS, Dataset
from gpr.data.finding import Finding


def report(dataset: Dataset) -> dict[str, Any]:
    """What was understood of the data, ready for JSON."""
    return {
        "name": dataset.name,
        "items": len(dataset.catalogue),
        "examples": {split: len(dataset.examples[split]) for split in SPLITS},
        "sequences": len(dataset.sequences),
        "hash": dataset.hash,
        "files": {
            file: {
                **account(dataset)[file],
                "columns": {
                    column: {"role": role, "reason": dataset.reasons[file][column]} for column, role in columns.items()
                },
            }
            for file, columns in dataset.mapping.items()
        },
        "findings": [_plain(dataset, finding) for finding in dataset.findings],
        "choices": dataset.choices.as_json(),
    }


def _plain(dataset: Dataset, finding: Finding) -> dict[str, Any]:
    names = ("grade", "code", "message", "file", "row", "column", "count", "aside")
    return {name: getattr(finding, name) for name in names} | {"examples": examples_of(dataset, finding)}
