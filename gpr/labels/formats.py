"""Labels as files that other programs read: CSV, JSONL, Parquet. It does not know where labels are kept."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from gpr.errors import DataError
from gpr.files import written_whole
from gpr.labels.label import Label

COLUMNS = (
    "request_id",
    "query",
    "history",
    "item_id",
    "title",
    "run",
    "probability",
    "verdict",
    "annotator",
    "time",
    "reason",
    "note",
)
"""Of every format, in this order. All are text but `probability`; `history` is a JSON list of ids, oldest first."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that starts so is run by spreadsheets."""


def export_labels(labels: Sequence[Label], path: Path) -> None:
    """Writes labels to `path`, in the format that its suffix names; a file that is there is replaced in one step.

    In CSV, a text that a spreadsheet would run as a formula gets an apostrophe in front.

    Raises:
        DataError: no such format.
        WorkspaceError: the folder is not there, or cannot be written to.
    """
    path = Path(path)
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise DataError(
            f"Labels cannot be written as '{path.suffix}'.",
            where=str(path),
            hint=f"End the file's name with one of {', '.join(_WRITERS)}.",
        )
    with written_whole(path) as partial:
        write(labels, partial)


def _write_csv(labels: Sequence[Label], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for label in labels:
            writer.writerow([_harmless(value) for value in _values(label)])


def _write_jsonl(labels: Sequence[Label], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for label in labels:
            row = dict(zip(COLUMNS, _values(label), strict=True)) | {"history": list(label.history)}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _write_parquet(labels: Sequence[Label], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.float64() if name == "probability" else pa.string()) for name in COLUMNS])
    rows = [dict(zip(COLUMNS, _values(label), strict=True)) for label in labels]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


_WRITERS: dict[str, Callable[[Sequence[Label], Path], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}


def _values(label: Label) -> list[str | float]:
    fields = vars(label) | {"history": json.dumps(label.history, ensure_ascii=False)}
    return [fields[name] for name in COLUMNS]


def _harmless(value: str | float) -> str | float:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
