"""A request in stages: the best come first and stay the best, over the whole catalogue and over a shortlist of it."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpr import stages
from gpr.data.dataset import Dataset, Example, Request
from gpr.errors import RequestError
from gpr.lm.base import Base
from gpr.lm.prompts import Prompts
from gpr.ranking import Wish, rank
from gpr.recommender import Recommender
from gpr.scorers import gpt as gpt_module
from gpr.scorers.ensemble import Ensemble, scorers_of
from gpr.scorers.gpt import Gpt
from gpr.scorers.pool import Pool
from tests.small_data import catalogue_of

WORDS = ("a film", "dreams", "the space", "one day", "funny", "Alien", "sad", "the Good")
TITLES = [f"{one} {other} {last}" for one, other, last in itertools.product(WORDS, WORDS, ("night", "again"))]
ALLOWED = np.arange(len(TITLES)) % 5 == 1
ASKED = [Request("a film about dreams"), Request("funny", (3, 70)), Request("", (9, 4))]
WISHES = [
    Wish(7),
    Wish(7, allowed=ALLOWED),
    Wish(7, weights={"generate": 0.0}),
    Wish(5, weights={"match": 0.2, "words": 3.0}, popularity=0.5),
    Wish(4, ALLOWED, diversity=0.5, novelty=0.7),
]


@pytest.fixture(scope="module")
def recommender(tiny_base: Base) -> Recommender:
    """128 items, in which many share their beginnings."""
    examples = tuple(Example(Request(f"a {TITLES[number]}"), number) for number in range(0, len(TITLES), 3))
    data = Dataset("many", catalogue_of(TITLES), {"train": examples, "valid": (), "test": ()})
    gpt = Gpt(tiny_base.model, Prompts(tiny_base.tokenizer, data.catalogue))
    pool = Pool.same(generate=0.7, prior=0.3, match=1.0, words=0.4, popular=0.2)
    return Recommender(data, Ensemble(gpt, scorers_of(data)), pool, "", "tiny")


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No catalogue is small enough to be scored as a whole."""
    monkeypatch.setattr(gpt_module, "ALWAYS_WHOLE", 0)
    monkeypatch.setattr(gpt_module, "MOST_WHOLE", 0)
    return monkeypatch


def numbers(found: Any) -> list[int]:
    return [one.number for one in found]


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("request_", ASKED)
def test_the_best_come_first_and_in_their_order(recommender: Recommender, request_: Request, wish: Wish) -> None:
    begun = recommender.begin(request_, wish=wish)
    first = begun.first()
    scored = begun.scored()
    assert scored.candidates is None
    assert numbers(first) == numbers(rank(scored, wish))
    assert all(math.isnan(one.probability) for one in first)
    parts = recommender.ensemble.score([request_.checked(len(TITLES))])
    assert set(scored.parts) == set(parts)
    for name, part in parts.items():
        np.testing.assert_allclose(scored.parts[name], part, atol=1e-4)


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("request_", ASKED)
def test_a_shortlist_of_all_is_the_whole(
    recommender: Recommender, request_: Request, wish: Wish, large: pytest.MonkeyPatch
) -> None:
    shortlist = recommender.score(request_, wish=wish)
    found = rank(shortlist, wish)
    large.undo()
    whole = rank(recommender.score(request_, wish=wish), wish)
    assert shortlist.candidates is not None
    assert shortlist.candidates.sum() == (wish.allowed.sum() if wish.allowed is not None else len(TITLES)) - sum(
        wish.allowed is None or bool(wish.allowed[item]) for item in request_.history
    )
    assert numbers(found) == numbers(whole)
    assert [one.probability for one in found] == pytest.approx([one.probability for one in whole], rel=1e-3)


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("request_", ASKED)
def test_a_short_shortlist_keeps_the_best_and_shares_all_probability_among_its_candidates(
    recommender: Recommender, request_: Request, wish: Wish, large: pytest.MonkeyPatch
) -> None:
    large.setattr(stages, "BEST_OF_EACH", 3)
    shortlist = recommender.score(request_, wish=wish)
    found = rank(shortlist, wish)
    assert shortlist.candidates is not None
    among = int(shortlist.candidates.sum())
    assert wish.k <= among < len(TITLES) / 2
    everything = rank(shortlist, Wish(len(TITLES), wish.allowed, wish.weights, wish.popularity, wish.novelty))
    assert len(everything) == among
    assert sum(one.probability for one in everything) == pytest.approx(1, abs=1e-5)
    large.undo()
    assert numbers(found) == numbers(rank(recommender.score(request_, wish=wish), wish))


def test_an_item_may_be_a_candidate_whatever_is_said_of_it(recommender: Recommender, large: pytest.MonkeyPatch) -> None:
    large.setattr(stages, "BEST_OF_EACH", 3)
    few = recommender.score(ASKED[0]).candidates
    assert few is not None
    other = np.flatnonzero(~few)[:1]
    scored = recommender.score(ASKED[0], also=other)
    assert scored.candidates is not None
    assert np.flatnonzero(scored.candidates & ~few) == other
    large.undo()
    whole = recommender.score(ASKED[0])
    assert scored.parts["generate"][0, other] == pytest.approx(whole.parts["generate"][0, other], abs=1e-4)


def test_nothing_left_is_told_before_the_model_is_asked(recommender: Recommender, large: pytest.MonkeyPatch) -> None:
    begun = recommender.begin(ASKED[0], wish=Wish(3, np.zeros(len(TITLES), bool)))
    for stage in (begun.first, begun.scored):
        with pytest.raises(RequestError, match="No item passes all filters"):
            stage()


def test_reasons_in_a_large_catalogue_are_of_its_candidates(
    recommender: Recommender, large: pytest.MonkeyPatch
) -> None:
    large.setattr(stages, "BEST_OF_EACH", 3)
    wish = Wish(3)
    scored = recommender.score(ASKED[1], wish=wish)
    answer = rank(scored, wish)
    why = recommender.explainer(scored, answer, wish=wish).why(answer[0].number)
    assert not why.counterfactuals.exact
    assert why.stands_out == pytest.approx(sum(why.shares.values()), abs=1e-3)
    for _, before, after in why.counterfactuals.of(answer[0].number):
        assert before == pytest.approx(answer[0].log_prob, abs=1e-4)
        assert after <= 0


@pytest.mark.parametrize(
    ("always", "most", "seconds", "whole"),
    [(10**6, 0, 9.0, True), (0, 10**6, 1.6, True), (0, 10**6, 1.7, False), (0, 0, 0.0, False)],
)
def test_when_the_whole_catalogue_is_scored(
    recommender: Recommender, always: int, most: int, seconds: float, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpt = recommender.ensemble.gpt
    monkeypatch.setattr(gpt_module, "ALWAYS_WHOLE", always)
    monkeypatch.setattr(gpt_module, "MOST_WHOLE", most)
    monkeypatch.setattr(gpt, "seconds", seconds)
    assert gpt.scores_whole is whole
    assert recommender.begin(ASKED[0]).slow is (seconds > 0.7)


def test_a_slow_first_measurement_is_made_again(
    tiny_base: Base, films: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([5.0, 8.0, 8.0, 9.0])  # begun and done, twice
    monkeypatch.setattr(gpt_module.time, "perf_counter", lambda: next(times))
    assert Gpt(tiny_base.model, Prompts(tiny_base.tokenizer, films.catalogue)).seconds == 1.0


def test_what_a_large_catalogue_is_like_without_a_request_is_read_once(
    tiny_base: Base, films: Dataset, tmp_path: Path, large: pytest.MonkeyPatch
) -> None:
    prompts, kept = Prompts(tiny_base.tokenizer, films.catalogue), tmp_path / "a-prior.npy"
    first = Gpt(tiny_base.model, prompts, kept=kept)
    large.setattr(gpt_module.TreeDecoder, "score", None)  # would not be called
    again = Gpt(tiny_base.model, prompts, kept=kept)
    np.testing.assert_array_equal(again.read(Request("x"))[1]["prior"], first.read(Request("x"))[1]["prior"])
    assert (math.isfinite(first.seconds), again.scores_whole) == (True, False)
