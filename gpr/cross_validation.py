"""`gpr evaluate DATA --folds K`: trains once for each fold, measures on what that training has not seen, and pools the
folds. What is done is kept in a folder, so that it can go on where it ended."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from gpr.data.dataset import Dataset
from gpr.data.folds import fold
from gpr.evaluate.details import details
from gpr.evaluate.figures import facts_of, figures, joined_facts, judged
from gpr.evaluate.outcome import joined
from gpr.evaluate.table import PROTOCOL, Outcomes, find
from gpr.learn.options import FOUR_BIT, Options
from gpr.learn.run_folder import Progress, RunFolder
from gpr.recommender import load_recommender

Tell = Callable[[float, str], None]
TRAINING_SHARE = 0.9
"""Of the work of a fold."""


def cross_validate(
    dataset: Dataset, folds: int, options: Options, kept: Path, measured: Path, tell: Tell
) -> dict[str, Any]:
    """The figures of all folds together, as `evaluate` gives them.

    Every fold chooses its pool's weights on its own validation part; nothing is chosen on what it tests. A part that
    does not count in all folds has no row of its own.

    Args:
        options: of each training. kept, measured: folders for the runs and for what they answered; read first.

    Raises:
        DataError: too few queries. RunError, ModelError, WorkspaceError.
    """
    parts = [fold(dataset, number, folds) for number in range(max(1, folds))]  # none is refused there
    found: list[Outcomes] = []
    for number, part in enumerate(parts):
        name = f"fold-{number + 1}"
        found.append(_outcomes(part, options, kept / name, measured / name, _told(number, folds, tell)))
    facts = joined_facts([facts_of(part, part.examples["test"]) for part in parts])
    found = [{name: of[name] for name in of if all(name in other for other in found)} for of in found]
    found = [{name: of[name] for name in of if all(name in other for other in found)} for of in found]
    outcomes = {name: joined([of[name] for of in found]) for name in found[0]}
    judgements = [judged(part, of) for part, of in zip(parts, found, strict=True)]
    lists = {
        name: {key: np.concatenate([of[name][key] for of in judgements]) for key in judgements[0][name]}
        for name in judgements[0]
    }
    tested = tuple(example for part in parts for example in part.examples["test"])
    whole = replace(dataset, examples={**dataset.examples, "test": tested})
    about = {"data": dataset.name, "split": f"test ({folds} folds)", "n": len(tested), "folds": folds}
    about["protocol"] = f"{folds} folds by query, one training for each with the same settings; {PROTOCOL}"
    return {**about, **figures(facts, outcomes, lists), "details": details(whole, outcomes)}


def _told(number: int, folds: int, tell: Tell) -> Tell:
    return lambda share, words: tell((number + share) / folds, f"Fold {number + 1} of {folds}: {words}")


def _outcomes(part: Dataset, options: Options, kept: Path, measured: Path, tell: Tell) -> Outcomes:
    """What every scorer makes of the test requests of one fold."""
    from gpr.lm.base import load_base

    folder = RunFolder(kept / "run")
    if not folder.done:
        _train(part, options, folder, tell)
    tell(TRAINING_SHARE, "loading")
    silent: Tell = lambda share, words: None  # noqa: E731
    base = load_recommender(part, load_base(options.base), None, "", silent)
    user = load_recommender(part, load_base(options.base), folder.adapter, "", silent, options.window)
    rest: Tell = lambda share, words: tell(TRAINING_SHARE + (1 - TRAINING_SHARE) * share, words)  # noqa: E731
    return find(part, base.ensemble.gpt, user.ensemble, user.pool, rest, measured)


def _train(part: Dataset, options: Options, folder: RunFolder, tell: Tell) -> None:
    """One run, or the rest of it where there is a checkpoint."""
    from gpr.evaluate.metrics import ranking_metrics
    from gpr.learn.schedule import Clock
    from gpr.learn.training import fine_tune, told_in_words
    from gpr.lm.base import load_base

    going_on = folder.resumable
    if not going_on:
        shutil.rmtree(folder.path, ignore_errors=True)
        folder.path.mkdir(parents=True)
        folder.write("config.json", {"options": asdict(options)})

    def listen(state: dict[str, Any]) -> None:
        share = state["step"] / state["steps"] if state.get("steps") else 0.0
        tell(TRAINING_SHARE * min(share, 1.0), state["phase"])

    progress = Progress(folder, listen, resume=going_on)
    base = load_base(options.base, four_bit=options.precision == FOUR_BIT).in_precision(options.precision)
    clock = Clock(time.monotonic(), options.max_minutes)
    with told_in_words(options):
        fine_tune(part, base, options, folder, progress, clock, lambda: False, ranking_metrics)
