"""The reasons of a run that was really trained are what its scores say, not a story about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpr.data.dataset import Dataset, Request
from gpr.explain import counterfactuals as counterfactuals_module
from gpr.explain.why import Why
from gpr.labels.label import Label
from gpr.ranking import Wish, rank
from gpr.recommender import Recommender
from gpr.scorers.ensemble import Ensemble
from gpr.scorers.feedback import Feedback
from gpr.scorers.gpt import Gpt
from gpr.scorers.pool import Pool
from gpr.workspace import Workspace

pytestmark = pytest.mark.usefixtures("cache")
BOTH = Request("a scary monster in space", (0, 7))


@pytest.fixture(scope="module")
def recommender(trained: Workspace, cache_root: Path) -> Recommender:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPR_CACHE", str(cache_root))
        return trained.recommender("films")


def reasons(recommender: Recommender, request: Request, k: int = 10) -> list[Why]:
    scored = recommender.score(request)
    answer = rank(scored, Wish(k))
    explainer = recommender.explainer(scored, answer)
    return [explainer.why(found.number) for found in answer]


def log_probs(recommender: Recommender, request: Request) -> dict[int, float]:
    return {found.number: found.log_prob for found in recommender.recommend(request, 10)}


@pytest.mark.parametrize("request_", [Request("scary creatures"), Request("", (2, 3)), BOTH])
def test_shares_sum_to_the_difference_of_log_probabilities(recommender: Recommender, request_: Request) -> None:
    first, *others = reasons(recommender, request_)
    assert sum(first.shares.values()) == pytest.approx(first.stands_out, abs=1e-4)
    for other in others:
        difference = sum(first.shares.values()) - sum(other.shares.values())
        assert difference == pytest.approx(first.found.log_prob - other.found.log_prob, abs=1e-4)


def test_dropping_words_gives_the_score_of_the_shorter_query(recommender: Recommender) -> None:
    why = reasons(recommender, Request("a scary monster in space"), 5)[0]
    assert why.counterfactuals.exact
    changes = why.counterfactuals.of(why.found.number)
    assert [drop.text for drop, *_ in changes] == ["a scary", "monster", "in space"]
    for drop, before, after in changes:
        assert before == pytest.approx(why.found.log_prob, abs=1e-4)
        assert after == pytest.approx(log_probs(recommender, drop.left)[why.found.number], abs=1e-4)


def test_dropping_an_item_of_the_history_does_not_recommend_it_instead(recommender: Recommender) -> None:
    why = reasons(recommender, BOTH)[0]
    [newest, _] = [change for change in why.counterfactuals.of(why.found.number) if change[0].item is not None]
    drop, _, after = newest
    assert (drop.item, drop.left) == (7, Request(BOTH.query, (0,)))
    shorter = log_probs(recommender, drop.left)
    candidates = [value for number, value in shorter.items() if number != 7]
    assert after == pytest.approx(shorter[why.found.number] - np.logaddexp.reduce(candidates), abs=1e-4)


def test_the_last_word_can_be_dropped_too(recommender: Recommender) -> None:
    [(drop, _, after)] = reasons(recommender, Request("monster"))[0].counterfactuals.of(2)
    assert drop.left == Request()
    assert np.isfinite(after)


def test_a_large_catalogue_is_explained_nearly(recommender: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = reasons(recommender, BOTH)[0].counterfactuals
    monkeypatch.setattr(counterfactuals_module, "TOKENS", 0)
    nearly = reasons(recommender, BOTH, 7)[0].counterfactuals
    assert (exact.exact, nearly.exact) == (True, False)
    assert nearly.without == pytest.approx(exact.without[:, :7], abs=1e-3), "all items are on this shortlist"
    monkeypatch.setattr(counterfactuals_module, "SHORTLIST", 1)
    nearly = reasons(recommender, BOTH, 3)[0].counterfactuals
    assert nearly.without == pytest.approx(exact.without[:, :3], abs=1.0)


def test_titles_read_to_their_ends_are_explained_too(recommender: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    gpt = recommender.ensemble.gpt
    titled = Gpt(gpt.model, gpt.prompts, gpt.match, gpt.item_features, titles=True)
    pool = Pool.same(**recommender.pool.weights["query"], plausibility=0.2)
    whole = Recommender(recommender.dataset, Ensemble(titled, recommender.ensemble.others), pool, "", "titled")
    monkeypatch.setattr(counterfactuals_module, "TOKENS", 10_000)
    exact = reasons(whole, BOTH)
    assert exact[0].counterfactuals.exact
    assert "plausibility" in exact[0].shares
    monkeypatch.setattr(counterfactuals_module, "TOKENS", 0)
    nearly = reasons(whole, BOTH, 7)[0].counterfactuals
    assert not nearly.exact
    assert nearly.without == pytest.approx(exact[0].counterfactuals.without[:, :7], abs=1e-3)
    monkeypatch.setattr(counterfactuals_module, "SHORTLIST", 1)
    nearly = reasons(whole, BOTH, 3)[0].counterfactuals
    assert nearly.without == pytest.approx(exact[0].counterfactuals.without[:, :3], abs=1.5)


def test_the_branches_of_a_path_multiply_to_the_probability_of_generate(recommender: Recommender) -> None:
    for why in reasons(recommender, BOTH):
        product = np.prod([branch.probability for branch in why.path])
        assert np.log(product) == pytest.approx(why.found.scores["generate"], abs=1e-3)
        assert why.path[0].before == ""
        assert why.path[-1].before + why.path[-1].taken == why.found.title
        for branch, after in zip(why.path, why.path[1:], strict=False):
            assert branch.before + branch.taken == after.before
            assert sum(chance for _, chance in branch.others) + branch.probability <= 1 + 1e-5
            assert branch.ways >= 2


def test_near_examples_say_what_was_learned(recommender: Recommender, films: Dataset) -> None:
    why = reasons(recommender, Request("monster on a space ship"))[0]
    assert (why.near[0].query, films.catalogue.titles[why.near[0].item]) == ("monster on a space ship", "Alien")
    assert why.near[0].alike == pytest.approx(1, abs=1e-4)
    histories = [near for near in reasons(recommender, Request("", (2, 3)))[0].near if near.shared]
    assert all(set(near.shared) <= {2, 3} for near in histories)
    assert [near.alike for near in histories] == sorted((near.alike for near in histories), reverse=True)


def test_labels_that_count_are_part_of_the_reasons(recommender: Recommender, films: Dataset) -> None:
    label = Label("r", "monster", (), "m9", "Heat", "", 0.1, -2.3, 1, "good", "me", dataset=films.name)
    request, feedback = Request("monster tonight"), Feedback([label], films)
    scored = recommender.score(request, feedback)
    explainer = recommender.explainer(scored, rank(scored, Wish()), feedback)
    why = explainer.why(8)
    assert sum(why.shares.values()) == pytest.approx(why.stands_out, abs=1e-4)
    [without_monster, _] = why.counterfactuals.of(8)
    shorter = {found.number: found.log_prob for found in recommender.recommend(Request("tonight"), 10, feedback)}
    assert without_monster[2] == pytest.approx(shorter[8], abs=1e-4)


def test_reasons_as_plain_values(recommender: Recommender, films: Dataset) -> None:
    plain = reasons(recommender, BOTH)[0].json(films.catalogue.titles)
    assert [one["without"] for one in plain["counterfactuals"]][-2:] == ["盗梦空间", "The Matrix"]
    assert {"shares", "stands_out", "counterfactuals", "exact", "examples", "path"} == set(plain)
