"""The encoding of a text file: told from its bytes, and sure to decode all of it.

It does not know what the text says.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from charset_normalizer import from_bytes

from gpr.data.dataset import Finding
from gpr.errors import DataError

MAX_LINE_BYTES = 32 * 1024**2
"""A longer line is no row of a table."""
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
    b"PK\x03\x04": "a zip or Excel file; name it .zip or .xlsx",
    b"\xd0\xcf\x11\xe0": "an old Excel file; save it as .xlsx",
    b"\x1f\x8b": "compressed (gzip); name it .csv.gz",
    b"%PDF": "a PDF file",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
}
_BLOCK = 1 << 20
_SAMPLE_BYTES = 32_768


def encoding_finding(path: Path, encoding: str) -> tuple[Finding, ...]:
    """A note if the encoding was a guess."""
    if encoding.startswith("utf"):
        return ()
    message = f"The text is not Unicode; it was read as {encoding}. If letters look wrong, save the file as UTF-8."
    return (Finding("info", "encoding", message, path.name),)


def detect_encoding(path: Path, *, lines: bool = True) -> str:
    """The name of an encoding that decodes the whole file.

    Args:
        lines: the file will be read line by line, so that none may be too long.

    Raises:
        DataError: the file is binary, has too long a line, is a damaged UTF-8 text, or in no encoding that is known.
    """
    if lines:
        _must_have_lines(path)
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


def _must_have_lines(path: Path) -> None:
    """Lines are read whole, so one of gigabytes has to be refused before."""
    line, run = 1, 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            breaks = max(block.count(b"\n"), block.count(b"\r"))
            last = max(block.rfind(b"\n"), block.rfind(b"\r"))
            run = len(block) - 1 - last if breaks else run + len(block)
            line += breaks
            if run > MAX_LINE_BYTES:
                raise DataError(
                    f"The line is longer than {MAX_LINE_BYTES:,} bytes.",
                    where=f"{path.name}, line {line}",
                    hint="Is this a table? Write one row a line.",
                )


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
