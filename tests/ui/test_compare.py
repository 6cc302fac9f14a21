"""Two lists side by side, seen and blind."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from playwright.sync_api import expect

from gpr.data.dataset import Request
from gpr.data.load import load
from gpr.ranking import Wish
from gpr.ui.belief import BeliefPanel
from gpr.ui.compare import BASE, POPULAR, WORDS, ComparePanel, compared
from gpr.ui.context import Active, Context
from gpr.ui.turns import Answer
from tests.ui.conftest import Visit
from tests.ui.fake import FakeRun, FakeWorkspace
from tests.ui.fake_recommender import FakeRecommender


def test_arrows_say_where_an_item_stands_in_the_other_list(data: str) -> None:
    dataset = load(data, cache=None)  # type: ignore[arg-type]
    recommender = FakeRecommender(dataset, "")
    one = Answer("a", "run <a>", tuple(recommender.recommend(Request("simulation"), 3)))
    other = Answer("b", "run b", tuple(recommender.recommend(Request("creature"), 3)))
    page = compared([one, other], dataset)
    assert "run &lt;a&gt;" in page
    assert [found.title for found in one.recommendations] == ["The Matrix", "Groundhog Day", "Alien"]
    assert [found.title for found in other.recommendations] == ["Alien", "The Matrix", "Groundhog Day"]
    assert (page.count("▲ 1"), page.count("▼ 2"), page.count("▼ 1"), page.count("▲ 2")) == (2, 1, 2, 1)
    assert "3 of 3 items are in both lists." in page
    hidden = compared([one, other], dataset, blind=True)
    assert all(word not in hidden for word in ("run", "▲", "▼", "%", "both lists"))


@pytest.mark.browser
def test_a_blind_choice_is_stored_and_then_the_names_are_told(
    visit: Visit, workspace: FakeWorkspace, data: str
) -> None:
    workspace.known.append(FakeRun("backwards", data))
    workspace.twisted.add("backwards")
    page = visit.open()
    visit.ask("simulation")
    expect(page.locator(".gpr-card").first).to_be_visible()
    page.get_by_role("button", name="Compare two models").click()
    lists = page.locator(".gpr-compared section")
    expect(lists).to_have_count(2)
    expect(lists.first.get_by_role("heading")).to_have_text("backwards")
    expect(lists.last).to_contain_text("▲")
    page.get_by_label("Blind").check()
    expect(lists.first.get_by_role("heading")).to_have_text("Left")
    worse = "The Matrix" not in lists.first.locator("li").first.inner_text()
    page.get_by_role("button", name="Right is better" if worse else "Left is better").click()
    expect(page.locator("#gpr-compared")).to_contain_text("You preferred Base model, not fine-tuned. It is stored.")
    expect(page.locator("#gpr-compared")).to_contain_text("So far:")
    [liked] = workspace.labels.preferences()
    assert (liked.winner, liked.loser, liked.query, liked.annotator) == ("", "backwards", "simulation", "me")


@pytest.mark.parametrize("method", [BASE, POPULAR, WORDS])
def test_lists_heed_the_filters_of_the_answer(context: Context, data: str, method: str) -> None:
    recommender = FakeRecommender(load(data, cache=None), "")  # type: ignore[arg-type]
    allowed = np.arange(len(recommender.dataset.catalogue)) % 2 == 0
    asked = SimpleNamespace(
        dataset=recommender.dataset, request=Request("simulation"), wish=Wish(3, allowed), run="",
        scored=recommender.score(Request("simulation")),
    )  # fmt: skip
    found = ComparePanel._asked(SimpleNamespace(context=context), method, data, asked)  # type: ignore[arg-type]
    assert found
    assert all(one.number % 2 == 0 for one in found)
    chances = BeliefPanel._chances(SimpleNamespace(context=context), Active(data, ""), asked)  # type: ignore[arg-type]
    assert chances.sum() == pytest.approx(1)
    assert not chances[~allowed].any()
