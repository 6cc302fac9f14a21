"""One kept data set as a folder: its tables as they were read, in Parquet, with what is known of them in dataset.json.

items.parquet, pairs.parquet, ...   one a part; user ids are keyed hashes
report.json                         what `gpr check` says
dataset.json                        written last
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gpr.data.choices import Choices
from gpr.data.finding import Finding
from gpr.data.table import Part, Table, text_frame
from gpr.errors import DataError

MARKER = "dataset.json"
_ROW = "\x01row"
"""The column with the rows' numbers; no column of a table can be called so."""


@dataclass(frozen=True)
class Kept:
    """What dataset.json says."""

    name: str
    hash: str = ""
    """Of the content as it is trained on; '' while the mapping is not complete."""
    before: tuple[str, ...] = ()
    """The hashes it had, oldest first."""
    source: str = ""
    """What it was read from, in the user's words."""
    stored: str = ""
    """UTC, ISO 8601."""
    items: int = 0
    choices: Choices = field(default_factory=Choices)
    hashed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """File -> columns whose values are keyed hashes."""

    def with_hash(self, new: str, items: int) -> Kept:
        """The same with other content; the old hash is remembered."""
        if new == self.hash:
            return replace(self, items=items)
        before = (*self.before, self.hash) if self.hash else self.before
        return replace(self, hash=new, before=before, items=items)


def is_kept(folder: Path) -> bool:
    return (folder / MARKER).is_file()


def read_kept(folder: Path) -> Kept:
    """Raises: DataError: it is damaged."""
    try:
        content = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        hashed = {file: tuple(columns) for file, columns in content["hashed"].items()}
        known = {key: content[key] for key in ("name", "hash", "source", "stored", "items")}
        choices = Choices.from_json(content["choices"])
        return Kept(**known, before=tuple(content["before"]), choices=choices, hashed=hashed)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "Delete it, and add the data again."
        raise DataError(f"The data set is damaged ({error}).", where=str(folder), hint=hint) from error


def write_marker(folder: Path, kept: Kept) -> None:
    content = asdict(kept) | {"choices": kept.choices.as_json(), "hashed": {k: list(v) for k, v in kept.hashed.items()}}
    (folder / MARKER).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def write_tables(folder: Path, tables: Mapping[Part, Table]) -> None:
    """One Parquet file a part, with the rows that fit no column and the findings of reading in its metadata."""
    for part, table in tables.items():
        columns = pa.Table.from_pandas(table.frame, preserve_index=False)
        columns = columns.append_column(_ROW, pa.array(table.frame.index.to_numpy(), type=pa.int64()))
        about = {
            "file": table.file,
            "rows": table.rows,
            "unread": list(table.unread.items()),
            "findings": [_plain(finding) for finding in table.findings],
        }
        metadata = {b"gpr": json.dumps(about, ensure_ascii=False).encode()}
        pq.write_table(columns.replace_schema_metadata(metadata), folder / f"{part}.parquet", compression="zstd")


def read_tables(folder: Path) -> dict[Part, Table]:
    """What `write_tables` wrote.

    Raises:
        DataError: it is damaged.
    """
    parts: tuple[Part, ...] = ("single", "items", "pairs", "interactions", "users")
    try:
        return {part: _read(path) for part in parts if (path := folder / f"{part}.parquet").is_file()}
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise DataError(f"The data set is damaged ({error}).", where=str(folder), hint="Add the data again.") from error


def _read(path: Path) -> Table:
    columns = pq.read_table(path)
    about = json.loads(columns.schema.metadata[b"gpr"])
    rows = columns.column(_ROW).to_numpy()
    columns = columns.drop_columns([_ROW])
    columns = columns.cast(pa.schema([(name, pa.large_string()) for name in columns.column_names]))
    findings = tuple(_finding(content) for content in about["findings"])
    frame = text_frame(columns, rows)
    return Table(about["file"], frame, about["rows"], findings, dict(map(tuple, about["unread"])))


def _plain(finding: Finding) -> dict[str, Any]:
    return asdict(finding) | {"rows": None if finding.rows is None else finding.rows.tolist()}


def _finding(content: dict[str, Any]) -> Finding:
    rows = content.pop("rows")
    return Finding(**content, rows=None if rows is None else np.array(rows, dtype=np.int64))


def columns_key(frame: pd.DataFrame) -> str:
    """What files with the same columns share."""
    return json.dumps(sorted(frame.columns), ensure_ascii=False)
