"""What there is to judge at a time: one recommendation, a request with its list, or the lists of two runs.

A turn says what a press means. It does not know how it looks (`judge`), nor where labels are kept.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from gpr.data.dataset import Dataset, Request
from gpr.errors import RequestError
from gpr.labels.label import FLAG, VERDICTS, Label, Preference, join_reasons
from gpr.labels.queue import Card, history_ids, id_of
from gpr.labels.store import Said
from gpr.recommendation import Recommendation


def _token() -> str:
    return secrets.token_hex(4)


def label_of(
    dataset: Dataset, card: Card, run: str, verdict: str, annotator: str, press: Mapping[str, str] | None = None
) -> Label:
    """What a press says of one recommendation, with the flag and the note that came along.

    Raises:
        RequestError: no such verdict, no annotator.
    """
    found, press = card.recommendation, press or {}
    return Label(
        request_id=card.key[0],
        query=card.request.query,
        history=history_ids(dataset, card.request),
        item_id=found.item_id,
        title=found.title,
        run=run,
        probability=found.probability,
        log_prob=found.log_prob,
        rank=found.rank,
        verdict=verdict,  # type: ignore[arg-type]  # Label checks it
        annotator=annotator,
        scores=found.scores,
        dataset=dataset.name,
        reason=join_reasons([FLAG] if press.get("flag") == "true" else []),
        note=press.get("note", "").strip(),
    )


@dataclass(eq=False)
class CardTurn:
    """One recommendation."""

    dataset: Dataset
    run: str
    card: Card
    title: str = ""
    """Of what recommends, to be shown."""
    flagged: bool = False
    note: str = ""
    finished: bool = False
    token: str = field(default_factory=_token)

    def says(self, press: Mapping[str, str], annotator: str) -> list[Said]:
        """What a press says. Raises: RequestError."""
        return [label_of(self.dataset, self.card, self.run, press["press"], annotator, press)]

    def covers(self, said: Said) -> bool:
        return isinstance(said, Label) and (said.request_id, said.item_id) == self.card.key

    def keep(self, said: Said) -> str:
        self.finished = True
        return ""

    def forget(self, said: Said) -> None:
        assert isinstance(said, Label)
        self.finished, self.flagged, self.note = False, said.flagged, said.note


@dataclass(eq=False)
class ListTurn:
    """A request with its recommendations."""

    dataset: Dataset
    run: str
    cards: list[Card]
    title: str = ""
    verdicts: dict[str, str] = field(default_factory=dict)
    """Item id -> verdict."""
    token: str = field(default_factory=_token)

    @property
    def request(self) -> Request:
        return self.cards[0].request

    @property
    def open(self) -> list[Card]:
        """Those without a verdict."""
        return [card for card in self.cards if card.recommendation.item_id not in self.verdicts]

    @property
    def finished(self) -> bool:
        return not self.open

    def says(self, press: Mapping[str, str], annotator: str) -> list[Said]:
        """What a press says: of one item, 'all' good, or the 'rest' bad. Raises: RequestError."""
        verdict = {"all": "good", "rest": "bad"}.get(press["press"], press["press"])
        chosen = self.open
        if press["press"] in VERDICTS:
            chosen = [card for card in self.cards if card.recommendation.item_id == press.get("item")]
        return [label_of(self.dataset, card, self.run, verdict, annotator) for card in chosen]

    def covers(self, said: Said) -> bool:
        return isinstance(said, Label) and any((said.request_id, said.item_id) == card.key for card in self.cards)

    def keep(self, said: Said) -> str:
        assert isinstance(said, Label)
        before = self.verdicts.get(said.item_id, "")
        self.verdicts[said.item_id] = said.verdict
        return before

    def forget(self, said: Said) -> None:
        assert isinstance(said, Label)
        self.verdicts.pop(said.item_id, None)


@dataclass(frozen=True)
class Answer:
    """The list of one run."""

    run: str
    title: str
    recommendations: tuple[Recommendation, ...]


@dataclass(eq=False)
class PairTurn:
    """The lists of two runs for one request, left and right at random but the same each time."""

    dataset: Dataset
    request: Request
    left: Answer
    right: Answer
    finished: bool = False
    token: str = field(default_factory=_token)

    @classmethod
    def shuffled(cls, dataset: Dataset, request: Request, answers: tuple[Answer, Answer], annotator: str) -> PairTurn:
        one, other = answers
        seed = f"{annotator} {id_of(dataset, request)} {sorted((one.run, other.run))}"
        if random.Random(seed).random() < 0.5:
            one, other = other, one
        return cls(dataset, request, one, other)

    def says(self, press: Mapping[str, str], annotator: str) -> list[Said]:
        """'left', 'right' or 'tie'. Raises: RequestError."""
        if press["press"] not in ("left", "right", "tie"):
            raise RequestError(f"'{press['press'][:20]}' is no preference.", hint="Use left, right or tie.")
        winner, loser = (self.right, self.left) if press["press"] == "right" else (self.left, self.right)
        liked = Preference(
            id_of(self.dataset, self.request),
            self.request.query,
            history_ids(self.dataset, self.request),
            winner.run,
            loser.run,
            annotator,
            tie=press["press"] == "tie",
            dataset=self.dataset.name,
            note=press.get("note", "").strip(),
        )
        return [liked]

    def covers(self, said: Said) -> bool:
        same = {self.left.run, self.right.run}
        return (
            isinstance(said, Preference)
            and said.request_id == id_of(self.dataset, self.request)
            and {said.winner, said.loser} == same
        )

    def keep(self, said: Said) -> str:
        self.finished = True
        return ""

    def forget(self, said: Said) -> None:
        self.finished = False
