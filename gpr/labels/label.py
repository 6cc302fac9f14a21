"""One label: what one annotator said of one recommendation of one request. Knows nothing of where labels are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, get_args

from gpr.errors import RequestError

Verdict = Literal["good", "bad", "skip"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def request_id(dataset: str, query: str = "", history: Sequence[str] = ()) -> str:
    """A short name for a request: equal data set, query (white space folded) and history give equal 16 hex digits."""
    parts = json.dumps([dataset, " ".join(query.split()), list(history)])
    return hashlib.blake2b(parts.encode(), digest_size=8).hexdigest()


def now() -> str:
    """The time as a label has it: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


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
    """From 1, as it was shown."""
    verdict: Verdict
    annotator: str
    scores: dict[str, float] = field(default_factory=dict)
    """Scorer -> its log-probability of the item."""
    dataset: str = ""
    """The data set's name."""
    reason: str = ""
    """Why, in one of the offered words."""
    note: str = ""
    """Why, in the annotator's own words."""
    time: str = field(default_factory=now)

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise RequestError(f"'{self.verdict}' is no verdict.", hint=f"Use one of {', '.join(VERDICTS)}.")
        if not self.annotator.strip():
            raise RequestError("The label has no annotator.", hint="Type your name first.")
