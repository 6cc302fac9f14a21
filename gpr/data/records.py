"""JSON and JSON lines -> Table: values become what a person would write, so that an id never turns into a float.

It does not know what a column means.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gpr.data.encoding import MAX_LINE_BYTES, detect_encoding, encoding_finding
from gpr.data.table import MAX_COLUMNS, Table, column_names, text_frame
from gpr.errors import DataError

MAX_JSON_BYTES = 256 * 1024**2
"""A whole document takes many times its size in memory; lines do not."""
MAX_BAD_CHARS = 1_000
_AS_WRITTEN: dict[str, Any] = {"parse_int": str, "parse_float": str, "parse_constant": lambda _: ""}


def text_of(value: Any) -> str:
    """A cell as text: None and NaN are '', a whole float loses its '.0', a list is joined with ', '."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", errors="replace").decode("utf-8")
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**63 else repr(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, list) and not any(isinstance(part, (list, dict)) for part in value):
        return ", ".join(text_of(part) for part in value)
    if isinstance(value, (list, dict)):
        return text_of(json.dumps(value, ensure_ascii=False, default=text_of))
    return str(value)


def read_jsonl(path: Path) -> Table:
    """One JSON object a line; numbers stay as written, a key that a line lacks is ''.

    Raises:
        DataError: not text, no line that is a JSON object, or too many different keys.
    """
    encoding = detect_encoding(path)
    records = _Records(path)
    with path.open(encoding=encoding) as stream:
        for row, line in enumerate(stream, start=1):
            if line.strip():
                records.add(row, _json_object(line), line)
    return records.table(encoding)


class _Records:
    """Collects objects until they become a table."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._records: list[dict[str, str]] = []
        self._numbers: list[int] = []
        self._bad: dict[int, str] = {}
        self._keys: dict[str, None] = {}

    def add(self, row: int, record: dict[str, Any] | None, raw: Any) -> None:
        """One object; None where there is none, then `raw` is what was there."""
        if record is None:
            self._bad[row] = text_of(raw).strip()[:MAX_BAD_CHARS]
            return
        self._keys.update(dict.fromkeys(record))
        if len(self._keys) > MAX_COLUMNS:
            column_names(self._keys, self.path)  # raises
        self._records.append({key: text_of(value) for key, value in record.items()})
        self._numbers.append(row)

    def table(self, encoding: str) -> Table:
        """Raises: DataError: not one object."""
        if not self._keys:
            where = f"{self.path.name}, line {next(iter(self._bad))}" if self._bad else self.path.name
            raise DataError("No line is a JSON object.", where=where, hint='Write one object a line: {"title": "..."}.')
        names = column_names(self._keys, self.path)
        columns = [
            pa.array((record.get(key, "") for record in self._records), type=pa.large_string()) for key in self._keys
        ]
        frame = text_frame(pa.Table.from_arrays(columns, names=names), np.array(self._numbers))
        findings = encoding_finding(self.path, encoding)
        table = Table(self.path.name, frame, len(self._records) + len(self._bad), findings, self._bad)
        message = "Lines that are not a JSON object are set aside."
        return replace(table, findings=(*findings, *table.finding("hurts", "bad-json", message, self._bad, aside=True)))


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line, **_AS_WRITTEN)
    except (ValueError, RecursionError):
        return None
    return {text_of(key): part for key, part in value.items()} if isinstance(value, dict) else None


def read_json(path: Path) -> Table:
    """A JSON document: a list of objects, an object that holds one, or an object of columns.

    Raises:
        DataError: not text, not JSON, too large, or no table in it.
    """
    if _has_lines(path):
        return read_jsonl(path)
    if path.stat().st_size > MAX_JSON_BYTES:
        hint = "Write one object a line and name the file .jsonl."
        raise DataError(f"A JSON document of more than {MAX_JSON_BYTES:,} bytes.", where=path.name, hint=hint)
    encoding = detect_encoding(path, lines=False)
    try:
        content = json.loads(path.read_text(encoding=encoding), **_AS_WRITTEN)
    except RecursionError as error:
        raise DataError("The JSON is nested too deeply.", where=path.name) from error
    except ValueError as error:
        place = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(f"This is not JSON ({error}).", where=f"{path.name}{place}") from error
    rows = _rows_in(content)
    if rows is None:
        hint = 'Write a list of objects: [{"title": "..."}, ...].'
        raise DataError("There is no list of objects in this JSON.", where=path.name, hint=hint)
    records = _Records(path)
    for row, value in enumerate(rows, start=1):
        records.add(row, value if isinstance(value, dict) else None, value)
    return records.table(encoding)


def _has_lines(path: Path) -> bool:
    """Whether the first two lines are objects: JSON lines, whatever the file is called."""
    with path.open("rb") as stream:
        starts = [stream.readline(MAX_LINE_BYTES) for _ in range(2)]
    return all(_json_object(line.decode("utf-8", errors="replace")) is not None for line in starts)


def _rows_in(content: Any) -> list[Any] | None:
    """The list of objects in a document: itself, the longest one that it holds by name, or its columns turned."""
    if isinstance(content, list):
        return content if any(isinstance(value, dict) for value in content) else None
    if not isinstance(content, dict) or not content:
        return None
    lists = [value for value in content.values() if isinstance(value, list)]
    tables = [value for value in lists if any(isinstance(part, dict) for part in value)]
    if tables:
        return max(tables, key=len)
    columns = [list(value.values()) if isinstance(value, dict) else value for value in content.values()]
    if all(isinstance(column, list) for column in columns) and len({len(column) for column in columns}) == 1:
        return [dict(zip(content, row, strict=True)) for row in zip(*columns, strict=True)]
    return list(content.values()) if all(isinstance(value, dict) for value in content.values()) else None
