"""Every failure that a user can mend, as one tree. The UI and the CLI show them as they are; anything else is a bug.

GPRError
├── DataError        a file or table that cannot be read or used
├── RequestError     a request that cannot be answered: empty, too long, an unknown item, k too large
├── ModelError       a base model or adapter that is missing or does not fit
├── RunError         a run that does not exist, exists already, or is not finished
└── WorkspaceError   the disk is full, a folder is read-only, a database is damaged
"""

from __future__ import annotations


class GPRError(Exception):
    """What happened, where, and what to do about it, in words for the user.

    Args:
        what: one sentence, what happened.
        where: file, row, column, or the name of the thing; may be empty.
        hint: one sentence, what to do; may be empty.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" {self.hint}" if self.hint else ""
        return f"{place}{self.what}{advice}"


class DataError(GPRError):
    """A file or table that cannot be read or used."""


class RequestError(GPRError):
    """A request that cannot be answered."""


class ModelError(GPRError):
    """A base model or an adapter that is missing or does not fit."""


class RunError(GPRError):
    """A run that does not exist, exists already, or is not finished."""


class WorkspaceError(GPRError):
    """State that cannot be kept: a full disk, a read-only folder, a damaged database."""
