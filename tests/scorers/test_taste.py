"""Taste on histories whose right answers are known: the withheld item of a group comes first, order counts."""

from __future__ import annotations

import numpy as np
import pytest

from gpr.data.dataset import Dataset, Request, Sequence
from gpr.scorers.scorer import Scorer
from gpr.scorers.taste import Ease, Following, Neighbours, ease_weights, recency, taste_scorers, together
from tests.small_data import catalogue_of


def of_histories(*histories: tuple[int, ...], items: int = 12) -> Dataset:
    titles = [f"t{number}" for number in range(items)]
    return Dataset(
        "d", catalogue_of(titles), {"train": (), "valid": (), "test": ()}, tuple(Sequence(items) for items in histories)
    )


def checkerboard() -> Dataset:
    """Users choose either even or odd items, each all but one of them, in turning order."""
    sides = [tuple(range(side, 12, 2)) for side in (0, 1)]
    return of_histories(*(side[at + 1 :] + side[:at] for side in sides for at in range(6)))


def all_of(dataset: Dataset) -> dict[str, Scorer]:
    return taste_scorers(dataset) | {"item_knn": Neighbours(dataset)}


@pytest.mark.parametrize("name", ["taste_next", "taste_recent", "taste_all", "item_knn"])
def test_the_withheld_item_of_a_group_is_first(name: str) -> None:
    scorer = all_of(checkerboard())[name]
    for side in (0, 1):
        group = range(side, 12, 2)
        for withheld in group:
            history = tuple(item for item in group if item != withheld)
            scores = scorer.score_all([Request("", history)])[0]
            scores[list(history)] = -1
            assert scores.argmax() == withheld


def test_what_follows_is_told_from_what_came_before() -> None:
    chain = of_histories(*((0, 1, 2, 3),) * 3, items=4)
    scores = Following(chain).score_all([Request("", (1,))])[0]
    assert scores[2] > scores[3] > scores[0] == 0
    near = Neighbours(chain).score_all([Request("", (1,))])[0]
    assert near[0] == near[2] == near[3] > 0


def test_the_recent_items_count_most() -> None:
    weights = recency([Request("", (4, 2, 7)), Request("q"), Request("", (1, 3))], 8, 0.5, 2).toarray()
    assert weights.tolist() == [[0, 0, 0.5, 0, 0, 0, 0, 1], [0] * 8, [0, 0.5, 0, 1, 0, 0, 0, 0]]
    everything = recency([Request("", tuple(range(8)))], 8, 1.0, 0)
    assert everything.toarray().tolist() == [[1] * 8]


def test_together_counts_histories() -> None:
    counts = together(of_histories((0, 1), (1, 2), (1,), items=3)).toarray()
    assert counts.tolist() == [[1, 1, 0], [1, 3, 1], [0, 1, 1]]


def test_ease_is_the_closed_form() -> None:
    data = checkerboard()
    counts = together(data).toarray().astype(float)
    weights = ease_weights(data)
    assert not weights.diagonal().any()
    for item in range(12):  # ridge regression of one item on all others
        others = [other for other in range(12) if other != item]
        gram = counts[np.ix_(others, others)] + 500 * np.eye(11)
        np.testing.assert_allclose(weights[others, item], np.linalg.solve(gram, counts[others, item]), rtol=1e-4)


def test_ease_asked_for_all_knows_no_order() -> None:
    scorer = Ease(ease_weights(checkerboard()), 1.0)
    there, back = scorer.score_all([Request("", (0, 1, 5)), Request("", (5, 1, 0))])
    np.testing.assert_allclose(there, back, rtol=1e-5)


def test_a_peer_keeps_the_nearest_items_alone() -> None:
    rng = np.random.default_rng(0)
    data = of_histories(*(tuple(rng.permutation(80)[:30].tolist()) for _ in range(60)), items=80)
    scores = Neighbours(data).score_all([Request("", (3,))])[0]
    assert (scores > 0).sum() == Neighbours.K


def test_nobody_chose_anything() -> None:
    data = of_histories()
    assert taste_scorers(data) == {}


def test_histories_of_one_item_say_nothing_of_what_follows() -> None:
    data = of_histories((1,), (2,), items=3)
    for scorer in all_of(data).values():
        assert not scorer.score_all([Request("", (1,))]).any()


def test_a_large_catalogue_goes_without_ease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpr.scorers.taste.MOST_EASE_ITEMS", 11)
    assert set(taste_scorers(checkerboard())) == {"taste_next"}
