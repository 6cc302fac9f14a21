"""What the test split says is right reaches no choice: rows, quick scorers, the pool's weights, scales of peers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gpr.data.dataset import Dataset, Example
from gpr.evaluate.metrics import ranking_metrics
from gpr.evaluate.peers import Scales, peers_of
from gpr.learn.rows import training_rows
from gpr.learn.validation import Validation
from gpr.lm.base import Base
from gpr.lm.prompts import Prompts
from gpr.scorers.ensemble import scorers_of
from gpr.scorers.gpt import Gpt


@pytest.fixture
def twisted(films: Dataset) -> Dataset:
    """The same test requests with other answers."""
    n = len(films.catalogue)
    tested = tuple(Example(e.request, (e.item + 1) % n) for e in films.examples["test"])
    return replace(films, examples={**films.examples, "test": tested})


def test_training_rows_are_the_same(films: Dataset, twisted: Dataset, prompts: Prompts) -> None:
    one, other = training_rows(films, prompts, 0), training_rows(twisted, prompts, 0)
    assert [row.ids for row in one] == [row.ids for row in other]
    for row, same in zip(one, other, strict=True):
        np.testing.assert_array_equal(row.items, same.items)


def test_no_test_query_is_among_the_training_rows(films: Dataset, prompts: Prompts) -> None:
    trained = {tuple(row.ids) for row in training_rows(films, prompts, 0)}

    def is_trained_on(example: Example) -> bool:
        asked = tuple(prompts.request(example.request).ids)
        return any(ids[: len(asked)] == asked for ids in trained)

    assert all(is_trained_on(example) for example in films.examples["train"])
    assert not any(is_trained_on(e) for e in films.examples["test"] if not e.request.history)


def test_scorers_and_scales_are_the_same(films: Dataset, twisted: Dataset) -> None:
    asked = [example.request for example in films.examples["test"]]
    for make in (scorers_of, peers_of):
        one, other = make(films), make(twisted)
        scales = Scales(films, one), Scales(twisted, other)
        assert list(one) == list(other)
        for name in one:
            scores = one[name].score_all(asked)
            np.testing.assert_array_equal(scores, other[name].score_all(asked))
            np.testing.assert_array_equal(*(of.log_probs(name, scores, asked) for of in scales))


def test_the_weights_of_the_pool_are_the_same(
    films: Dataset, twisted: Dataset, tiny_base: Base, prompts: Prompts
) -> None:
    gpt = Gpt(tiny_base.model, prompts)
    one, other = (Validation(data, ranking_metrics).at_the_end(gpt, None, 100) for data in (films, twisted))
    assert one == other
