"""Uploaded files -> a folder of the workspace that can be chosen like a sample. It does not read them."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from gpr.data.read import stem
from gpr.data.samples import SAMPLES
from gpr.errors import DataError
from gpr.files import disk_error, written_whole

GENERAL = {"items", "pairs", "interactions", "users", "data", "catalogue"}
"""Names of files that say nothing of the data."""
MAX_NAME = 40


def plain_name(text: str) -> str:
    """A name that can be a folder's: letters and digits of any language, '-', '_'; '' if nothing is left."""
    folded = unicodedata.normalize("NFKC", text).strip()
    return re.sub(r"[^\w-]+", "-", folded).strip("-_")[:MAX_NAME].strip("-_")


def suggest_name(files: Sequence[str]) -> str:
    """A name for uploaded files: that of the first which has one of its own."""
    names = [plain_name(stem(Path(file))) for file in files]
    return next((name for name in names if name and name.casefold() not in GENERAL), "my-data")


def keep(files: Sequence[str], name: str, folder: Path) -> Path:
    """Copies the files into `folder/name`, or name-2 where that is taken; all of them or none.

    Raises:
        DataError: no file, or two with one name.
        WorkspaceError: the disk is full or read-only.
    """
    if not files:
        raise DataError("No file was chosen.", hint="Choose or drop one first.")
    paths = [Path(file) for file in files]
    if len({path.name for path in paths}) < len(paths):
        raise DataError("Two of the files have the same name.", hint="Rename one.")
    target = _free(folder, plain_name(name) or suggest_name(files))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, folder) from error
    with written_whole(target) as partial:
        partial.mkdir()
        for path in paths:
            shutil.copyfile(path, partial / path.name)
    return target


def forget(folder: Path) -> None:
    """Removes what could not be used after all."""
    shutil.rmtree(folder, ignore_errors=True)


def _free(folder: Path, name: str) -> Path:
    number, target = 1, folder / name
    while target.exists() or target.name in SAMPLES:
        number += 1
        target = folder / f"{name}-{number}"
    return target
