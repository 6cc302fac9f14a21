"""Reliability where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from gpr.evaluate.calibration import calibration
from gpr.evaluate.outcome import Outcome


def drawn(said: np.ndarray, true: np.ndarray) -> tuple[Outcome, np.ndarray]:
    """Requests whose right item is drawn with probabilities `true` (B, N) while the scorer says `said` (B, N)."""
    rng = np.random.default_rng(0)
    items = np.array([rng.choice(len(row), p=row) for row in true])
    return Outcome.of(np.log(said), items, np.log(said)), items


def some(count: int = 4000) -> np.ndarray:
    return np.random.default_rng(1).dirichlet(np.full(12, 0.5), count)


def test_a_scorer_that_says_the_truth_has_no_error() -> None:
    found = calibration(*drawn(some(), some()))
    assert found is not None
    assert found["ece"] < 0.01
    said = [entry["said"] for entry in found["bins"]]
    assert said == sorted(said)
    assert sum(entry["n"] for entry in found["bins"]) == 4000 * 10


def test_one_that_is_too_sure_is_seen() -> None:
    sharp = some() ** 3
    found = calibration(*drawn(sharp / sharp.sum(1, keepdims=True), some()))
    assert found is not None
    assert found["ece"] > 0.03
    last = found["bins"][-1]
    assert last["said"] > last["true"] + 0.1


def test_by_hand() -> None:
    said = np.array([[0.7, 0.3], [0.7, 0.3]])
    found = calibration(Outcome.of(np.log(said), np.array([0, 1]), np.log(said)), np.array([0, 1]))
    assert found is not None
    assert found["ece"] == pytest.approx((0.7 + 0.3 + 0.3 + 0.7) / 4)
    assert [entry["n"] for entry in found["bins"]] == [1, 1, 1, 1]


def test_without_probabilities_there_is_none() -> None:
    nothing = np.full((3, 4), np.nan)
    assert calibration(Outcome.of(np.zeros((3, 4)), np.zeros(3, int), nothing), np.zeros(3, int)) is None
