from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gpr.data.dataset import Dataset, Request
from gpr.data.load import load
from gpr.errors import RequestError
from gpr.labels.label import Label
from gpr.labels.queue import (
    SOURCES,
    Card,
    Chances,
    Wish,
    answered,
    card_of,
    history_ids,
    id_of,
    in_order,
    requests_from,
    requests_of,
    second_opinion,
    urgency,
)
from gpr.recommendation import Recommendation

ITEMS = "item_id,title,category\n" + "".join(f"i{n},Item {n},{'ab'[n % 2]}\n" for n in range(8))
PAIRS = "query,item_id,split\none,i1,train\ntwo,i2,train\ntwo again,i2,train\nthree,i3,valid\nfour,i4,test\n"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder: Path = tmp_path_factory.mktemp("data") / "shop"
    folder.mkdir()
    (folder / "items.csv").write_text(ITEMS)
    (folder / "pairs.csv").write_text(PAIRS)
    users = [("u1", "0 1 2 3"), ("u2", "4 5 6 7"), ("u3", "2 3 4 5")]
    rows = [f"{user},i{item},{time}\n" for user, items in users for time, item in enumerate(items.split())]
    (folder / "interactions.csv").write_text("user_id,item_id,timestamp\n" + "".join(rows))
    return load(folder, cache=folder)


def recommend(dataset: Dataset, *probabilities: float) -> Callable[[Request], list[Recommendation]]:
    """The same answer to each request: item 0 with the first probability, and so on."""
    catalogue = dataset.catalogue
    found = [
        Recommendation(rank, rank - 1, catalogue.item_ids[rank - 1], catalogue.titles[rank - 1], odds, -1.0)
        for rank, odds in enumerate(probabilities, 1)
    ]
    return lambda request: found


def items(cards: list[Card]) -> list[str]:
    return [card.recommendation.item_id for card in cards]


def test_what_was_typed_comes_first_and_the_test_split_never(dataset: Dataset) -> None:
    typed = [Request("older"), Request("four"), Request("newer")]
    requests = requests_of(dataset, typed, [Request("uploaded")])
    assert [request.query for request in requests[:4]] == ["newer", "four", "older", "uploaded"]
    own = requests_of(dataset, [])
    assert own == requests_of(dataset, [])
    assert {request.query for request in own if request.query} == {"one", "two", "two again", "three"}
    test = {example.request.history for example in dataset.examples["test"]}
    assert test & {request.history for request in own if request.history} == set()
    assert len({request.history for request in own if request.history}) >= 3


def test_each_source_alone(dataset: Dataset) -> None:
    typed, uploaded = [Request("typed")], [Request("uploaded")]
    by = {source: requests_of(dataset, typed, uploaded, source) for source in SOURCES}
    assert by["typed"] == typed
    assert by["uploaded"] == uploaded
    assert all(request.query and not request.history for request in by["queries"])
    assert all(request.history for request in by["histories"])


def test_nothing_comes_twice_and_filters_hold(dataset: Dataset) -> None:
    ask = recommend(dataset, 0.5, 0.3, 0.1)
    requests = [Request("x"), Request("x"), Request("y")]
    seen: set[Hashable] = {(id_of(dataset, Request("y")), "i0")}
    cards = list(in_order(answered(dataset, requests, ask, seen, Wish()), None))
    assert items(cards) == ["i0", "i1", "i2", "i1", "i2"]
    assert list(answered(dataset, requests, ask, seen, Wish())) == []
    only = list(in_order(answered(dataset, requests, ask, set(), Wish(lowest=0.2, category="a")), None))
    assert items(only) == ["i0", "i0"]
    with pytest.raises(RequestError, match="The range of scores is empty"):
        Wish(lowest=0.5, highest=0.2)


def test_orders(dataset: Dataset) -> None:
    ask = recommend(dataset, 0.9, 0.45, 0.1)

    def ordered(order: str, *others: Chances) -> list[str]:
        answers = answered(dataset, [Request("x"), Request("y")], ask, set(), Wish())
        return items(list(in_order(answers, urgency(dataset, order, others))))  # type: ignore[arg-type]

    assert ordered("random") == ["i0", "i1", "i2"] * 2
    assert ordered("uncertain")[:2] == ["i1", "i1"]
    assert ordered("popular")[:2] == ["i2", "i2"], "the item that training chose most"
    assert ordered("disagreement", lambda request: np.array([0.9, 0.45, 0.8]))[:2] == ["i2", "i2"]
    with pytest.raises(RequestError, match="There is no other run to disagree with"):
        ordered("disagreement")


def test_an_order_answers_few_requests_ahead(dataset: Dataset) -> None:
    asked = []

    def ask(request: Request) -> list[Recommendation]:
        asked.append(request)
        return recommend(dataset, 0.5)(request)

    requests = [Request(str(number)) for number in range(50)]
    cards = in_order(answered(dataset, requests, ask, set(), Wish()), urgency(dataset, "uncertain"))
    next(cards)
    assert len(asked) == 2
    assert len(list(cards)) == 49


def test_a_second_opinion_is_asked_of_what_others_judged(dataset: Dataset, label: Callable[..., Label]) -> None:
    request = Request("x", (1,))
    one = label(
        request_id=id_of(dataset, request),
        query="x",
        history=history_ids(dataset, request),
        item_id="i2",
        title="Item 2",
    )
    gone = replace(one, item_id="sold out")
    mine: set[Hashable] = set()
    [card] = second_opinion(dataset, [one, replace(one, annotator="bob"), gone], mine, Wish())
    assert (card.key, card.request, card.recommendation.probability) == ((one.request_id, "i2"), request, 0.25)
    assert list(second_opinion(dataset, [one], mine, Wish())) == []
    for wish in (Wish(annotator="bob"), Wish(run="other"), Wish(lowest=0.9)):
        assert list(second_opinion(dataset, [one], set(), wish)) == []
    assert card_of(dataset, replace(one, history=("nothing",))) is None


def test_requests_of_a_file(dataset: Dataset) -> None:
    rows = [
        {"query": " a  b ", "history": '["i1", "gone"]'},
        {"query": "a b"},
        {"query": "a b"},
        {"text": "c"},
        {"text": ""},
    ]
    assert requests_from(rows, dataset) == [Request("a b", (1,)), Request("a b"), Request("c")]
    with pytest.raises(RequestError, match="The file brings no request"):
        requests_from([{}], dataset)
