"""What one annotator said: a label of one recommendation, or a preference between two runs. Knows nothing of where it
is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Literal, get_args

from gpr.errors import RequestError

Verdict = Literal["good", "bad", "skip"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
Kind = Literal["label", "ruling"]

REASONS = ("off topic", "already seen", "wrong audience", "poor quality")
"""Offered after 'bad'; the owner may add some."""
FLAG = "flagged"
"""The reason that a flag stands for: to be looked at again, whatever the verdict."""
_BETWEEN = "; "


def request_id(dataset: str, query: str = "", history: Sequence[str] = ()) -> str:
    """A short name for a request: equal data set, query (white space folded) and history give equal 16 hex digits."""
    parts = json.dumps([dataset, " ".join(query.split()), list(history)])
    return hashlib.blake2b(parts.encode(), digest_size=8).hexdigest()


def now() -> str:
    """The time as a label has it: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def join_reasons(reasons: Sequence[str]) -> str:
    """As a label has them: 'off topic; flagged'."""
    return _BETWEEN.join(dict.fromkeys(reasons))


@dataclass(frozen=True)
class Label:
    """What one annotator said of one recommendation.

    Raises:
        RequestError: no such verdict, or nobody said it.
    """

    request_id: str
    """From `request_id()`."""
    query: str
    history: tuple[str, ...]
    """Item ids, oldest first."""
    item_id: str
    title: str
    run: str
    """The run whose model recommended it."""
    probability: float
    log_prob: float
    rank: int
    """From 1, as it was shown; 0 where it was not."""
    verdict: Verdict
    annotator: str
    scores: dict[str, float] = field(default_factory=dict)
    """Scorer -> its log-probability of the item."""
    dataset: str = ""
    """The data set's name."""
    reason: str = ""
    """Why, in the offered words, with '; ' between them."""
    note: str = ""
    """Why, in the annotator's own words."""
    time: str = field(default_factory=now)
    kind: Kind = "label"
    """A ruling is the owner's word where annotators disagree."""

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise RequestError(f"'{self.verdict}' is no verdict.", hint=f"Use one of {', '.join(VERDICTS)}.")
        _named(self.annotator)

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(self.reason.split(_BETWEEN)) if self.reason else ()

    @property
    def flagged(self) -> bool:
        return FLAG in self.reasons


@dataclass(frozen=True)
class Preference:
    """Which of two runs' lists one annotator liked more for one request.

    Raises:
        RequestError: nobody said it.
    """

    STORED: ClassVar[tuple[str, ...]] = ("request_id", "query", "history", "annotator", "dataset", "note", "time")

    request_id: str
    query: str
    history: tuple[str, ...]
    winner: str
    """A run; '' is the base model."""
    loser: str
    annotator: str
    tie: bool = False
    """Then winner and loser are in no order."""
    dataset: str = ""
    note: str = ""
    time: str = field(default_factory=now)

    def __post_init__(self) -> None:
        _named(self.annotator)


def _named(annotator: str) -> None:
    if not annotator.strip():
        raise RequestError("The label has no annotator.", hint="Type your name first.")
