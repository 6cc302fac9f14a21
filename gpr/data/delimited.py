"""Text with separators (CSV, TSV and their kin) -> Table: finds encoding and separator, keeps every value as written.

It does not know what a column means, nor other formats.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gpr.data.dataset import Finding
from gpr.data.encoding import detect_encoding, encoding_finding
from gpr.data.quick import read_plain
from gpr.data.table import Table, column_names, text_frame
from gpr.errors import DataError

SEPARATORS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"}
ONE_COLUMN = "\x1f"
"""The 'separator' of a file with one column, where a comma is just a comma: a character that text does not hold."""
_SAMPLE_ROWS = 50
_BATCH_ROWS = 50_000
MAX_FIELD_CHARS = 1 << 20
csv.field_size_limit(MAX_FIELD_CHARS)  # of the whole process; the default, 128 KiB, is shorter than some articles


@dataclass(frozen=True)
class Dialect:
    """How a file is written, where that is known beforehand."""

    header: tuple[str, ...] = ()
    """The columns' names, for a file without a first line that says so."""
    separator: str = ""
    """'' = to be found. It may be longer than one character ('::')."""
    quoted: bool = True
    """Whether quotes enclose a field; else they are characters like others."""


def read_delimited(path: Path, dialect: Dialect | None = None) -> Table:
    """The table in a CSV-like file.

    A row with another number of fields than the header is set aside with a finding; empty fields beyond the
    header are dropped. Where quotes are not balanced but every row fits without them, they are read as characters.

    Raises:
        DataError: binary, undecodable, unbalanced quotes, no header, a header alone, or no row that fits the header.
    """
    encoding = detect_encoding(path)
    dialect = dialect or Dialect()
    dialect = replace(dialect, separator=dialect.separator or detect_separator(path, encoding))
    try:
        return _read(path, encoding, dialect)
    except _QuotesError as error:
        if dialect.quoted and error.row:
            with suppress(DataError):
                table = _read(path, encoding, replace(dialect, quoted=False))
                if not table.unread:
                    return _with(table, table.finding("hurts", "open-quotes", _AS_CHARACTERS, [max(1, error.row)]))
        raise


_AS_CHARACTERS = "The quotes are not balanced; they were read as characters like others, and every row fits."


class _QuotesError(DataError):
    """Quotes that are not balanced, from this row on (0 = header)."""

    row = 0


def _with(table: Table, findings: list[Finding]) -> Table:
    return replace(table, findings=(*table.findings, *findings))


def _read(path: Path, encoding: str, dialect: Dialect) -> Table:
    records = _records(path, encoding, dialect)
    header: Sequence[str] | None = dialect.header or next((fields for fields in records if any(fields)), None)
    if header is None:
        raise DataError("The file is empty.", where=path.name, hint="The first line names the columns.")
    names = column_names(header, path)
    rows = _Rows(names)
    plain = None
    if encoding == "utf-8" and len(dialect.separator) == 1 and len(names) > 1:
        plain = read_plain(path, dialect.separator, names, header=not dialect.header)
    if plain is not None and plain.num_rows:
        rows.add_columns(plain)
        records.close()
    while plain is None and (batch := list(itertools.islice(records, _BATCH_ROWS))):
        rows.add(batch)
    if not rows.total:
        seen = ", ".join(names[:10])
        raise DataError(f"The file has a header ({seen}) but no rows.", where=path.name, hint="Add one row per item.")
    if len(rows.ragged) == rows.total:
        raise DataError(
            f"No row has the {len(names)} fields of the header (separator: {_named(dialect.separator)}).",
            where=f"{path.name}, row {next(iter(rows.ragged))}",
            hint="Check the separator and the first line.",
        )
    frame = rows.frame()
    blank = [name for name, raw in zip(names, header, strict=True) if not raw.strip() and not frame[name].any()]
    table = Table(path.name, frame.drop(columns=blank), rows.total, encoding_finding(path, encoding), rows.ragged)
    message = f"Rows whose number of fields is not the header's ({len(names)}) are set aside."
    return _with(table, table.finding("hurts", "ragged-row", message, rows.ragged, aside=True))


def _named(separator: str) -> str:
    return SEPARATORS.get(separator, "none")


@dataclass
class _Rows:
    """Collects rows of one width, a batch at a time to save memory."""

    names: list[str]
    total: int = 0
    ragged: dict[int, str] = field(default_factory=dict)
    _read: int = 0
    _batches: list[pa.Table] = field(default_factory=list)
    _numbers: list[np.ndarray] = field(default_factory=list)

    def add_columns(self, columns: pa.Table) -> None:
        """All rows at once; those that are blank are none."""
        blank = np.logical_and.reduce([pc.equal(column, "").to_numpy() for column in columns.columns])
        self._batches.append(columns.filter(pa.array(~blank)) if blank.any() else columns)
        self._numbers.append(np.flatnonzero(~blank) + 1)
        self.total += int((~blank).sum())

    def add(self, batch: list[list[str]]) -> None:
        first = self._read + 1
        self._read += len(batch)
        if {len(fields) for fields in batch} == {len(self.names)} and (len(self.names) > 1 or all(map(any, batch))):
            columns = list(zip(*batch, strict=True))
            blank = [place for place, cell in enumerate(columns[0]) if not cell and not any(batch[place])]
            if not blank:
                self._keep(columns, np.arange(first, first + len(batch)))
                return
        kept, numbers = [], []
        for row, fields in enumerate(batch, first):
            fitting = self._fitted(row, fields)
            if fitting:
                kept.append(fitting)
                numbers.append(row)
        if kept:
            self._keep(list(zip(*kept, strict=True)), np.array(numbers))

    def _fitted(self, row: int, fields: list[str]) -> list[str]:
        """The fields as many as the header's; none for a blank row and for one that is set aside."""
        if not any(fields):
            return []
        width = len(self.names)
        if len(fields) < width or any(fields[width:]):
            self.total += 1
            self.ragged[row] = ", ".join(fields)
            return []
        return fields[:width]

    def _keep(self, columns: list[tuple[str, ...]], numbers: np.ndarray) -> None:
        self.total += len(numbers)
        arrays = [pa.array(column, type=pa.large_string()) for column in columns]
        self._batches.append(pa.Table.from_arrays(arrays, names=self.names))
        self._numbers.append(numbers)

    def frame(self) -> pd.DataFrame:
        return text_frame(pa.concat_tables(self._batches), np.concatenate(self._numbers))


def _records(path: Path, encoding: str, dialect: Dialect) -> Generator[list[str]]:
    """Rows as fields; blank lines on top are none."""
    row = 1 if dialect.header else 0
    separator = dialect.separator
    with path.open(encoding=encoding, newline="") as stream:
        lines: Iterable[str] = stream
        if len(separator) > 1:
            lines, separator = (line.replace(dialect.separator, ONE_COLUMN) for line in stream), ONE_COLUMN
        quoting: Any = csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE
        reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True, quoting=quoting)
        try:
            for fields in reader:
                if row or any(fields):
                    yield fields
                    row += 1
        except csv.Error as error:
            large = "field limit" in str(error)
            what = f"The quotes are not balanced ({error})."
            fault = _QuotesError(
                f"A field is longer than {MAX_FIELD_CHARS:,} characters; is a quote left open?" if large else what,
                where=f"{path.name}, {f'row {row}' if row else 'header'}",
                hint='Close the quote, and write a quote inside a quoted field twice ("").',
            )
            fault.row = row
            raise fault from error


def detect_separator(path: Path, encoding: str) -> str:
    """The separator that splits the header and gives the most rows (of the first 50) as many fields as the header."""
    best, best_score = ONE_COLUMN, (0.0, 0)
    for separator in SEPARATORS:
        widths = []
        try:
            for fields in itertools.islice(_records(path, encoding, Dialect(separator=separator)), _SAMPLE_ROWS):
                if any(fields):
                    widths.append(len(fields))
        except DataError:  # a wrong separator tears quoted fields apart; under the right one reading meets it again
            if not widths and best == ONE_COLUMN:
                best = separator  # the fault is in the header; if no other separator fits, reading says so
        if not widths or widths[0] < 2:
            continue
        fitting = sum(width == widths[0] for width in widths[1:]) / max(1, len(widths) - 1)
        if (fitting, widths[0]) > best_score:
            best, best_score = separator, (fitting, widths[0])
    return best
