"""The way in: a sample's name, a folder, an archive or a file -> Dataset.

It knows nothing of formats and columns itself.
"""

from __future__ import annotations

import difflib
import errno
import os
from pathlib import Path

from gpr.data import kept
from gpr.data.build import build
from gpr.data.choices import Choices
from gpr.data.dataset import Dataset
from gpr.data.hub import is_hub_name, read_hub
from gpr.data.read import FORMATS, MAX_BYTES, read, read_files, stem
from gpr.data.samples import SAMPLES, sample_folder
from gpr.data.table import Part, Table
from gpr.errors import DataError

__all__ = ["load", "read_files", "read_tables"]


def load(
    data: str | Path, *, cache: Path, seed: int = 0, max_bytes: int = MAX_BYTES, choices: Choices | None = None
) -> Dataset:
    """The data set behind a sample's name, a folder, an archive or a file.

    Write './movies' for a folder with a sample's name.

    Args:
        cache: where a downloaded sample is kept.
        seed: for the random split of pairs that come without one.
        max_bytes: the size of a file above which it is refused.
        choices: what the user decided.

    Raises:
        DataError: nothing is there, or it cannot be used.
    """
    folder = kept_folder(data)
    if folder:
        known = kept.read_kept(folder)
        return build(kept.read_tables(folder), name=known.name, seed=seed, choices=choices or known.choices)
    name, tables = read_tables(data, cache=cache, max_bytes=max_bytes)
    return build(tables, name=name, seed=seed, choices=choices)


def read_tables(data: str | Path, *, cache: Path, max_bytes: int = MAX_BYTES) -> tuple[str, dict[Part, Table]]:
    """The name and the tables of what `load` takes, not yet understood.

    Raises:
        DataError: nothing is there, or it cannot be read.
    """
    if isinstance(data, str) and data.strip() in SAMPLES:
        return data.strip(), read(sample_folder(data.strip(), cache), max_bytes=max_bytes)
    if folder := kept_folder(data):
        return kept.read_kept(folder).name, kept.read_tables(folder)
    if is_hub_name(str(data)):
        return str(data).rpartition("/")[2].removeprefix("hf:"), {"single": read_hub(str(data))}
    if not str(data).strip() or "\0" in str(data):
        raise DataError("No data is named.", hint=f"Give a file, a folder, or a sample: {', '.join(SAMPLES)}.")
    path = Path(os.path.expanduser(data))
    if not _exists(path):
        raise _nothing_there(str(data), path)
    path = path.resolve()
    tables = read(path, max_bytes=max_bytes)
    return path.name if path.is_dir() else stem(path), tables


def kept_folder(data: str | Path) -> Path | None:
    """The folder of a kept data set, if that is what is named."""
    if (isinstance(data, str) and data.strip() in SAMPLES) or "\0" in str(data):
        return None
    path = Path(os.path.expanduser(data))
    try:
        return path if kept.is_kept(path) else None
    except OSError:  # a name too long
        return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # no permission, as `read` will say, or a name that no file can have
        return error.errno != errno.ENAMETOOLONG


def _nothing_there(data: str, path: Path) -> DataError:
    try:
        beside = [entry.name for entry in path.parent.iterdir() if entry.is_dir() or entry.suffix.casefold() in FORMATS]
    except OSError:
        beside = []
    close = [*difflib.get_close_matches(data, SAMPLES, n=2), *difflib.get_close_matches(path.name, beside, n=2)]
    advice = f"Did you mean {' or '.join(dict.fromkeys(close))}? " if close else ""
    hint = f"{advice}The samples are {', '.join(SAMPLES)}."
    return DataError(f"'{data[:200]}' is no sample, folder or file.", hint=hint)
