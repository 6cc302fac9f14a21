"""What one scorer made of the test requests, kept small: all figures of an evaluation follow from it. Numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from gpr.evaluate.metrics import ranks

TOP = 10
"""Items of each list that are kept."""


@dataclass(frozen=True)
class Outcome:
    """One scorer on B requests."""

    ranks: NDArray[np.float64]
    """(B,) of the right item, from 1; ties share the mean of their places."""
    log_probs: NDArray[np.float64]
    """(B,) of the right item; NaN where the scorer gives no probabilities."""
    top: NDArray[np.int64]
    """(B, TOP) the best items, ties in the catalogue's order; -1 where there are fewer."""
    chances: NDArray[np.float64]
    """(B, TOP) their probabilities, NaN as above."""

    @classmethod
    def of(cls, scores: NDArray[np.floating], items: NDArray[np.int64], log_probs: NDArray[np.floating]) -> Outcome:
        """From scores (B, N), -inf for what is out, the right items (B,), and log-probabilities (B, N) or NaN."""
        rows = np.arange(len(items))
        order = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
        best = np.pad(order, ((0, 0), (0, TOP - order.shape[1])), constant_values=-1)
        out = (best < 0) | np.isneginf(scores[rows[:, None], best])
        chances = np.where(out, np.nan, np.exp(log_probs[rows[:, None], best].astype(np.float64)))
        right = log_probs[rows, items].astype(np.float64)
        return cls(ranks(scores, items), right, np.where(out, -1, best).astype(np.int64), chances)


def joined(parts: Sequence[Outcome]) -> Outcome:
    """The outcomes of one scorer, one after the other."""
    return Outcome(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Outcome)))


def to_arrays(outcomes: dict[str, Outcome]) -> dict[str, NDArray[np.generic]]:
    """By scorer -> one flat set of named arrays, for a file."""
    return {f"{name}/{field.name}": getattr(of, field.name) for name, of in outcomes.items() for field in fields(of)}


def from_arrays(arrays: dict[str, NDArray[np.generic]]) -> dict[str, Outcome]:
    """And back, in the same order.

    Raises:
        KeyError: an array is missing.
    """
    names = dict.fromkeys(key.rpartition("/")[0] for key in arrays)
    return {name: Outcome(*(arrays[f"{name}/{field.name}"] for field in fields(Outcome))) for name in names}  # type: ignore[arg-type]
