"""The pool on scores made by hand and at random: a proper distribution, and weights that fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpr.data.dataset import Request
from gpr.scorers.pool import PENALTY, Pool, fit, without_history
from gpr.scorers.scorer import Scores, log_normalised

Parts = dict[str, Scores]
ALONE = {
    "generate": Pool(1, 0, 0),
    "generate without prior": Pool(1, 1, 0),
    "match": Pool(0, 0, 1),
    "nothing": Pool(0, 0, 0),
    "untrained": Pool(),
}


def made(
    seed: int, sharpness: float = 1.0, requests: int = 30, items: int = 12
) -> tuple[Parts, list[Request], np.ndarray]:
    """Parts that know something of the right items, each as much as chance has it; a few histories."""
    rng = np.random.default_rng(seed)
    right = rng.integers(0, items, requests)
    hint = np.eye(items)[right]  # (B, N)
    parts = {
        name: log_normalised(sharpness * (rng.uniform(-1, 3) * hint + rng.normal(size=(requests, items))))
        for name in ("generate", "match")
    }
    parts["prior"] = log_normalised(np.tile(rng.normal(size=items), (requests, 1)))
    asked = [
        Request("q", tuple({(item + 1) % items, (item + 3) % items}) if row % 3 else ())
        for row, item in enumerate(right)
    ]
    return parts, asked, right


def mean_log_likelihood(pool: Pool, parts: Parts, requests: list[Request], items: np.ndarray) -> float:
    return float(pool.combine(parts, requests)[np.arange(len(items)), items].mean())


def distance(pool: Pool) -> float:
    """Squared, from the untrained weights, in the form in which all are >= 0."""
    start = Pool()
    parts = (
        pool.generate - pool.prior - (start.generate - start.prior),
        pool.prior - start.prior,
        pool.match - start.match,
    )
    return sum(part**2 for part in parts)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 1.0, 10.0]))
def test_the_fitted_pool_is_at_least_as_likely_as_any_part(seed: int, sharpness: float) -> None:
    parts, requests, items = made(seed, sharpness)
    pool = fit(parts, requests, items)
    assert pool.generate >= pool.prior >= 0
    assert pool.match >= 0
    reached = mean_log_likelihood(pool, parts, requests, items) - PENALTY * distance(pool)
    for part in ALONE.values():
        assert reached >= mean_log_likelihood(part, parts, requests, items) - PENALTY * distance(part) - 1e-4


def test_the_part_that_knows_gets_the_weight() -> None:
    parts, requests, items = made(0, requests=200)
    rng = np.random.default_rng(1)
    noise = log_normalised(3 * rng.normal(size=parts["match"].shape))
    knows = log_normalised(4 * np.eye(12)[items] + rng.normal(size=noise.shape))
    by_match = fit(parts | {"generate": noise, "match": knows}, requests, items)
    by_generate = fit(parts | {"generate": knows, "match": noise}, requests, items)
    assert by_match.match > 0.5 > 0.1 > by_match.generate - by_match.prior
    assert by_generate.generate > 0.5 > 0.1 > by_generate.match


def test_without_requests_the_weights_are_the_untrained_ones() -> None:
    parts = {name: np.zeros((0, 3), np.float32) for name in ("generate", "prior", "match")}
    assert fit(parts, [], np.array([], np.int64)) == Pool()


@given(st.integers(0, 10**6), st.floats(0, 3), st.floats(0, 3), st.floats(0, 3))
def test_probabilities_sum_to_one_without_the_history(seed: int, generate: float, prior: float, match: float) -> None:
    parts, requests, _ = made(seed)
    found = Pool(generate, prior, match).combine(parts, requests)
    assert found.dtype == np.float32
    assert np.exp(found.astype(float)).sum(1) == pytest.approx(1, abs=1e-5)
    for row, request in zip(found, requests, strict=True):
        assert set(np.flatnonzero(np.isneginf(row)).tolist()) == set(request.history)


def test_the_weighted_sum_by_hand() -> None:
    parts = {
        "generate": log_normalised(np.array([[1.0, 2.0, 0.0]])),
        "prior": log_normalised(np.array([[0.0, 3.0, 0.0]])),
        "match": log_normalised(np.array([[2.0, 0.0, 1.0]])),
    }
    found = Pool(0.5, 0.25, 2.0).combine(parts, [Request("q")])
    np.testing.assert_allclose(found, log_normalised(np.array([[4.5, 0.25, 2.0]])), rtol=1e-5)


def test_leaving_out_the_history_leaves_the_scores_as_they_were() -> None:
    scores = np.zeros((2, 3), np.float32)
    shown = without_history(scores, [Request("", (0, 2, 0)), Request("q")])
    assert shown.tolist() == [[-np.inf, 0, -np.inf], [0, 0, 0]]
    assert not scores.any()
