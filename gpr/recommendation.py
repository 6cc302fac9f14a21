"""What a request gives: items with their rank, probability and the score of each scorer. Shared by the CLI, the
page and the labels."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recommendation:
    """One item of the answer to one request."""

    rank: int
    """From 1."""
    number: int
    """Item number in the catalogue."""
    item_id: str
    title: str
    probability: float
    """Of this item among all that could be recommended; sums to 1 over the catalogue."""
    log_prob: float
    scores: dict[str, float] = field(default_factory=dict)
    """Scorer -> its own log-score of the item."""
    shares: dict[str, float] = field(default_factory=dict)
    """Scorer -> its weighted score above what is expected of it: they add up to how far the item stands out."""
