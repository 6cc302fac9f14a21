"""Training on histories whose right answers are known."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gpr.data.dataset import Request
from gpr.learn.histories import Plan, cut, train_sequence
from gpr.scorers.sequence import SequenceScorer, Shape

ITEMS = 10
CYCLE = [tuple((start + step) % ITEMS for step in range(9)) for start in range(ITEMS)]
"""Whatever came last, the next number follows."""
PLAN = Plan(epochs=60, learning_rate=1e-2, batch=8)
SHAPE = Shape(text=4, width=16, heads=2, length=5)


def texts() -> torch.Tensor:
    return torch.randn(ITEMS, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("with_text", [True, False])
def test_what_follows_is_learned(with_text: bool) -> None:
    shape = SHAPE if with_text else Shape(text=0, width=16, heads=2, length=5)
    model = train_sequence(CYCLE, texts()[:, : shape.text], shape, PLAN)
    found = SequenceScorer(model).score_all([Request("", (item,)) for item in range(ITEMS)])
    assert found.argmax(1).tolist() == [(item + 1) % ITEMS for item in range(ITEMS)]


def test_a_sample_of_a_large_catalogue_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpr.learn.histories.NEGATIVES", 4)
    found = SequenceScorer(train_sequence(CYCLE, texts(), SHAPE, PLAN)).score_all([Request("", (3,))])
    assert found.argmax() == 4


def test_equal_seeds_give_equal_models() -> None:
    models = [train_sequence(CYCLE, texts(), SHAPE, Plan(epochs=2, seed=seed)) for seed in (1, 1, 2)]
    asked = [Request("", (0, 1))]
    first, again, other = (SequenceScorer(model).score_all(asked) for model in models)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-4


def test_every_item_but_the_first_is_a_target_once() -> None:
    rng = np.random.default_rng(0)
    histories = [tuple(range(count)) for count in (2, 3, 6, 7, 23)] + [(0,)]
    for _ in range(20):
        windows = cut(histories, 5, rng)
        assert all(2 <= len(window) <= 6 for window in windows)
        targets = sorted(item for window in windows for item in window[1:])
        assert targets == sorted(item for history in histories for item in history[1:])


def test_it_stops_when_told_and_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []
    train_sequence(CYCLE, texts(), SHAPE, Plan(epochs=1000), shares.append, lambda: len(shares) >= 3)
    assert len(shares) == 3
    ticks = itertools.count()
    monkeypatch.setattr("gpr.learn.histories.time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    train_sequence(CYCLE, texts(), SHAPE, Plan(epochs=10**6, seconds=20), shares.append)
    assert shares[-1] == 0.95


def test_progress_grows() -> None:
    shares: list[float] = []
    train_sequence(CYCLE, texts(), SHAPE, Plan(epochs=5), shares.append)
    assert shares == sorted(shares)
    assert shares[0] == 0


def test_without_a_history_nothing_is_learned() -> None:
    model = train_sequence([(1,)], texts(), SHAPE, Plan(epochs=3))
    assert np.isfinite(SequenceScorer(model).score_all([Request("", (1,))])).all()
