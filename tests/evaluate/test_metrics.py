"""Ranks and metrics worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gpr.evaluate.metrics import NAMES, metrics_of_ranks, ranking_metrics, ranks

OUT = -np.inf


@pytest.mark.parametrize(
    ("scores", "item", "rank"),
    [
        ([0.1, 0.7, 0.2], 1, 1),
        ([0.1, 0.7, 0.2], 2, 2),
        ([0.1, 0.7, 0.2], 0, 3),
        ([0.5, 0.5, 0.1], 0, 1.5),  # ties share the mean of their places
        ([0.5, 0.5, 0.5, 0.9], 2, 3),
        ([0.0] * 5, 4, 3),
        ([OUT, 0.3, OUT, 0.4], 1, 2),  # what is out of the running takes no place
        ([OUT, OUT, -50.0], 2, 1),
        ([0.4], 0, 1),
    ],
)
def test_ranks(scores: list[float], item: int, rank: float) -> None:
    assert ranks(np.array([scores], np.float32), np.array([item])).tolist() == [rank]


def test_several_right_items_of_one_query_are_one_request_each() -> None:
    scores = np.array([[0.1, 0.6, 0.3]] * 2)
    assert ranks(scores, np.array([1, 2])).tolist() == [1, 2]


def test_metrics_by_hand() -> None:
    found = metrics_of_ranks(np.array([1, 2, 4, 10, 11, 5.5]))
    gains = [1, 1 / math.log2(3), 1 / math.log2(5), 1 / math.log2(11), 0, 1 / math.log2(6.5)]
    assert found == pytest.approx(
        {
            "R@1": 1 / 6,
            "R@5": 3 / 6,
            "R@10": 5 / 6,
            "NDCG@10": sum(gains) / 6,
            "MRR": (1 + 1 / 2 + 1 / 4 + 1 / 10 + 1 / 11 + 1 / 5.5) / 6,
        }
    )


def test_a_perfect_and_a_constant_scorer() -> None:
    items = np.arange(20)
    assert set(ranking_metrics(np.eye(20), items).values()) == {1.0}
    constant = ranking_metrics(np.zeros((20, 20)), items)
    assert (constant["R@1"], constant["R@10"]) == (0, 0)  # its rank is 10.5 everywhere
    assert constant["MRR"] == pytest.approx(1 / 10.5)


def test_without_a_request_metrics_are_undefined() -> None:
    found = ranking_metrics(np.zeros((0, 3)), np.array([], np.int64))
    assert tuple(found) == NAMES
    assert all(math.isnan(value) for value in found.values())
