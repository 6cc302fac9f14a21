"""What every scorer promises, whoever it is, on the films."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from gpr.data.dataset import Dataset, Request
from gpr.scorers.encoder import EncoderScorer
from gpr.scorers.gpt import Gpt
from gpr.scorers.popular import Cold, Popular
from gpr.scorers.scorer import Scorer, Scores
from gpr.scorers.sequence import SequenceModel, SequenceScorer, Shape
from gpr.scorers.taste import Ease, Following, Neighbours, ease_weights
from gpr.scorers.words import Words

REQUESTS = [
    Request("monster on a space ship"),
    Request(),
    Request("", (2, 3)),
    Request("marines", (0,), "age 24, student"),
    Request("梦中之梦"),
    Request("!? 🎬"),
    Request("no such words " * 20),
    Request("", tuple(range(10))),
]


class ScorerContract:
    """A subclass says which scorer it is, and whether its scores are log-probabilities."""

    normalised = True

    @pytest.fixture
    def scorer(self) -> Scorer:
        raise NotImplementedError

    def test_it_scores_every_item_for_any_request(self, scorer: Scorer, films: Dataset) -> None:
        scores = scorer.score_all(REQUESTS)
        assert scores.shape == (len(REQUESTS), len(films.catalogue))
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()

    def test_a_request_gets_the_same_answer_alone_as_in_a_batch(self, scorer: Scorer) -> None:
        together = scorer.score_all(REQUESTS)
        for row, request in zip(together, REQUESTS, strict=True):
            np.testing.assert_allclose(scorer.score_all([request])[0], row, atol=1e-4)

    def test_asking_again_changes_nothing(self, scorer: Scorer) -> None:
        first = scorer.score_all(REQUESTS)
        kept = first.copy()
        again = scorer.score_all(REQUESTS)
        np.testing.assert_array_equal(first, again)
        again[:] = 0  # the answer is the caller's own
        np.testing.assert_array_equal(scorer.score_all(REQUESTS), kept)

    def test_log_probabilities_sum_to_one(self, scorer: Scorer) -> None:
        if self.normalised:
            np.testing.assert_allclose(np.exp(scorer.score_all(REQUESTS).astype(float)).sum(1), 1, atol=1e-5)


class TestPopular(ScorerContract):
    @pytest.fixture
    def scorer(self, films: Dataset) -> Scorer:
        return Popular(films)


class TestCold(ScorerContract):
    normalised = False

    @pytest.fixture
    def scorer(self, films: Dataset) -> Scorer:
        return Cold(films)


class TestWords(ScorerContract):
    normalised = False

    @pytest.fixture
    def scorer(self, films: Dataset) -> Scorer:
        return Words(films)


class TestWordsWithQueries(ScorerContract):
    normalised = False

    @pytest.fixture
    def scorer(self, films: Dataset) -> Scorer:
        return Words(films, with_queries=True)


class TestEncoder(ScorerContract):
    normalised = False

    @pytest.fixture
    def scorer(self, films: Dataset, tiny_encoder: Path, cache: Path) -> Scorer:
        return EncoderScorer(films, tiny_encoder)


class TestFollowing(ScorerContract):
    normalised = False

    @pytest.fixture
    def scorer(self, films: Dataset) -> Scorer:
        return Following(films)


class TestEase(ScorerContract):
    normalised = False

    @pytest.fixture(params=[0.9, 1.0])
    def scorer(self, films: Dataset, request: pytest.FixtureRequest) -> Scorer:
        return Ease(ease_weights(films), request.param)


class TestNeighbours(ScorerContract):
    normalised = False

    @pytest.fixture
    def scorer(self, films: Dataset) -> Scorer:
        return Neighbours(films)


class TestSequence(ScorerContract):
    @pytest.fixture(params=[0, 4])
    def scorer(self, films: Dataset, request: pytest.FixtureRequest) -> Scorer:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            shape = Shape(text=request.param, width=8, length=5)
            return SequenceScorer(SequenceModel(shape, torch.randn(len(films.catalogue), request.param)))


class Part:
    """One part of what the GPT answers."""

    def __init__(self, gpt: Gpt, name: str) -> None:
        self._gpt, self._name = gpt, name

    def score_all(self, requests: Sequence[Request]) -> Scores:
        return self._gpt.score_parts(requests)[self._name]


class TestGenerate(ScorerContract):
    @pytest.fixture
    def scorer(self, gpt: Gpt) -> Scorer:
        return Part(gpt, "generate")


class TestMatch(ScorerContract):
    @pytest.fixture
    def scorer(self, gpt: Gpt) -> Scorer:
        return Part(gpt, "match")


class TestPrior(ScorerContract):
    @pytest.fixture
    def scorer(self, gpt: Gpt) -> Scorer:
        return Part(gpt, "prior")


class TestPlausibility(ScorerContract):
    normalised = False

    @pytest.fixture
    def scorer(self, titled: Gpt) -> Scorer:
        return Part(titled, "plausibility")
