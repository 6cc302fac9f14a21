"""What a user can set for a run. It knows its own limits and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gpr.errors import RunError
from gpr.lm.install import DEFAULT_BASE

RUN_NAME = re.compile(r"[\w][\w.-]{0,63}")


@dataclass(frozen=True)
class Options:
    """Settings of one fine-tuning; None means the default for the data at hand."""

    epochs: int | None = None
    """Times that every training row is shown."""
    max_minutes: float | None = None
    """Bound on the whole run, from reading to saved."""
    seed: int = 0
    """Of the split (where it is made), the order of the rows, and the new weights."""
    base: str = DEFAULT_BASE
    """Base model: a name, a local folder or a hub id."""
    learning_rate: float = 5e-4
    """Of the LoRA weights, at its peak."""
    rank: int = 16
    """Of the LoRA matrices."""
    trained_share: float = 1 / 3
    """Share of the layers, from the top, that get LoRA; the layers below are frozen and their output is kept."""
    batch_tokens: int = 512
    """Tokens of training rows in a step."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("epochs", self.epochs, 1, 1_000),
            ("max-minutes", self.max_minutes, 0.1, 100_000),
            ("seed", self.seed, 0, 2**31),
            ("learning rate", self.learning_rate, 1e-7, 0.1),
            ("rank", self.rank, 1, 512),
            ("trained share", self.trained_share, 0.01, 1),
            ("batch tokens", self.batch_tokens, 16, 1_000_000),
        ):
            if value is not None and not low <= value <= high:
                raise RunError(f"The {name} is {value:g}; it must lie between {low:g} and {high:,g}.")


def check_name(name: str) -> str:
    """The name of a run, which is also a folder's.

    Raises:
        RunError: it is not a plain name.
    """
    if not RUN_NAME.fullmatch(name):
        raise RunError(f"'{name[:80]}' cannot name a run.", hint="Use letters, digits, '-', '_' and '.', at most 64.")
    return name
