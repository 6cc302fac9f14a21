"""From what an annotator chose to a deck of turns: the requests, who answers them, and in which order."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gpr import ranking
from gpr.data.dataset import Request
from gpr.errors import RequestError
from gpr.labels.label import Label, Preference
from gpr.labels.queue import (
    EACH,
    Card,
    Chances,
    Wish,
    answered,
    card_of,
    id_of,
    in_order,
    requests_of,
    second_opinion,
    urgency,
)
from gpr.labels.store import Said
from gpr.labels.team import Team
from gpr.ui.context import Active, Context
from gpr.ui.deck import Deck, Sitting, Turn
from gpr.ui.turns import Answer, CardTurn, ListTurn, PairTurn

if TYPE_CHECKING:
    from gpr.recommendation import Recommendation
    from gpr.recommender import Recommender

ONE, LIST, BLIND, PAIRS = MODES = ("One card", "List", "Blind", "Side by side")
BASE = "(base)"
"""The base model in a list of runs; no run can have this name."""
LOOKED_AT = 50
"""Recommendations of a request among which filters choose."""
LISTED = 10
"""Recommendations of a list."""


@dataclass(frozen=True)
class Choice:
    """How and what an annotator judges. Equal choices go on with the same deck."""

    active: Active
    annotator: str
    mode: str = ONE
    wish: Wish = field(default_factory=Wish)
    compare: tuple[str, ...] = ()
    """Runs."""
    typed: tuple[Request, ...] = ()
    uploaded: tuple[Request, ...] = ()


class Dealer:
    """Deals for one choice.

    Args:
        recommender: what is active, loaded.
    """

    def __init__(self, context: Context, recommender: Recommender, choice: Choice) -> None:
        self._context, self._recommender, self._choice = context, recommender, choice
        self.dataset = recommender.dataset
        self._store = context.workspace.labels
        self._team = Team(self._store.database)

    def sit(self, before: Sitting | None) -> Sitting:
        """A new sitting; the one before is gone on with where the annotator and the data are the same.

        Raises:
            RequestError: nothing to compare with, or no such filter here. WorkspaceError: of the store.
        """
        choice, name = self._choice, self.dataset.name
        if choice.mode == PAIRS:
            given = self._store.preferences(dataset=name, annotator=choice.annotator)
            deck = self._pairs({(one.request_id, frozenset((one.winner, one.loser))) for one in given})
            done = len(given)
        else:
            labels = self._store.current(dataset=name, annotator=choice.annotator)
            deck = self._cards({(label.request_id, label.item_id) for label in labels})
            done = len(labels)
        sitting = Sitting(choice, deck, choice.annotator, done, self._again)
        if before and before.annotator == choice.annotator and _counted(before.key) == _counted(choice):
            sitting.go_on(before)
        return sitting

    def _again(self, said: list[Said]) -> Turn | None:
        """A turn to judge again what was said in an earlier sitting."""
        labels = [one for one in said if isinstance(one, Label)]
        cards = [card for label in labels if (card := card_of(self.dataset, label))]
        if not cards or self._choice.mode == PAIRS:
            return None
        if self._choice.mode == LIST:
            return ListTurn(self.dataset, labels[0].run, cards, self._title)
        return CardTurn(self.dataset, labels[-1].run, cards[-1], self._title)

    @property
    def _title(self) -> str:
        return self._choice.active.model

    def _cards(self, seen: set[Hashable]) -> Deck:
        choice, wish = self._choice, self._choice.wish
        if wish.category and "category" not in self.dataset.catalogue.table:
            raise RequestError("This data has no categories.", hint="Choose 'any' under Category.")
        if wish.source == "second opinion":
            others = self._store.current(dataset=self.dataset.name)
            found = list(second_opinion(self.dataset, others, set(seen), wish))
            return Deck(lambda: (self._turn([card]) for card in found), len(found) + len(seen), seen)
        requests = self._requests()
        coming = iter(requests)
        urgent = urgency(self.dataset, wish.order, [self._chances(run) for run in choice.compare])
        each = LISTED if choice.mode == LIST else EACH

        def turns() -> Iterator[Turn]:
            answers = answered(self.dataset, self._claimed(coming), self._best(each), seen, wish)
            if choice.mode == LIST:
                return (self._turn(cards) for cards in answers)
            return (self._turn([card]) for card in in_order(answers, urgent))

        return Deck(turns, len(requests) * min(each, len(self.dataset.catalogue)), seen)

    def _turn(self, cards: list[Card]) -> Turn:
        run = self._recommender.run
        if self._choice.mode == LIST:
            return ListTurn(self.dataset, run, cards, self._title)
        return CardTurn(self.dataset, run, cards[0], self._title)

    def _requests(self) -> list[Request]:
        choice = self._choice
        return requests_of(self.dataset, choice.typed, choice.uploaded, choice.wish.source)

    def _claimed(self, requests: Iterator[Request]) -> Iterator[Request]:
        """Those that are not with enough other annotators; what one typed oneself always is one's own."""
        typed = set(self._choice.typed)
        for request in requests:
            overlap = 0 if request in typed else self._team.overlap
            if self._team.claim(id_of(self.dataset, request), self._choice.annotator, overlap):
                yield request

    def _best(self, k: int) -> Callable[[Request], list[Recommendation]]:
        """The best k; with filters, of a longer list."""
        wish = self._choice.wish
        if not wish.category and (wish.lowest, wish.highest) == (0.0, 1.0):
            return lambda request: self._recommender.recommend(request, k)

        def best(request: Request) -> list[Recommendation]:
            found = self._recommender.recommend(request, LOOKED_AT)
            return [one for one in found if wish.takes(one, self.dataset)][:k]

        return best

    def _run(self, run: str) -> Recommender:
        return self._context.recommender(Active(self._choice.active.data, "" if run == BASE else run))

    def _chances(self, run: str) -> Chances:
        """What a run thinks of every item; in a large catalogue, 0 of what is no candidate."""
        return lambda request: np.exp(ranking.probabilities(self._run(run).score(request), ranking.Wish())[0])

    def _pairs(self, seen: set[Hashable]) -> Deck:
        own = self._choice.active.run or BASE
        runs = list(dict.fromkeys([own, *self._choice.compare]))
        if len(runs) < 2:
            raise RequestError("Side by side needs two runs.", hint="Choose another one under 'Compare with'.")
        requests = self._requests()
        coming = iter(requests)

        def turns() -> Iterator[Turn]:
            for request in self._claimed(coming):
                name = id_of(self.dataset, request)
                pairs = list(itertools.combinations(runs, 2))
                one, other = random.Random(name).choice(pairs)
                key = (name, frozenset("" if run == BASE else run for run in (one, other)))
                answers = (self._answer(one, request), self._answer(other, request)) if key not in seen else None
                if answers and [found.item_id for found in answers[0].recommendations] != [
                    found.item_id for found in answers[1].recommendations
                ]:
                    yield PairTurn.shuffled(self.dataset, request, answers, self._choice.annotator)

        return Deck(turns, len(requests), seen)

    def _answer(self, run: str, request: Request) -> Answer:
        active = Active(self._choice.active.data, "" if run == BASE else run)
        found = self._run(run).recommend(request, EACH)
        return Answer(active.run, active.model, tuple(found))


def _counted(choice: object) -> object:
    """Choices with equal answers are counted together."""
    return (choice.active.data, choice.mode == PAIRS) if isinstance(choice, Choice) else None


def liked(said: Preference) -> str:
    """A preference in words; the runs stay hidden."""
    return "No difference" if said.tie else "Preference kept"
