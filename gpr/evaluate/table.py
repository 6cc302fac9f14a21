"""The table of an evaluation: the test split, full ranking, one row a scorer. It knows scorers, not where they
are kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gpr.data.dataset import Dataset
from gpr.errors import DataError
from gpr.evaluate.metrics import NAMES, metrics_of_ranks, ranks
from gpr.scorers.ensemble import Ensemble
from gpr.scorers.gpt import Gpt
from gpr.scorers.pool import PRIOR, UNTRAINED, Pool, without_history
from gpr.scorers.popular import Popular
from gpr.scorers.scorer import Scorer, Scores
from gpr.scorers.words import Words

BATCH = 64
PROTOCOL = (
    "Full ranking of the catalogue on the test split; each right item counts as one request; items of the "
    "request's history "
    "are left out; ties share the mean of their ranks; histories leave the last two items out by time, ties in "
    "the file's order."
)
Progress = Callable[[float, str], None]


def evaluate(dataset: Dataset, base: Gpt, ensemble: Ensemble, pool: Pool, progress: Progress) -> dict[str, Any]:
    """Ranks of the test items under every scorer.

    Args:
        base: the base model zero-shot. ensemble, pool: what a user gets, `gpr`, and its parts.

    Returns:
        `{data, split, n, protocol, metrics: {scorer: {metric: value}}}`, ready for JSON.

    Raises:
        DataError: the data has no test split.
    """
    examples = dataset.examples["test"]
    if not examples:
        raise DataError("There is nothing to evaluate on: the test split is empty.", where=dataset.name)
    requests = [example.request for example in examples]
    items = np.array([example.item for example in examples])
    peers: dict[str, Scorer] = {
        "popular": Popular(dataset),
        "bm25": Words(dataset),
        "bm25_queries": Words(dataset, with_queries=True),
    }
    found: dict[str, list[np.ndarray]] = {}

    def add(part: range, scores: dict[str, Scores]) -> None:
        for name, table in scores.items():
            shown = without_history(table, requests[part.start : part.stop])
            found.setdefault(name, []).append(ranks(shown, items[part.start : part.stop]))

    for part in _parts(len(requests), progress, "the peers", 0.0, 0.05):
        batch = requests[part.start : part.stop]
        add(part, {name: scorer.score_all(batch) for name, scorer in peers.items()})
    alone = base is ensemble.gpt
    share = 0.05 if alone else 0.5
    for part in _parts(0 if alone else len(requests), progress, "the base model", 0.05, share):
        batch = requests[part.start : part.stop]
        add(part, {"base": Pool().combine(base.score_parts(batch), batch)})
    for part in _parts(len(requests), progress, "what a user gets", share, 1.0):
        batch = requests[part.start : part.stop]
        parts = ensemble.score(batch)
        add(part, {"gpr": pool.combine(parts, batch)} | {name: parts[name] for name in parts if name != PRIOR})
        if alone:
            add(part, {"base": Pool().combine({name: parts[name] for name in UNTRAINED}, batch)})
    order = ("gpr", *(name for name in found if name in parts), "base", *peers)
    metrics = {name: metrics_of_ranks(np.concatenate(found[name])) for name in order}
    return {"data": dataset.name, "split": "test", "n": len(items), "protocol": PROTOCOL, "metrics": _rounded(metrics)}


def _parts(n: int, progress: Progress, what: str, start: float, end: float) -> Any:
    for at in range(0, n, BATCH):
        progress(start + (end - start) * at / n, f"Ranking the test requests by {what}")
        yield range(at, min(n, at + BATCH))
    progress(end, f"Ranked by {what}")


def _rounded(metrics: dict[str, dict[str, float]]) -> dict[str, dict[str, float | None]]:
    return {
        name: {key: None if math.isnan(row[key]) else round(row[key], 4) for key in NAMES}
        for name, row in metrics.items()
    }
