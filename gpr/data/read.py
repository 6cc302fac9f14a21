"""A file, a folder or an archive -> tables: what is there, in which format, and which part of the data each file is.

It does not know what the columns of a part mean (`columns`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from gpr.data.columnar import read_parquet
from gpr.data.dataset import Finding
from gpr.data.delimited import read_delimited
from gpr.data.layouts import PARTS, adapted, assign, dialect_of, is_noise
from gpr.data.packed import is_packed, unpack
from gpr.data.records import read_json, read_jsonl
from gpr.data.sheets import read_workbook
from gpr.data.table import Part, Table
from gpr.errors import DataError

MAX_BYTES = 2 * 1024**3

FORMATS = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".txt": "delimited",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "workbook",
    ".xlsm": "workbook",
    ".inter": "delimited",
    ".item": "delimited",
    ".user": "delimited",
    ".data": "delimited",
    ".dat": "delimited",
}
_OF_LAYOUTS = (".xlsm", ".inter", ".item", ".user", ".data", ".dat", ".tab", ".pq", ".ndjson")
"""Endings that are read but not advertised."""


def read(path: Path, *, max_bytes: int = MAX_BYTES) -> dict[Part, Table]:
    """The tables of a file (one, `single`), or of a folder or archive (`items` and any of `pairs`, `interactions`,
    `users`).

    A folder with one table is that table alone. Tables that are no part of the data are left out with a finding.

    Raises:
        DataError: the path does not exist or cannot be read, or a file is not a usable table.
    """
    with reading(path):
        if path.is_file() or not path.is_dir():
            found = [path]
        else:
            found = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    return read_files(found, place=str(path), max_bytes=max_bytes)


def read_files(found: Sequence[Path], *, place: str = "", max_bytes: int = MAX_BYTES) -> dict[Part, Table]:
    """The same of files that may lie anywhere, as they are dropped together.

    Raises:
        DataError: as `read`.
    """
    place = place or ", ".join(path.name for path in found[:5])
    with reading(Path(place)), ExitStack() as stack:
        files = [file for one in found for file in _plain(one, stack, max_bytes)]
        tables = [table for file in _usable(files, place) for table in _read_file(file, max_bytes=max_bytes)]
        return _parts(tables, place)


def _plain(path: Path, stack: ExitStack, max_bytes: int, depth: int = 0) -> list[Path]:
    """The file itself, or what is packed in it; an archive in an archive is not opened."""
    if not is_packed(path) or not path.is_file():
        return [path]
    if depth > 1 or (depth and path.suffix.casefold() == ".zip"):
        return []
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gpr-unpacked-", ignore_cleanup_errors=True)))
    members = unpack(path, folder, max_bytes=max_bytes)
    return [file for member in members for file in _plain(member, stack, max_bytes, depth + 1)]


def _usable(files: list[Path], place: str) -> list[Path]:
    if len(files) == 1:
        return files
    usable = [file for file in files if file_format(file) and not is_noise(file, files)]
    if not usable:
        hint = f"Add items.csv ({known_formats()})."
        raise DataError("There is no table in it.", where=place, hint=hint)
    return usable


def _parts(tables: list[Table], place: str) -> dict[Part, Table]:
    tables = [adapted(table) for table in tables]
    if len(tables) == 1:
        return {"single": tables[0]}
    parts, left_out = assign(tables, place)
    if left_out:
        names = ", ".join(table.file for table in left_out[:5])
        message = f"Left out, since they are none of {', '.join(PARTS)} by their names and columns: {names}."
        note = Finding("info", "file-left-out", message, left_out[0].file, count=len(left_out))
        main: Part = "items" if "items" in parts else next(iter(parts))
        parts[main] = replace(parts[main], findings=(*parts[main].findings, note))
    return {"single": next(iter(parts.values()))} if len(parts) == 1 else parts


def read_table(path: Path, *, max_bytes: int = MAX_BYTES) -> Table:
    """The one table in a file that is not packed.

    Raises:
        DataError: does not exist, is empty, too large, of an unknown type, may not be read, or is not a usable table.
    """
    with reading(path):
        return _read_file(path, max_bytes=max_bytes)[0]


def _read_file(path: Path, *, max_bytes: int) -> list[Table]:
    size = path.stat().st_size
    if not path.is_file():
        raise DataError("This is not a file.", where=str(path))
    kind = file_format(path)
    if not kind:
        raise DataError(
            f"Files of type '{path.suffix or 'none'}' cannot be read.",
            where=path.name,
            hint=f"Save the table as one of {known_formats()}.",
        )
    if size == 0:
        raise DataError("The file is empty (0 bytes).", where=path.name, hint="Save or copy it again.")
    if size > max_bytes:
        raise DataError(
            f"The file has {size:,} bytes; the limit is {max_bytes:,}.",
            where=path.name,
            hint="Split it, or keep fewer rows and columns.",
        )
    if kind == "workbook":
        return list(read_workbook(path, max_bytes=max_bytes).values())
    if kind == "parquet":
        return [read_parquet(path, max_bytes=max_bytes)]
    if kind in ("json", "jsonl"):
        return [read_json(path) if kind == "json" else read_jsonl(path)]
    return [read_delimited(path, dialect_of(path))]


def file_format(path: Path) -> str:
    """'delimited', 'json', 'jsonl', 'parquet', 'workbook', or '' for an unknown type; `x.parquet.brotli` is Parquet."""
    endings = [ending.casefold() for ending in path.suffixes[-2:]]
    if ".parquet" in endings:
        return "parquet"
    return FORMATS.get(endings[-1], "") if endings else ""


def stem(path: Path) -> str:
    """The file's name without what says its format: 'items' of items.csv, items.csv.gz and items.parquet.brotli."""
    name = path.name
    if is_packed(path):
        name = name[: -len(path.suffix)]
    name = name.removesuffix(Path(name).suffix) if Path(name).suffix.casefold() in (*FORMATS, ".brotli") else name
    return name[: -len(".parquet")] if name.casefold().endswith(".parquet") else name


def known_formats() -> str:
    return ", ".join(ending for ending in FORMATS if ending not in _OF_LAYOUTS) + ", also as .gz and .zip"


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what the operating system says into a DataError."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError("There is no such file or folder.", where=str(path), hint="Check the path.") from error
    except PermissionError as error:
        raise DataError("GPR may not read this.", where=str(path), hint="Change its permissions.") from error
    except OSError as error:
        raise DataError(f"This cannot be read ({error.strerror or error}).", where=str(path)) from error
