"""One thing that a check noticed about data. It knows rows by their numbers only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Grade = Literal["stops", "hurts", "info"]


@dataclass(frozen=True)
class Finding:
    """One thing that `check` noticed. `row` is the 1-based line of data in the file (the header does not count)."""

    grade: Grade
    """stops: training cannot start; hurts: results will suffer; info: for your information."""
    code: str
    """A stable name such as `duplicate-title`."""
    message: str
    """What was seen and what GPR does about it."""
    file: str = ""
    row: int | None = None
    column: str = ""
    count: int = 1
    aside: bool = False
    """Whether its rows are set aside: read, but not used."""
    rows: np.ndarray | None = field(default=None, compare=False, repr=False)
    """(count,) all rows that it is about; None where it is about no row in particular."""
