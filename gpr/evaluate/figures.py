"""From outcomes to the figures of an evaluation, ready for JSON. It knows outcomes and facts about requests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpr.data.dataset import Dataset, Example
from gpr.data.split import query_key
from gpr.evaluate.beyond import Lists, coverage
from gpr.evaluate.calibration import calibration
from gpr.evaluate.metrics import NAMES, per_request
from gpr.evaluate.outcome import Outcome
from gpr.evaluate.significance import LEVEL, Resampling
from gpr.scorers.popular import times_chosen

FEWEST = 5
"""Requests that make a group worth a row."""
FIRST = "gpr"
"""The row that all others are compared with."""
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Facts:
    """What is known of B test requests besides the scorers' answers."""

    items: NDArray[np.int64]
    """(B,) the right items."""
    drawn: NDArray[np.int64]
    """(B,) equal numbers for requests that are drawn together: those of one query."""
    groups: dict[str, NDArray[np.bool_]]
    """By name, (B,) who belongs to it."""
    n_items: int


def facts_of(dataset: Dataset, examples: Sequence[Example]) -> Facts:
    """Facts about test examples of a data set."""
    chosen = times_chosen(dataset)
    items = np.array([example.item for example in examples], np.int64)
    keys = [(query_key(e.request.query), e.request.history, e.request.user) for e in examples]
    words = np.array([len(e.request.query.split()) for e in examples])
    history = np.array([len(e.request.history) for e in examples])
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    groups = {
        "cold items (never chosen in training)": chosen[items] == 0,
        "other items": chosen[items] > 0,
        "queries of one or two words": (words > 0) & (words <= 2),
        "longer queries": words > 2,
        "histories of up to 20": (history > 0) & (history <= 20),
        "longer histories": history > 20,
    }
    return Facts(items, np.array([numbers[key] for key in keys]), groups, len(chosen))


def joined_facts(parts: Sequence[Facts]) -> Facts:
    """Of several folds of one catalogue, one after the other; queries of different folds are different."""
    offsets = np.cumsum([0, *(part.drawn.max() + 1 for part in parts[:-1])])
    return Facts(
        np.concatenate([part.items for part in parts]),
        np.concatenate([part.drawn + offset for part, offset in zip(parts, offsets, strict=True)]),
        {name: np.concatenate([part.groups[name] for part in parts]) for name in parts[0].groups},
        parts[0].n_items,
    )


def judged(dataset: Dataset, outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, Values]]:
    """By scorer, what its lists are like, request by request."""
    lists = Lists(dataset)
    return {name: lists.judge(outcome.top) for name, outcome in outcomes.items()}


def figures(facts: Facts, outcomes: Mapping[str, Outcome], lists: Mapping[str, Mapping[str, Values]]) -> dict[str, Any]:
    """All figures by scorer, in the given order.

    Returns:
        `metrics` {scorer: {metric: mean}}; `intervals` the same with [low, high]; `best` {metric: scorer or None}, only
        where it is significantly above every other; `against` {scorer: {metric: {difference, p}}} of `gpr` and each
        other; `beyond` {scorer: log-loss, coverage, ...}; `groups` {group: {n, metrics}}; `calibration` {scorer: ...}.
    """
    sample = Resampling(facts.drawn)
    values = {name: per_request(outcome.ranks) for name, outcome in outcomes.items()}
    return {
        "metrics": {name: _means(of) for name, of in values.items()},
        "intervals": {name: {m: _rounded(sample.interval(of[m])) for m in NAMES} for name, of in values.items()},
        "best": {metric: _best({name: of[metric] for name, of in values.items()}, sample) for metric in NAMES},
        "against": {
            name: {m: _difference(values[FIRST][m], of[m], sample) for m in NAMES}
            for name, of in values.items()
            if name != FIRST
        },
        "beyond": {name: _beyond(facts, outcomes[name], lists[name], sample) for name in outcomes},
        "groups": {
            group: {"n": int(rows.sum()), "metrics": {name: _means(of, rows) for name, of in values.items()}}
            for group, rows in facts.groups.items()
            if FEWEST <= rows.sum() < len(rows)
        },
        "calibration": {name: calibration(outcome, facts.items) for name, outcome in outcomes.items()},
    }


def _means(values: Mapping[str, Values], rows: NDArray[np.bool_] | slice = slice(None)) -> dict[str, float | None]:
    return {metric: _rounded(float(of[rows].mean())) for metric, of in values.items()}


def _difference(ours: Values, theirs: Values, sample: Resampling) -> dict[str, Any]:
    return {
        "difference": _rounded(float((ours - theirs).mean())),
        "interval": _rounded(sample.interval(ours - theirs)),
        "p": _rounded(sample.p_value(ours - theirs)),
    }


def _best(values: Mapping[str, Values], sample: Resampling) -> str | None:
    """The row that is significantly above all others; rows that are the same scorer in another name do not count."""
    first = max(values, key=lambda name: values[name].mean())
    others = [of for name, of in values.items() if name != first and not np.array_equal(of, values[first])]
    return first if all(sample.p_value(values[first] - of) < LEVEL for of in others) else None


def _beyond(facts: Facts, outcome: Outcome, lists: Mapping[str, Values], sample: Resampling) -> dict[str, Any]:
    loss = -outcome.log_probs
    known = np.isfinite(loss).all()
    return {
        "log-loss": _rounded(float(loss.mean())) if known else None,
        "log-loss interval": _rounded(sample.interval(loss)) if known else None,
        "coverage": _rounded(coverage(outcome.top, facts.n_items)),
        **{name: _rounded(_mean_of_known(of)) for name, of in lists.items()},
    }


def _mean_of_known(values: Values) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _rounded(value: Any) -> Any:
    """To four places; None for what is undefined."""
    if isinstance(value, tuple):
        return [_rounded(part) for part in value]
    return None if value is None or not math.isfinite(value) else round(value, 4)
