"""Text with separators (CSV, TSV and their kin) -> Table: finds encoding and separator, keeps every value as written.

It does not know what a column means, nor JSON and Parquet (`records`), which share `detect_encoding`.
"""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from charset_normalizer import from_bytes

from gpr.data.dataset import Finding
from gpr.data.table import Table, column_names
from gpr.errors import DataError

SEPARATORS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"}
ONE_COLUMN = "\x1f"
"""The 'separator' of a file with one column, where a comma is just a comma: a character that text does not hold."""
FALLBACK_ENCODINGS = ["gb18030", "cp1252", "latin_1"]
"""Tried on what is not Unicode; cp1252 is Latin-1 with curly quotes and dashes."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = {
    b"PAR1": "a Parquet file; name it .parquet",
    b"PK\x03\x04": "a zip or Excel file; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel file; save the sheet as CSV",
    b"\x1f\x8b": "compressed (gzip); decompress it first",
    b"%PDF": "a PDF file",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
}
_BLOCK = 1 << 20
_SAMPLE_BYTES = 32_768
_SAMPLE_ROWS = 50
_CHUNK_ROWS = 200_000


def read_delimited(path: Path) -> Table:
    """The table in a CSV-like file.

    A row with another number of fields than the header is set aside with a finding; empty fields beyond the
    header are dropped.

    Raises:
        DataError: binary, undecodable, unbalanced quotes, no header, a header alone, or no row that fits the header.
    """
    encoding = detect_encoding(path)
    separator = detect_separator(path, encoding)
    records = _records(path, encoding, separator)
    header = next((fields for _, fields in records if any(fields)), None)
    if header is None:
        raise DataError("The file is empty.", where=path.name, hint="The first line names the columns.")
    names = column_names(header, path)
    rows = _Rows(names)
    for row, fields in records:
        rows.add(row, fields)
    if not rows.total:
        seen = ", ".join(names[:10])
        raise DataError(f"The file has a header ({seen}) but no rows.", where=path.name, hint="Add one row per item.")
    if len(rows.ragged) == rows.total:
        raise DataError(
            f"No row has the {len(names)} fields of the header (separator: {SEPARATORS.get(separator, 'none')}).",
            where=f"{path.name}, row {rows.ragged[0]}",
            hint="Check the separator and the first line.",
        )
    frame = rows.frame()
    blank = [name for name, raw in zip(names, header, strict=True) if not raw.strip() and not frame[name].any()]
    table = Table(path.name, frame.drop(columns=blank), rows.total, encoding_finding(path, encoding))
    message = f"Rows whose number of fields is not the header's ({len(names)}) are set aside."
    ragged = table.finding("hurts", "ragged-row", message, rows.ragged)
    return Table(table.file, table.frame, table.rows, (*table.findings, *ragged))


@dataclass
class _Rows:
    """Collects rows of one width, and turns them into a frame a chunk at a time to save memory."""

    names: list[str]
    total: int = 0
    ragged: list[int] = field(default_factory=list)
    _fields: list[list[str]] = field(default_factory=list)
    _numbers: list[int] = field(default_factory=list)
    _chunks: list[pd.DataFrame] = field(default_factory=list)

    def add(self, row: int, fields: list[str]) -> None:
        if not any(fields):
            return
        self.total += 1
        width = len(self.names)
        if len(fields) != width:
            if len(fields) < width or any(fields[width:]):
                self.ragged.append(row)
                return
            fields = fields[:width]
        self._fields.append(fields)
        self._numbers.append(row)
        if len(self._fields) >= _CHUNK_ROWS:
            self._flush()

    def _flush(self) -> None:
        columns = {name: list(values) for name, values in zip(self.names, zip(*self._fields, strict=True), strict=True)}
        self._chunks.append(pd.DataFrame(columns, index=self._numbers, dtype="str"))
        self._fields, self._numbers = [], []

    def frame(self) -> pd.DataFrame:
        if self._fields:
            self._flush()
        return pd.concat(self._chunks) if len(self._chunks) > 1 else self._chunks[0]


def _records(path: Path, encoding: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(row, fields); the first filled record, the header, is row 0, blank ones after it count."""
    row = 0
    with path.open(encoding=encoding, newline="") as stream:
        reader = csv.reader(stream, delimiter=separator, strict=True, skipinitialspace=True)
        try:
            for fields in reader:
                yield row, fields
                row += 1 if row or any(fields) else 0
        except csv.Error as error:
            raise DataError(
                f"The quotes are not balanced ({error}).",
                where=f"{path.name}, {f'row {row}' if row else 'header'}",
                hint='Close the quote, and write a quote inside a quoted field twice ("").',
            ) from error


def detect_separator(path: Path, encoding: str) -> str:
    """The separator that splits the header and gives the most rows (of the first 50) as many fields as the header."""
    best, best_score = ONE_COLUMN, (0.0, 0)
    for separator in SEPARATORS:
        widths = []
        try:
            for _, fields in itertools.islice(_records(path, encoding, separator), _SAMPLE_ROWS):
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


def encoding_finding(path: Path, encoding: str) -> tuple[Finding, ...]:
    """A note if the encoding was a guess."""
    if encoding.startswith("utf"):
        return ()
    message = f"The text is not Unicode; it was read as {encoding}. If letters look wrong, save the file as UTF-8."
    return (Finding("info", "encoding", message, path.name),)


def detect_encoding(path: Path) -> str:
    """The name of an encoding that decodes the whole file.

    Raises:
        DataError: the file is binary, a damaged UTF-8 text, or in no encoding that is known.
    """
    with path.open("rb") as stream:
        head = stream.read(_SAMPLE_BYTES)
    kind = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")
    if kind:
        raise DataError(f"This is not text but {kind}.", where=path.name)
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "") or _wide_encoding(path, head)
    if encoding:
        _must_decode(path, encoding)
        return encoding
    line = _undecodable_line(path, "utf-8")
    if line is None:
        return "utf-8"
    sample = _foreign_lines(path)
    text = sample.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    if sum(not char.isascii() for char in text) - damaged > 2 * damaged:
        raise DataError(
            "The text is UTF-8 but for a few bytes that are damaged.",
            where=f"{path.name}, line {line}",
            hint="Save the file as UTF-8 again.",
        )
    guess = from_bytes(sample, cp_isolation=FALLBACK_ENCODINGS).best()
    if guess is None:
        raise _not_text(path, line)
    _must_decode(path, guess.encoding)
    return str(guess.encoding)


def _wide_encoding(path: Path, head: bytes) -> str:
    """UTF-16 without a byte order mark has its zero bytes on one side; zero bytes on both sides are not text."""
    zeros = [position for position, byte in enumerate(head) if byte == 0]
    if not zeros:
        return ""
    sides = {position % 2 for position in zeros}
    if len(sides) == 2 or len(zeros) < len(head) / 10:
        raise _not_text(path, 1)
    return "utf-16-le" if sides == {1} else "utf-16-be"


def _must_decode(path: Path, encoding: str) -> None:
    line = _undecodable_line(path, encoding)
    if line is not None:
        raise _not_text(path, line)


def _not_text(path: Path, line: int) -> DataError:
    return DataError(
        "The file is binary or in an encoding that GPR cannot tell.",
        where=f"{path.name}, line {line}",
        hint="Save the table as CSV in UTF-8.",
    )


def _undecodable_line(path: Path, encoding: str) -> int | None:
    """The 1-based line of the first bytes that are not in `encoding`; None if there are none."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as stream:
        while True:
            block = stream.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                before = error.object[: error.start]
                return line + max(before.count(b"\n"), before.count(b"\r"))
            if not block:
                return None
            line += max(text.count("\n"), text.count("\r"))


def _foreign_lines(path: Path) -> bytes:
    """Up to 32 KiB of the lines that are not ASCII, from which an encoding can be told."""
    found, size = [], 0
    with path.open("rb") as stream:
        while size < _SAMPLE_BYTES and (block := stream.read(_BLOCK)):
            for line in block.splitlines():
                if not line.isascii() and size < _SAMPLE_BYTES:
                    found.append(line[:_SAMPLE_BYTES])
                    size += len(found[-1])
    return b"\n".join(found)
