"""Ranking again without a model: filters, weights, wishes and diversity on scores whose right answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gpr.data.dataset import Catalogue, Dataset, Example, Request
from gpr.errors import RequestError
from gpr.ranking import WISHED, Scored, Wish, parts_to_weigh, rank, stands
from gpr.scorers.feedback import NAME as FEEDBACK
from gpr.scorers.pool import Pool


@pytest.fixture
def scored() -> Scored:
    """Five items: `generate` likes them in their order, `words` backwards. 0 and 1 are the same, 4 is chosen often."""
    titles = ["a", "b", "c", "d", "e"]
    catalogue = Catalogue(tuple(titles), pd.DataFrame({"title": titles}), {title: n for n, title in enumerate(titles)})
    dataset = Dataset("five", catalogue, {"train": (Example(Request("x"), 4),) * 9, "valid": (), "test": ()})
    up = np.array([[0.0, -1, -2, -3, -4]], np.float32)
    vectors = np.array([[1, 0], [1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
    pool = Pool.same(generate=1.0, words=0.5, prior=0.2, off=0.0)
    return Scored(
        dataset, Request("x"), pool, {"generate": up, "words": up[:, ::-1], "prior": up * 0, "off": up}, None, vectors
    )


def order(scored: Scored, **wish: object) -> str:
    return "".join(found.title for found in rank(scored, Wish(**wish)))  # type: ignore[arg-type]


def test_only_what_is_allowed_is_ranked_and_sums_to_one(scored: Scored) -> None:
    everything = rank(scored, Wish())
    allowed = np.array([False, True, False, True, True])
    found = rank(scored, Wish(allowed=allowed))
    assert [one.title for one in found] == ["b", "d", "e"]
    assert sum(one.probability for one in found) == pytest.approx(1)
    before = {one.title: one.probability for one in everything}
    rest = sum(before[title] for title in "bde")
    assert [one.probability for one in found] == pytest.approx([before[title] / rest for title in "bde"])
    for name in ("generate", "words"):
        assert sum(one.probability * one.shares[name] for one in found) == pytest.approx(0, abs=1e-6)


def test_one_item_stands_where_it_does_in_the_whole_list(scored: Scored) -> None:
    everything = rank(scored, Wish(5))
    assert [stands(scored, found.number) for found in everything] == everything
    of_history = stands(replace(scored, request=Request("x", (2,))), 2)
    assert (of_history.rank, of_history.probability) == (0, 0)


def test_nothing_left_is_told_in_words(scored: Scored) -> None:
    with pytest.raises(RequestError, match="No item passes all filters. Remove or widen one"):
        rank(scored, Wish(allowed=np.zeros(5, bool)))
    with pytest.raises(RequestError, match="0 recommendations cannot be given"):
        Wish(k=0)


def test_weights_are_times_the_fitted_ones(scored: Scored) -> None:
    assert order(scored) == "abcde"
    assert order(scored, weights={"generate": 0.0}) == "edcba"
    assert order(scored, weights={"words": 3.0}) == "edcba"
    assert rank(scored, Wish(weights={"words": 1.0})) == rank(scored, Wish())
    assert parts_to_weigh(scored) == ["generate", "words"]


def test_popular_items_may_be_wished_for_or_not(scored: Scored) -> None:
    assert order(scored, popularity=1.0, k=1) == "e"
    found = rank(scored, Wish(popularity=-1.0))
    assert [one.title for one in found] == list("abcde")
    assert found[-1].shares[WISHED] < 0 < found[0].shares[WISHED]


def test_novelty_leads_away_from_the_history(scored: Scored) -> None:
    chosen = Scored(scored.dataset, Request("x", (0,)), scored.pool, scored.parts, None, scored.vectors)
    assert order(chosen) == "bcde"
    assert order(chosen, novelty=1.0) == "dceb"
    assert order(scored, novelty=1.0) == "abcde"


def test_diversity_changes_the_order_and_keeps_the_probabilities(scored: Scored) -> None:
    assert order(scored, diversity=0.6)[:2] == "ac"
    plain = {one.title: one.probability for one in rank(scored, Wish())}
    assert {one.title: one.probability for one in rank(scored, Wish(diversity=0.6))} == plain
    assert len(rank(scored, Wish(k=3, diversity=1.0))) == 3


def test_labels_move_items_and_have_their_share(scored: Scored) -> None:
    moved = Scored(scored.dataset, scored.request, scored.pool, scored.parts, np.array([0, 0, 4.0, 0, 0]))
    best = rank(moved, Wish(k=1))[0]
    assert best.title == "c"
    assert best.shares[FEEDBACK] > 0
