from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gpr.data.dataset import Dataset, Request
from gpr.data.load import load
from gpr.errors import RequestError
from gpr.labels.label import Label, Preference
from gpr.labels.queue import Card, id_of
from gpr.ui.judge import last_line, one_card, one_list, two_lists
from gpr.ui.turns import Answer, CardTurn, ListTurn, PairTurn
from tests.ui.fake import write_data
from tests.ui.fake_recommender import FakeRecommender
from tests.ui.test_cards import EVIL, is_text_only


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return load(write_data(tmp_path / "tiny"), cache=tmp_path)


def cards(dataset: Dataset, query: str = "dream", k: int = 3) -> list[Card]:
    request = Request(query)
    found = FakeRecommender(dataset, "").recommend(request, k)
    return [Card(request, one, (id_of(dataset, request), one.item_id)) for one in found]


def test_a_card_is_said_of_with_its_flag_and_note(dataset: Dataset) -> None:
    [card] = cards(dataset, k=1)
    turn = CardTurn(dataset, "run", card)
    [label] = turn.says({"press": "bad", "flag": "true", "note": " too old\n"}, "ada")
    assert isinstance(label, Label)
    assert (label.verdict, label.reason, label.note, label.run) == ("bad", "flagged", "too old", "run")
    assert turn.covers(label)
    turn.keep(label)
    assert turn.finished
    turn.forget(label)
    assert (turn.finished, turn.flagged, turn.note) == (False, True, "too old")
    with pytest.raises(RequestError, match="is no verdict"):
        turn.says({"press": "great"}, "ada")


def test_a_list_is_said_of_one_by_one_all_good_or_the_rest_bad(dataset: Dataset) -> None:
    turn = ListTurn(dataset, "run", cards(dataset))
    first, second, third = [card.recommendation.item_id for card in turn.cards]
    [one] = turn.says({"press": "good", "item": second}, "ada")
    assert turn.keep(one) == ""
    assert turn.keep(replace(one, verdict="skip")) == "good"
    rest = turn.says({"press": "rest"}, "ada")
    said = [(label.item_id, label.verdict) for label in rest if isinstance(label, Label)]
    assert said == [(first, "bad"), (third, "bad")]
    for label in rest:
        turn.keep(label)
    assert turn.finished
    turn.forget(rest[0])
    assert [card.recommendation.item_id for card in turn.open] == [first]
    assert turn.says({"press": "all"}, "ada")[0].verdict == "good"  # type: ignore[union-attr]
    assert turn.says({"press": "good", "item": "nothing"}, "ada") == []


def test_of_two_lists_a_preference_is_said(dataset: Dataset) -> None:
    request = Request("dream")
    found = tuple(FakeRecommender(dataset, "").recommend(request, 2))
    answers = (Answer("old", "run old", found), Answer("new", "run new", found[::-1]))
    turn = PairTurn.shuffled(dataset, request, answers, "ada")
    again = PairTurn.shuffled(dataset, request, answers[::-1], "ada")
    assert {turn.left.run, turn.right.run} == {"old", "new"}
    sides = {PairTurn.shuffled(dataset, request, answers, str(name)).left.run for name in range(20)}
    assert sides == {"old", "new"}, "left and right at random"
    assert again.token != turn.token
    [liked] = turn.says({"press": "right", "note": "older"}, "ada")
    assert isinstance(liked, Preference)
    assert (liked.winner, liked.loser, liked.tie, liked.note) == (turn.right.run, turn.left.run, False, "older")
    assert turn.says({"press": "tie"}, "ada")[0].tie  # type: ignore[union-attr]
    assert turn.covers(liked)
    with pytest.raises(RequestError, match="is no preference"):
        turn.says({"press": "good"}, "ada")
    html = two_lists(turn)
    assert "run old" not in html
    assert "run new" not in html


def test_what_is_judged_shows_text_as_text(dataset: Dataset) -> None:
    evil = [
        Card(Request(EVIL, (0,), EVIL), replace(card.recommendation, title=EVIL), card.key) for card in cards(dataset)
    ]
    answer = Answer(EVIL, EVIL, tuple(card.recommendation for card in evil))
    pieces = [
        one_card(CardTurn(dataset, EVIL, evil[0], EVIL, note=EVIL)),
        one_list(ListTurn(dataset, EVIL, evil, EVIL)),
        two_lists(PairTurn(dataset, Request(EVIL), answer, answer)),
        last_line(EVIL, [EVIL], [EVIL]),
    ]
    assert [piece for piece in pieces if not is_text_only(piece)] == []


def test_blind_hides_the_model_and_its_score(dataset: Dataset) -> None:
    [card] = cards(dataset, k=1)
    turn = CardTurn(dataset, "run", card, "run 7")
    assert "run 7" in one_card(turn)
    assert "%" in one_card(turn)
    for hidden in ("run 7", "%", "log-probability", "place 1"):
        assert hidden not in one_card(turn, blind=True)
