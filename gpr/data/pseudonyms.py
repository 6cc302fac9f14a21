"""User ids as keyed hashes: one person has one in all files, and nobody without the key can tell who it is.

HMAC-SHA-256, cut to 64 bits. The key stays in the workspace and is part of no export.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from gpr.data.columns import guess_columns
from gpr.data.personal import NAMED
from gpr.data.synonyms import Role
from gpr.data.table import Part, Table, fold, fold_all

KEY_BYTES = 32
PREFIX = "u-"


class Pseudonyms:
    """Hashes with the key in a file, which is made where it is missing.

    Raises:
        OSError: the file cannot be made or read.
    """

    def __init__(self, path: Path) -> None:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
        self._key = path.read_bytes()

    def of(self, user: str) -> str:
        """The pseudonym of a user's id; '' of none. What was stored as '[e-mail u-0123456789abcdef]' keeps its own."""
        text = fold(user)
        if not text:
            return ""
        if named := NAMED.fullmatch(text):
            return named[2]
        return PREFIX + hmac.new(self._key, text.encode("utf-8", errors="replace"), hashlib.sha256).hexdigest()[:16]

    def hide(self, table: Table, columns: Iterable[str]) -> Table:
        """The table with pseudonyms in these columns."""
        frame = table.frame.copy(deep=False)
        for name in columns:
            codes, distinct = pd.factorize(fold_all(frame[name]))
            hidden = np.array([self.of(text) for text in distinct], dtype=object)
            frame[name] = pd.Series(hidden[codes], index=frame.index, dtype="str")
        return replace(table, frame=frame, unread=dict.fromkeys(table.unread, "(not kept)"))


def user_columns(table: Table, part: Part, chosen: dict[str, Role]) -> list[str]:
    """The columns with the ids of users: by the user's word, else as GPR guesses."""
    guessed = {name for name, meaning in guess_columns(table, part).items() if meaning.role == "user_id"}
    said = {name for name, role in chosen.items() if role == "user_id" and name in table.frame}
    return [name for name in table.frame.columns if name in said or (name in guessed and not said)]
