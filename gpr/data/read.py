"""A file or a folder -> tables, by the names of the files.

It knows which formats there are and what a folder may hold; it does not know what a column means (`columns`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gpr.data.dataset import Finding
from gpr.data.delimited import read_delimited
from gpr.data.records import read_jsonl, read_parquet
from gpr.data.table import Part, Table
from gpr.errors import DataError

MAX_BYTES = 2 * 1024**3

FORMATS = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".tab": "delimited",
    ".txt": "delimited",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
PARTS: dict[Part, tuple[str, ...]] = {
    "items": ("items", "item", "catalogue", "catalog", "products", "movies"),
    "pairs": ("pairs", "queries"),
    "interactions": ("interactions", "ratings", "events", "clicks"),
    "users": ("users",),
}
"""The names (without ending) that a folder's files go by; the first of each is the one to use."""


def read(path: Path, *, max_bytes: int = MAX_BYTES) -> dict[Part, Table]:
    """The tables of a file (one, `single`) or of a folder (`items` and any of `pairs`, `interactions`, `users`).

    A folder with one table is that table alone. Tables with other names are left out with a finding.

    Raises:
        DataError: the path does not exist or cannot be read, or a file is not a usable table.
    """
    with reading(path):
        if path.is_file() or not path.is_dir():
            return {"single": read_table(path, max_bytes=max_bytes)}
        files = sorted(file for file in path.iterdir() if file_format(file) and not file.name.startswith("."))
        files = [file for file in files if file.is_file()]
    if not files:
        raise DataError("The folder holds no table.", where=str(path), hint=f"Add items.csv ({known_formats()}).")
    if len(files) == 1:
        return {"single": read_table(files[0], max_bytes=max_bytes)}
    chosen = _parts_of(files, path)
    tables = {part: read_table(file, max_bytes=max_bytes) for part, file in chosen.items()}
    left_out = [file.name for file in files if file not in chosen.values()]
    if left_out:
        names = ", ".join(left_out[:5])
        message = f"Left out, since the name is none of {', '.join(PARTS)}: {names}."
        note = Finding("info", "file-left-out", message, left_out[0], count=len(left_out))
        tables["items"] = replace(tables["items"], findings=(*tables["items"].findings, note))
    return tables


def _parts_of(files: list[Path], folder: Path) -> dict[Part, Path]:
    chosen: dict[Part, Path] = {}
    for part, names in PARTS.items():
        fitting = [file for file in files if stem(file).casefold() in names]
        if len(fitting) > 1:
            both = " and ".join(file.name for file in fitting[:2])
            raise DataError(f"Both {both} could be the {part}.", where=str(folder), hint="Remove or rename one.")
        if fitting:
            chosen[part] = fitting[0]
    if "items" not in chosen:
        seen = ", ".join(file.name for file in files[:10])
        hint = "Name the catalogue items.csv."
        raise DataError(f"There is no items file among {seen}.", where=str(folder), hint=hint)
    return chosen


def read_table(path: Path, *, max_bytes: int = MAX_BYTES) -> Table:
    """The table in one file.

    Raises:
        DataError: does not exist, is empty, too large, of an unknown type, may not be read, or is not a usable table.
    """
    with reading(path):
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
        if kind == "parquet":
            return read_parquet(path, max_bytes=max_bytes)
        return read_jsonl(path) if kind == "jsonl" else read_delimited(path)


def file_format(path: Path) -> str:
    """'delimited', 'jsonl', 'parquet', or '' for an unknown type; `x.parquet.brotli` is Parquet."""
    endings = [ending.casefold() for ending in path.suffixes[-2:]]
    if ".parquet" in endings:
        return "parquet"
    return FORMATS.get(endings[-1], "") if endings else ""


def stem(path: Path) -> str:
    """The file's name without the ending that says its format: 'items' of items.csv and of items.parquet.brotli."""
    name = path.name.removesuffix(path.suffix)
    return name[: -len(".parquet")] if name.casefold().endswith(".parquet") else name


def known_formats() -> str:
    return ", ".join(FORMATS)


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
