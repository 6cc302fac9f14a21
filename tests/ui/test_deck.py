from __future__ import annotations

import threading
from pathlib import Path

import pytest

from gpr.data.dataset import Dataset, Request
from gpr.data.load import load
from gpr.errors import ModelError, RequestError
from gpr.labels.store import LabelStore
from gpr.recommendation import Recommendation
from gpr.ui.background import Background, Task
from gpr.ui.deck import Deck, Sitting, requests_of
from gpr.ui.labelling import annotator_of, give, given
from tests.ui.fake import FakeRecommender, write_data


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return load(write_data(tmp_path / "tiny"), cache=tmp_path)


def deck_of(dataset: Dataset, requests: list[Request], seen: set[tuple[str, str]] | None = None) -> Deck:
    recommender = FakeRecommender(dataset, "")
    deck = Deck(dataset, requests, lambda request: recommender.recommend(request, 5), seen or set())
    deck.think(wait=True)
    return deck


def walk(deck: Deck) -> list[tuple[str, str]]:
    """All keys of a deck, in order."""
    keys = []
    while deck.card:
        keys.append(deck.card.key)
        deck.place += 1
        deck.think(wait=True)
    return keys


def test_what_was_typed_comes_first_and_the_test_split_never(dataset: Dataset) -> None:
    typed = [Request("older"), Request("cops and robbers in la"), Request("newer")]
    requests = requests_of(dataset, typed)
    assert [request.query for request in requests[:3]] == ["newer", "cops and robbers in la", "older"]
    own = {request.query for request in requests_of(dataset, [])}
    assert "feel good film in paris" in own
    assert "cops and robbers in la" not in own
    assert requests_of(dataset, []) == requests_of(dataset, [])


def test_a_deck_goes_through_five_for_each_request_and_leaves_out_what_was_labelled(dataset: Dataset) -> None:
    requests = [Request("dream"), Request("monster"), Request("paris")]
    keys = walk(deck_of(dataset, requests))
    assert len(keys) == len(set(keys)) == 15
    assert walk(deck_of(dataset, requests, set(keys[:4]))) == keys[4:]


def test_a_deck_walks_back_to_the_card_before_alone(dataset: Dataset) -> None:
    deck = deck_of(dataset, [Request("dream")])
    first, second = deck._cards[0].key, deck._cards[1].key
    deck.step()
    assert not deck.back(second)
    assert deck.back(first)
    assert deck.place == 0
    assert not deck.back(first)


def test_trouble_is_said_and_the_next_request_tried(dataset: Dataset) -> None:
    def recommend(request: Request) -> list[Recommendation]:
        if request.query == "bad":
            raise ModelError("The model is gone.")
        return FakeRecommender(dataset, "").recommend(request, 5)

    deck = Deck(dataset, [Request("bad"), Request("dream")], recommend, set())
    deck.think(wait=True)
    assert (deck.card, deck.trouble) == (None, "The model is gone.")
    deck.think(wait=True)
    assert deck.card
    assert deck.trouble == ""


def test_the_pace_of_a_sitting(dataset: Dataset) -> None:
    sitting = Sitting((), deck_of(dataset, []), "", "me", before=3)
    assert sitting.rate is None
    for _ in range(4):
        sitting.mark()
    assert sitting.rate
    assert sitting.rate > 1000
    sitting.unmark()
    assert sitting.labelled == 3


def test_a_label_taken_back_leaves_nothing_else_changed(dataset: Dataset) -> None:
    store, request = LabelStore("sqlite://"), Request("dream")
    one, other = FakeRecommender(dataset, "").recommend(request, 2)
    give(store, dataset, request, one, "run", "good", "me")
    give(store, dataset, request, one, "run", "bad", "me")
    assert given(store, dataset, request, "me") == {one.number: "bad"}
    give(store, dataset, request, one, "run", "bad", "me", back=True)
    assert store.current() == []
    give(store, dataset, request, one, "run", "good", "me")
    give(store, dataset, request, other, "run", "bad", "me")
    give(store, dataset, request, one, "run", "good", "me", back=True)
    assert given(store, dataset, request, "me") == {other.number: "bad"}
    assert given(store, dataset, request, "somebody else") == {}
    assert [label.item_id for label in store.current()] == [other.item_id]


def test_who_labels() -> None:
    class Login:
        username = "anna"

    assert annotator_of("  Ben  Li ", None) == "Ben Li"
    assert annotator_of("Ben", Login()) == "anna"  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="A label needs a name. Type yours"):
        annotator_of("  ", None)


def test_background_runs_each_key_once_until_told_otherwise() -> None:
    background, go = Background(), threading.Event()

    def work(task: Task) -> str:
        task.report(0.5, "half")
        go.wait(10)
        return "result"

    task = background.start("key", work)
    assert background.start("key", work, again=True) is task
    go.set()
    finished(task)
    assert (task.state, task.result) == ("done", "result")
    assert background.start("key", work) is task
    failing = background.start("other", lambda task: [][1])
    finished(failing)
    assert failing.state == "failed"
    assert "Something went wrong on our side." in failing.words
    again = background.start("other", lambda task: 1, again=True)
    assert again is not failing
    finished(again)


def finished(task: Task) -> None:
    task.thread.join(10)
    assert task.state != "running"
