"""The pool on scores made by hand and at random: a proper distribution, and weights that fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpr.data.dataset import Request
from gpr.scorers.pool import KINDS, UNFITTED, UNTRAINED, Kind, Pool, fit, kind_of, without_history
from gpr.scorers.scorer import Scores, log_normalised

Parts = dict[str, Scores]
ALONE = {
    "generate": Pool.same(generate=1.0),
    "generate without prior": Pool.same(generate=1.0, prior=1.0),
    "match": Pool.same(match=1.0),
    "words": Pool.same(words=1.0),
    "nothing": Pool.same(),
    "untrained": Pool(),
}
HISTORY = (1, 3)


def made(
    seed: int, sharpness: float = 1.0, requests: int = 30, items: int = 12
) -> tuple[Parts, list[Request], np.ndarray]:
    """Parts that know something of the right items, each as much as chance has it, on scales far apart; some requests
    are a query, some a history, some both."""
    rng = np.random.default_rng(seed)
    right = rng.integers(0, items, requests)
    hint = np.eye(items)[right]  # (B, N)
    parts = {
        name: (scale * sharpness * (rng.uniform(-1, 3) * hint + rng.normal(size=hint.shape))).astype(np.float32)
        for name, scale in (("generate", 1.0), ("match", 1.0), ("words", 30.0))
    }
    parts["prior"] = log_normalised(np.tile(rng.normal(size=items), (requests, 1)))
    asked = [
        Request("q" if row % 3 != 1 else "", tuple((item + step) % items for step in HISTORY) if row % 3 else ())
        for row, item in enumerate(right)
    ]
    return parts, asked, right


def mean_log_likelihood(pool: Pool, parts: Parts, requests: Sequence[Request], items: np.ndarray) -> float:
    return float(pool.combine(parts, requests)[np.arange(len(items)), items].mean())


def of_kind(kind: Kind, parts: Parts, requests: list[Request], items: np.ndarray) -> tuple[Parts, list[Request], Any]:
    rows = [row for row, request in enumerate(requests) if kind_of(request) == kind]
    return {name: part[rows] for name, part in parts.items()}, [requests[row] for row in rows], items[rows]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 1.0, 10.0]), st.sampled_from(KINDS))
def test_the_fitted_pool_is_at_least_as_likely_as_any_part(seed: int, sharpness: float, kind: Kind) -> None:
    parts, requests, items = of_kind(kind, *made(seed, sharpness))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gpr.scorers.pool.PENALTY", 0.0)
        pool = fit(parts, requests, items)
    weights = pool.weights[kind]
    assert weights["generate"] >= weights["prior"] >= 0
    assert min(weights.values()) >= 0
    reached = mean_log_likelihood(pool, parts, requests, items)
    for part in ALONE.values():
        assert reached >= mean_log_likelihood(part, parts, requests, items) - 1e-4


def test_each_kind_of_request_gets_weights_of_its_own() -> None:
    parts, requests, items = made(0, requests=300)
    queries = np.array([bool(request.query) for request in requests])
    knows = (5 * np.eye(12)[items] + np.random.default_rng(1).normal(size=(300, 12))).astype(np.float32)
    noise = np.random.default_rng(2).normal(size=knows.shape).astype(np.float32)
    parts["words"], parts["match"] = np.where(queries[:, None], knows, noise), np.where(queries[:, None], noise, knows)
    weights = fit(parts, requests, items).weights
    for kind in ("query", "both"):
        assert weights[kind]["words"] > 2 * weights[kind]["match"]
    assert weights["history"]["match"] > 10 * weights["history"]["words"]


def test_requests_with_both_take_the_larger_weights_where_none_was_seen() -> None:
    parts, requests, items = made(0, requests=300)
    rows = [row for row, request in enumerate(requests) if kind_of(request) != "both"]
    seen = {name: part[rows] for name, part in parts.items()}
    weights = fit(seen, [requests[row] for row in rows], items[rows]).weights
    for name in parts:
        assert weights["both"][name] == max(weights["query"][name], weights["history"][name])
    only_queries = fit(*of_kind("query", parts, requests, items)).weights
    assert only_queries["both"] == only_queries["query"]
    assert only_queries["history"] == UNTRAINED
    only_histories = fit(*of_kind("history", parts, requests, items)).weights
    assert only_histories["both"]["match"] == max(UNFITTED["match"], only_histories["history"]["match"])


def test_a_parts_scale_does_not_matter() -> None:
    parts, requests, items = made(3, requests=60)
    parts |= {"taste": parts["words"]}
    del parts["words"]
    one = fit(parts, requests, items)
    parts["taste"] = parts["taste"] / 1000
    other = fit(parts, requests, items)
    for kind in KINDS:
        assert other.weights[kind]["taste"] == pytest.approx(1000 * one.weights[kind]["taste"], rel=0.02, abs=1e-3)


def test_a_part_that_says_the_same_of_all_items_weighs_nothing() -> None:
    parts, requests, items = made(0)
    pool = fit(parts | {"taste": np.full_like(parts["match"], -2.5)}, requests, items)
    assert {pool.weights[kind]["taste"] for kind in KINDS} == {0}
    flat = {name: np.zeros_like(part) for name, part in parts.items()}
    assert fit(flat, requests, items) == Pool()


def test_the_trie_weighs_nothing_beside_whole_titles() -> None:
    parts, requests, items = made(3)
    weights = fit(parts | {"plausibility": parts["generate"] - parts["prior"]}, requests, items).weights
    for kind in KINDS:
        assert (weights[kind]["generate"], weights[kind]["prior"]) == (0, 0)
        assert weights[kind]["plausibility"] > 0


def test_verdicts_on_what_scores_chose_find_the_weights_that_right_items_find() -> None:
    """Also where nobody was asked about the right items, but about those that a part likes best."""
    parts, _, items = made(1, requests=900)
    parts = {name: part for name, part in parts.items() if name != "prior"}
    rows = np.repeat(np.arange(900), 2)
    shown = np.argsort(-parts["match"], axis=1)[:, :2].ravel()
    asked = [Request("q")] * 900
    told = fit({name: part[rows] for name, part in parts.items()}, asked * 2, shown, good=shown == items[rows])
    known = fit(parts, asked, items)
    for name, weight in known.weights["query"].items():
        assert told.weights["query"][name] == pytest.approx(weight, rel=0.25)
    only_good = shown == items[rows]
    biased = fit(
        {name: part[rows][only_good] for name, part in parts.items()}, asked[: only_good.sum()], items[rows][only_good]
    )
    assert biased.weights["query"]["match"] > 1.3 * known.weights["query"]["match"]


def test_without_requests_the_weights_are_the_unfitted_ones() -> None:
    parts = {name: np.zeros((0, 3), np.float32) for name in ("generate", "prior", "match")}
    assert fit(parts, [], np.array([], np.int64)) == Pool.unfitted()


@settings(deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 3), st.floats(0, 3), st.floats(0, 3))
def test_probabilities_sum_to_one_without_the_history(seed: int, generate: float, prior: float, match: float) -> None:
    parts, requests, _ = made(seed)
    found = Pool.same(generate=generate, prior=prior, match=match).combine(parts, requests)
    assert found.dtype == np.float32
    assert np.exp(found.astype(float)).sum(1) == pytest.approx(1, abs=1e-5)
    for row, request in zip(found, requests, strict=True):
        assert set(np.flatnonzero(np.isneginf(row)).tolist()) == set(request.history)


BY_HAND = {
    "generate": log_normalised(np.array([[1.0, 2.0, 0.0]])),
    "prior": log_normalised(np.array([[0.0, 3.0, 0.0]])),
    "match": log_normalised(np.array([[2.0, 0.0, 1.0]])),
}


def test_the_weighted_sum_by_hand() -> None:
    found = Pool.same(generate=0.5, prior=0.25, match=2.0, words=9.0).combine(BY_HAND, [Request("q")])
    np.testing.assert_allclose(found, log_normalised(np.array([[4.5, 0.25, 2.0]])), rtol=1e-5)


def test_shares_say_what_each_part_adds_above_what_is_expected() -> None:
    pool = Pool.same(generate=0.5, prior=0.25, match=2.0)
    log_probs = pool.combine(BY_HAND, [Request("q")])
    shares = pool.shares(BY_HAND, [Request("q")], log_probs)
    chances = np.exp(log_probs)
    for share in shares.values():
        assert float((chances * share).sum()) == pytest.approx(0, abs=1e-5)
    together = sum(shares.values())[0]
    np.testing.assert_allclose(together - together[0], log_probs[0] - log_probs[0, 0], atol=1e-5)
    match = 2 * np.array([2.0, 0.0, 1.0])
    np.testing.assert_allclose(shares["match"][0], match - (chances[0] * match).sum(), atol=1e-5)


def test_weights_are_drawn_to_those_that_are_given() -> None:
    parts, requests, items = made(5, requests=12)
    near = Pool.same(generate=2.0, prior=1.0, match=0.5, taste=3.0)
    weights = fit({name: part[:1] for name, part in parts.items()}, requests[:1], items[:1], near).weights["query"]
    alone = fit({name: part[:1] for name, part in parts.items()}, requests[:1], items[:1]).weights["query"]
    assert weights["taste"] == 3  # not given: it stays
    assert abs(weights["generate"] - 2) < abs(alone["generate"] - 2)
    assert fit({"match": parts["match"][:0]}, [], items[:0], near) == near


def test_a_pool_comes_back_from_its_file() -> None:
    pool = fit(*made(0))
    assert Pool.read(json.loads(json.dumps(pool.json()))) == pool


def test_a_file_of_an_older_run_is_read() -> None:
    assert Pool.read({"generate": 0.5, "prior": 0.25, "match": 1}) == Pool.same(generate=0.5, prior=0.25, match=1.0)


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        "pool",
        None,
        {"query": {"match": 1}},
        {"match": "much"},
        {"match": -1},
        {"match": float("nan")},
        dict.fromkeys(KINDS, 1) | {"query": {}},
    ],
)
def test_anything_else_is_refused(content: object) -> None:
    with pytest.raises(ValueError, match="expected|must be a number"):
        Pool.read(content)


def test_leaving_out_the_history_leaves_the_scores_as_they_were() -> None:
    scores = np.zeros((2, 3), np.float32)
    shown = without_history(scores, [Request("", (0, 2, 0)), Request("q")])
    assert shown.tolist() == [[-np.inf, 0, -np.inf], [0, 0, 0]]
    assert not scores.any()
