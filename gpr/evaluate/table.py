"""An evaluation: the test split, full ranking, one row a scorer. It knows scorers, not how they were made; what it has
found so far is kept in a folder, so that it can go on where it ended."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gpr.data.dataset import Dataset, Example
from gpr.errors import DataError
from gpr.evaluate.details import details
from gpr.evaluate.figures import facts_of, figures, judged
from gpr.evaluate.outcome import Outcome, from_arrays, joined, to_arrays
from gpr.evaluate.peers import Scales, peers_of
from gpr.files import written_whole
from gpr.scorers.ensemble import Ensemble, scorers_of
from gpr.scorers.gpt import Gpt
from gpr.scorers.pool import PRIOR, Pool, without_history
from gpr.scorers.scorer import Scorer, Scores

BATCH = 64
CORRECTIONS = (PRIOR, "cold")
"""Parts that correct the others and rank nothing by themselves."""
PROTOCOL = (
    "Full ranking of the catalogue on the test split; each right item counts as one request; items of the request's "
    "history are left out; ties share the mean of their ranks; histories leave the last two items out by time, ties in "
    "the file's order. Intervals: 95 % bootstrap over queries; tests: paired randomisation over queries. "
    "Scores that are no probabilities get one factor each, fitted on the validation split, for their log-loss. "
    "After that, what learns from examples at once knows the validation queries too, peers included."
)
Progress = Callable[[float, str], None]
Outcomes = dict[str, Outcome]


def evaluate(
    dataset: Dataset, base: Gpt, ensemble: Ensemble, pool: Pool, progress: Progress, kept: Path | None = None
) -> dict[str, Any]:
    """The figures of the test split under every scorer.

    Args:
        base: the base model zero-shot. ensemble, pool: what a user gets, `gpr`, and its parts.
        kept: a folder for what has been found so far; it is read first.

    Returns:
        `{data, split, n, protocol, metrics: {scorer: {metric: value}}, ...}` as `figures` has it, and `details`, ready
        for JSON.

    Raises:
        DataError: the data has no test split.
    """
    outcomes = find(dataset, base, ensemble, pool, progress, kept)
    facts = facts_of(dataset, dataset.examples["test"])
    found = figures(facts, outcomes, judged(dataset, outcomes))
    about = {"data": dataset.name, "split": "test", "n": len(facts.items), "protocol": PROTOCOL}
    return {**about, **found, "details": details(dataset, outcomes)}


def find(
    dataset: Dataset, base: Gpt, ensemble: Ensemble, pool: Pool, progress: Progress, kept: Path | None = None
) -> Outcomes:
    """What every scorer makes of the test requests, `gpr` first; arguments as above.

    Raises:
        DataError: the data has no test split.
    """
    examples = dataset.examples["test"]
    if not examples:
        raise DataError("There is nothing to evaluate on: the test split is empty.", where=dataset.name)
    known = dataset.with_validation()
    peers = peers_of(known)
    scales = Scales(dataset, peers | ensemble.others if known is dataset else ensemble.others | _unaware(dataset))
    alone = base is ensemble.gpt

    def of_peers(batch: list[Example]) -> dict[str, Scores]:
        return {name: scorer.score_all([e.request for e in batch]) for name, scorer in peers.items()}

    def of_base(batch: list[Example]) -> dict[str, Scores]:
        asked = [example.request for example in batch]
        return {"base": Pool().combine(base.score_parts(asked), asked)}

    def of_user(batch: list[Example]) -> dict[str, Scores]:
        asked = [example.request for example in batch]
        parts = ensemble.score(asked)
        ranking = {name: part for name, part in parts.items() if name not in CORRECTIONS}
        rows = {"gpr": pool.combine(parts, asked)} | ranking
        own = {name: part for name, part in parts.items() if name not in ensemble.others}
        return rows | ({"base": Pool().combine(own, asked)} if alone else {})

    stages = Stages(examples, scales, progress, kept)
    rest = stages.run("peers", "the peers", of_peers, 0.0, 0.05)
    share = 0.05 if alone else 0.5
    if not alone:
        rest = stages.run("base", "the base model", of_base, 0.05, share) | rest
    found = stages.run("gpr", "what a user gets", of_user, share, 1.0)
    return {name: outcome for name, outcome in found.items() if name not in rest} | {
        name: (found | rest)[name] for name in ("base", *peers)
    }


def _unaware(dataset: Dataset) -> dict[str, Scorer]:
    """The scorers whose scale is fitted on the validation queries, without knowing these."""
    return scorers_of(dataset) | peers_of(dataset)


class Stages:
    """The test requests in batches, some scorers after others; what a batch gave is kept in a file.

    Args:
        scales: of scorers that give no probabilities. kept: the folder of those files; None keeps nothing.
    """

    def __init__(self, examples: tuple[Example, ...], scales: Scales, progress: Progress, kept: Path | None) -> None:
        self._examples, self._scales, self._progress, self._kept = examples, scales, progress, kept

    def run(
        self, stage: str, words: str, score: Callable[[list[Example]], dict[str, Scores]], start: float, end: float
    ) -> Outcomes:
        """The outcomes of one stage; `start` and `end` are its shares of the whole."""
        parts: list[Outcomes] = []
        began, done = time.monotonic(), 0
        for at in range(0, len(self._examples), BATCH):
            left = (time.monotonic() - began) / done * (len(self._examples) - at) if done else 0.0
            share = start + (end - start) * at / len(self._examples)
            self._progress(share, f"Ranking the test requests by {words}{_left(left)}")
            batch = list(self._examples[at : at + BATCH])
            path = self._kept / f"{stage}-{at}-{len(batch)}.npz" if self._kept else None
            outcomes = _read(path)
            if outcomes is None:
                outcomes = self._outcomes(score(batch), batch)
                done += len(batch)
                if path:
                    _write(path, outcomes)
            parts.append(outcomes)
        self._progress(end, f"Ranked by {words}")
        return {name: joined([part[name] for part in parts]) for name in parts[0]}

    def _outcomes(self, scores: dict[str, Scores], batch: list[Example]) -> Outcomes:
        asked = [example.request for example in batch]
        items = np.array([example.item for example in batch], np.int64)
        return {
            name: Outcome.of(without_history(table, asked), items, self._scales.log_probs(name, table, asked))
            for name, table in scores.items()
        }


def _left(seconds: float) -> str:
    if seconds < 5:
        return ""
    return f", about {seconds / 60:.0f} min left" if seconds > 90 else f", about {seconds:.0f} s left"


def _read(path: Path | None) -> Outcomes | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:  # type: ignore[arg-type]
            return from_arrays(dict(arrays))
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile):
        return None


def _write(path: Path, outcomes: Outcomes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **to_arrays(outcomes))  # type: ignore[arg-type]
