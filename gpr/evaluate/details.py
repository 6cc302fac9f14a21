"""Request by request: what was asked, what was right, and each scorer's list. It knows outcomes and titles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpr.data.dataset import Dataset, Request
from gpr.evaluate.outcome import Outcome

MOST = 3_000
"""Requests that are kept for looking at."""
SHOWN_HISTORY = 5


def details(dataset: Dataset, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """`{requests: [{asked, right, ranks: {scorer: rank}, top: {scorer: [item number]}}], titles: {number: title}}`."""
    titles = dataset.catalogue.titles
    examples = dataset.examples["test"][:MOST]
    requests: list[dict[str, Any]] = [
        {
            "asked": in_words(example.request, titles),
            "right": example.item,
            "ranks": {name: float(outcome.ranks[row]) for name, outcome in outcomes.items()},
            "top": {name: [int(n) for n in outcome.top[row] if n >= 0] for name, outcome in outcomes.items()},
        }
        for row, example in enumerate(examples)
    ]
    named = {item for request in requests for top in request["top"].values() for item in top}
    named |= {request["right"] for request in requests}
    return {"requests": requests, "titles": {str(number): titles[number] for number in sorted(named)}}


def in_words(request: Request, titles: tuple[str, ...]) -> str:
    """A request on one line: the query, then the most recent items of the history."""
    recent = [titles[number] for number in request.history[-SHOWN_HISTORY:]]
    more = len(request.history) - len(recent)
    history = f"chose {f'{more} more, then ' if more else ''}{' · '.join(recent)}" if recent else ""
    return " — ".join(part for part in (request.query, history) if part)
