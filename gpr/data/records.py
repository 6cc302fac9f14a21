"""JSON lines and Parquet -> Table: values become what a person would write, so that an id never turns into a float.

It does not know what a column means.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from gpr.data.delimited import detect_encoding, encoding_finding
from gpr.data.table import MAX_COLUMNS, Table, column_names
from gpr.errors import DataError


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
    records: list[dict[str, str]] = []
    numbers: list[int] = []
    bad: list[int] = []
    keys: dict[str, None] = {}
    with path.open(encoding=encoding) as stream:
        for row, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            record = _json_object(line)
            if record is None:
                bad.append(row)
                continue
            keys.update(dict.fromkeys(record))
            if len(keys) > MAX_COLUMNS:
                column_names(keys, path)  # raises
            records.append({key: text_of(value) for key, value in record.items()})
            numbers.append(row)
    if not keys:
        where = f"{path.name}, line {bad[0]}" if bad else path.name
        raise DataError("No line is a JSON object.", where=where, hint='Write one object a line: {"title": "..."}.')
    frame = pd.DataFrame(records, index=numbers, columns=list(keys)).fillna("").astype("str")
    frame.columns = pd.Index(column_names(keys, path))
    table = Table(path.name, frame, len(records) + len(bad), encoding_finding(path, encoding))
    findings = table.finding("hurts", "bad-json", "Lines that are not a JSON object are set aside.", bad)
    return Table(table.file, table.frame, table.rows, (*table.findings, *findings))


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line, parse_int=str, parse_float=str, parse_constant=lambda _: "")
    except (ValueError, RecursionError):
        return None
    return {text_of(key): part for key, part in value.items()} if isinstance(value, dict) else None


def read_parquet(path: Path, *, max_bytes: int) -> Table:
    """A Parquet file of any codec.

    Raises:
        DataError: not Parquet, damaged, no rows or columns, or more than `max_bytes` when decompressed.
    """
    try:
        with pq.ParquetFile(path) as file:
            meta = file.metadata
            size = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
            if size > max_bytes:
                raise DataError(
                    f"The table is {size:,} bytes when decompressed; the limit is {max_bytes:,}.",
                    where=path.name,
                    hint="Split it, or keep fewer rows and columns.",
                )
            data = file.read()
        names = column_names(data.column_names, path)
        columns = {
            name: pd.Series([text_of(value) for value in column.to_pylist()], dtype="str")
            for name, column in zip(names, data.columns, strict=True)
        }
    except (OSError, ValueError, ArithmeticError, NotImplementedError) as error:  # pyarrow's errors derive from these
        if isinstance(error, PermissionError):
            raise
        first = str(error).partition("\n")[0][:200]
        raise DataError(f"The file cannot be read as Parquet ({first}).", where=path.name) from error
    if not names or not data.num_rows:
        raise DataError(f"The table has {len(names)} columns and {data.num_rows} rows.", where=path.name)
    frame = pd.DataFrame(columns)
    frame.index = pd.RangeIndex(1, data.num_rows + 1)
    return Table(path.name, frame, data.num_rows)
