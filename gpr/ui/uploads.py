"""Names for what is uploaded. It does not read the files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from gpr.data.read import stem
from gpr.data.samples import SAMPLES
from gpr.data.store import DataStore

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


def free_name(name: str, store: DataStore) -> str:
    """The name, or name-2 where a sample or a kept data set has it."""
    number, free = 1, name
    while free in SAMPLES or store.folder(free).exists():
        number += 1
        free = f"{name}-{number}"
    return free
