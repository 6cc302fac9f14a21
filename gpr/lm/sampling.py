"""How freely text is written. It loads no model, so that a page can offer it."""

from __future__ import annotations

from dataclasses import dataclass

from gpr.errors import RequestError

MOST_NUMBER, MOST_TEMPERATURE = 8, 2.0


@dataclass(frozen=True)
class Sampling:
    """How freely text is written."""

    number: int = 4
    """Of continuations, 1 to MOST_NUMBER."""
    temperature: float = 0.0
    """0 takes the likeliest token, 1 samples as the model says."""
    seed: int = 0
    """Of the sampling: equal seeds write equal texts."""
    length: int = 32
    """Tokens, at most."""

    def __post_init__(self) -> None:
        if not 1 <= self.number <= MOST_NUMBER:
            raise RequestError(f"{self.number} texts cannot be written at once.", hint=f"Ask for 1 to {MOST_NUMBER}.")
        if not 0 <= self.temperature <= MOST_TEMPERATURE:
            raise RequestError(
                f"A temperature of {self.temperature:g} is not possible.", hint=f"Use 0 to {MOST_TEMPERATURE:g}."
            )
