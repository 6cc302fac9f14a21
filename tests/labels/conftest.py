from __future__ import annotations

from collections.abc import Callable

import pytest

from gpr.labels.label import Label, request_id


@pytest.fixture
def label() -> Callable[..., Label]:
    """Makes a label; every field can be given."""

    def make(**fields: object) -> Label:
        query = str(fields.get("query", "a film about dreams"))
        defaults = {
            "request_id": request_id("films", query, ("3", "1")),
            "query": query,
            "history": ("3", "1"),
            "item_id": "7",
            "title": "Inception",
            "run": "run-1",
            "probability": 0.25,
            "log_prob": -1.3862943611198906,
            "rank": 1,
            "verdict": "good",
            "annotator": "ada",
            "scores": {"generate": -1.5, "words": float("-inf")},
            "dataset": "films",
        }
        return Label(**{**defaults, **fields})  # type: ignore[arg-type]

    return make
