"""Outcomes worked out by hand, joined and kept."""

from __future__ import annotations

import numpy as np

from gpr.evaluate.outcome import TOP, Outcome, from_arrays, joined, to_arrays

OUT = -np.inf
SCORES = np.array([[0.1, 0.6, OUT, 0.3], [0.25, 0.25, 0.25, 0.25]])
ITEMS = np.array([3, 0])


def made() -> Outcome:
    with np.errstate(divide="ignore"):
        return Outcome.of(SCORES, ITEMS, np.log(np.where(np.isneginf(SCORES), 0, SCORES)))


def test_by_hand() -> None:
    found = made()
    assert found.ranks.tolist() == [2, 2.5]
    np.testing.assert_allclose(np.exp(found.log_probs), [0.3, 0.25])
    assert found.top[:, :5].tolist() == [[1, 3, 0, -1, -1], [0, 1, 2, 3, -1]]
    np.testing.assert_allclose(found.chances[0, :3], [0.6, 0.3, 0.1])
    assert found.top.shape == found.chances.shape == (2, TOP)
    assert np.isnan(found.chances[found.top < 0]).all()


def test_without_probabilities_ranks_are_the_same() -> None:
    found = Outcome.of(SCORES, ITEMS, np.full_like(SCORES, np.nan))
    assert found.ranks.tolist() == [2, 2.5]
    assert np.isnan(found.log_probs).all()
    assert np.isnan(found.chances).all()


def test_joined_and_back_from_arrays() -> None:
    both = joined([made(), made()])
    assert both.ranks.tolist() == [2, 2.5] * 2
    again = from_arrays(to_arrays({"b": both, "a": made()}))
    assert list(again) == ["b", "a"]
    np.testing.assert_array_equal(again["b"].chances, both.chances)
