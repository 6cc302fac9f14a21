"""What is to be judged next: which requests, in which order, and which of their recommendations.

Requests come from what was typed or uploaded and from the training and validation part of the data, never from its
test split. It does not know who answers requests, nor how a card looks.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gpr.data.dataset import MAX_QUERY_CHARS, Dataset, Request
from gpr.errors import RequestError
from gpr.labels.label import Label, request_id
from gpr.recommendation import Recommendation

Source = Literal["everything", "typed", "uploaded", "queries", "histories", "second opinion"]
Order = Literal["random", "uncertain", "disagreement", "popular"]
SOURCES: tuple[Source, ...] = get_args(Source)
ORDERS: tuple[Order, ...] = get_args(Order)
EACH = 5
"""Recommendations of each request."""
MAX_HISTORY = 20
THOUGHT_PER_CARD = 2
"""Requests that are answered for each card that an order picks: the choice grows while one judges."""

Key = tuple[str, str]
"""Request id and item id."""
Recommend = Callable[[Request], list[Recommendation]]
Chances = Callable[[Request], NDArray[np.floating]]
"""(N,) the probability of every item for a request."""


@dataclass(frozen=True)
class Wish:
    """What an annotator wants to judge.

    Raises:
        RequestError: the range of scores is empty.
    """

    source: Source = "everything"
    order: Order = "random"
    category: str = ""
    """Only items of this one; '' is any."""
    lowest: float = 0.0
    highest: float = 1.0
    """The probability is between them."""
    run: str | None = None
    """For a second opinion: only what was judged on this run."""
    annotator: str = ""
    """For a second opinion: only what this one judged."""

    def __post_init__(self) -> None:
        if not self.lowest <= self.highest:
            raise RequestError("The range of scores is empty.", hint="Let it end above where it starts.")

    def takes(self, found: Recommendation, dataset: Dataset) -> bool:
        """Whether the filters let a recommendation pass."""
        if not self.lowest <= found.probability <= self.highest:
            return False
        table = dataset.catalogue.table
        return not self.category or str(table["category"].iloc[found.number]) == self.category


@dataclass(frozen=True)
class Card:
    """One recommendation to judge."""

    request: Request
    recommendation: Recommendation
    key: Key


def history_ids(dataset: Dataset, request: Request) -> tuple[str, ...]:
    """The item ids of a request's history, as labels have them."""
    return tuple(dataset.catalogue.item_ids[number] for number in request.history)


def id_of(dataset: Dataset, request: Request) -> str:
    return request_id(dataset.name, request.query, history_ids(dataset, request))


def requests_of(
    dataset: Dataset, typed: Sequence[Request], uploaded: Sequence[Request] = (), source: Source = "everything"
) -> list[Request]:
    """What was typed, newest first, what was uploaded, then the data's own requests, shuffled the same each time.

    Those of the test split are left out, unless they were typed or uploaded.
    """
    examples = [example.request for split in ("train", "valid") for example in dataset.examples[split]]
    queries = [request for request in examples if request.query]
    histories = [request for request in examples if not request.query]
    histories += [Request("", sequence.items[-MAX_HISTORY:], sequence.user) for sequence in dataset.sequences]
    test = {_same(example.request) for example in dataset.examples["test"]}
    wanted = {"everything": queries + histories, "queries": queries, "histories": histories}.get(source, [])
    own = list(dict.fromkeys(request for request in wanted if _same(request) not in test))
    random.Random(0).shuffle(own)
    given = [*reversed(typed)] if source in ("everything", "typed") else []
    given += uploaded if source in ("everything", "uploaded") else []
    return list(dict.fromkeys([*given, *own]))


def requests_from(rows: Sequence[Mapping[str, Any]], dataset: Dataset) -> list[Request]:
    """The requests of an uploaded table: its column `query`, else its first, and `history` as ids that the data has.

    Raises:
        RequestError: there is none.
    """
    numbers, found = dataset.catalogue.numbers, []
    for row in rows:
        text = row["query"] if "query" in row else next(iter(row.values()), "")
        history = row.get("history") or ()
        ids = json.loads(history) if isinstance(history, str) and history.startswith("[") else history
        known = tuple(numbers[str(item)] for item in ids if str(item) in numbers) if isinstance(ids, Sequence) else ()
        found.append(Request(" ".join(str(text or "").split())[:MAX_QUERY_CHARS], known))
    found = [request for request in dict.fromkeys(found) if request.query or request.history]
    if not found:
        raise RequestError("The file brings no request.", hint="Put one query a line, or a column `query`.")
    return found


def _same(request: Request) -> tuple[str, tuple[int, ...]]:
    return request.query.casefold(), request.history


def answered(
    dataset: Dataset, requests: Iterable[Request], recommend: Recommend, seen: set[Hashable], wish: Wish
) -> Iterator[list[Card]]:
    """The cards of one request after the other; what is in `seen` is left out, and what is given is added to it."""
    for request in requests:
        name = id_of(dataset, request)
        found = [one for one in recommend(request) if (name, one.item_id) not in seen and wish.takes(one, dataset)]
        seen.update((name, one.item_id) for one in found)
        if found:
            yield [Card(request, one, (name, one.item_id)) for one in found]


def urgency(dataset: Dataset, order: Order, others: Sequence[Chances] = ()) -> Callable[[Card], float] | None:
    """How soon a card is wanted, the lowest first; None for the order in which requests come.

    Args:
        others: what other runs think of every item, for the order by disagreement.
    """
    if order == "uncertain":
        return lambda card: abs(card.recommendation.probability - 0.5)
    if order == "popular":
        chosen = Counter(example.item for example in dataset.examples["train"])
        chosen.update(number for sequence in dataset.sequences for number in sequence.items)
        return lambda card: -chosen[card.recommendation.number]
    if order == "disagreement":
        return _Disagreement(others)
    return None


class _Disagreement:
    """The largest distance between the probabilities of an item, with a minus. Keeps those of the latest request."""

    def __init__(self, others: Sequence[Chances]) -> None:
        if not others:
            raise RequestError("There is no other run to disagree with.", hint="Choose one under 'Compare with'.")
        self._others = others
        self._known: tuple[Request, list[NDArray[np.floating]]] = (Request(), [])

    def __call__(self, card: Card) -> float:
        if self._known[0] != card.request:
            self._known = (card.request, [ask(card.request) for ask in self._others])
        number, own = card.recommendation.number, card.recommendation.probability
        return -max(abs(own - float(chances[number])) for chances in self._known[1])


def in_order(answers: Iterator[list[Card]], urgent: Callable[[Card], float] | None) -> Iterator[Card]:
    """The cards of all answers, the most wanted of those that are known so far first."""
    if urgent is None:
        yield from itertools.chain.from_iterable(answers)
        return
    heap: list[tuple[float, int, Card]] = []
    count = itertools.count()
    while True:
        for cards in itertools.islice(answers, THOUGHT_PER_CARD):
            for card in cards:
                heapq.heappush(heap, (urgent(card), next(count), card))
        if not heap:
            return
        yield heapq.heappop(heap)[-1]


def second_opinion(dataset: Dataset, labels: Iterable[Label], own: set[Hashable], wish: Wish) -> Iterator[Card]:
    """The recommendations that others judged and this annotator did not."""
    for label in labels:
        key = (label.request_id, label.item_id)
        if key in own or wish.annotator not in ("", label.annotator) or wish.run not in (None, label.run):
            continue
        card = card_of(dataset, label)
        if card and wish.takes(card.recommendation, dataset):
            own.add(key)
            yield card


def card_of(dataset: Dataset, label: Label) -> Card | None:
    """The card that a label was given for; None when its items are not in this data set."""
    numbers = dataset.catalogue.numbers
    if label.item_id not in numbers or any(item not in numbers for item in label.history):
        return None
    request = Request(label.query, tuple(numbers[item] for item in label.history))
    found = Recommendation(
        label.rank, numbers[label.item_id], label.item_id, label.title, label.probability, label.log_prob, label.scores
    )
    return Card(request, found, (label.request_id, label.item_id))
