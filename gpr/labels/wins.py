"""Which run is liked more: win rates with their interval, and one strength a run where there are more than two."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from gpr.labels.label import Preference

WEAK = 10.0
"""Inverse strength of the ridge that keeps a run finite that always wins."""


def wins(preferences: Sequence[Preference]) -> dict[str, Any]:
    """Plain values: `pairs` (runs, wins of the first, losses, ties, win_rate without ties and its 95 % Wilson interval)
    and, for more than two runs, `bradley_terry` (run -> probability of being liked more than the average run).
    """
    runs = sorted({run for one in preferences for run in (one.winner, one.loser)})
    found = [_pair(one, other, preferences) for one, other in itertools.combinations(runs, 2)]
    result: dict[str, Any] = {"pairs": [pair for pair in found if pair]}
    if len(runs) > 2:
        result["bradley_terry"] = _strengths(runs, preferences)
    return result


def _pair(one: str, other: str, preferences: Sequence[Preference]) -> dict[str, Any] | None:
    these = [liked for liked in preferences if {liked.winner, liked.loser} == {one, other}]
    if not these:
        return None
    won = sum(liked.winner == one and not liked.tie for liked in these)
    lost = sum(liked.winner == other and not liked.tie for liked in these)
    row: dict[str, Any] = {"runs": [one, other], "wins": won, "losses": lost, "ties": len(these) - won - lost}
    if won + lost:
        from scipy.stats import binomtest

        interval = binomtest(won, won + lost).proportion_ci(method="wilson")
        row |= {
            "win_rate": round(won / (won + lost), 4),
            "low": round(float(interval.low), 4),
            "high": round(float(interval.high), 4),
        }
    return row


def _strengths(runs: Sequence[str], preferences: Sequence[Preference]) -> dict[str, float]:
    """Bradley and Terry (1952), as the logistic regression that it is; a tie is half a win for each."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    rows, who, weights = [], [], []
    for liked in preferences:
        row = np.zeros(len(runs))
        row[runs.index(liked.winner)], row[runs.index(liked.loser)] = 1.0, -1.0
        for sign, weight in ((1, 0.5 if liked.tie else 1.0), (-1, 0.5 if liked.tie else 0.0)):
            rows.append(sign * row)
            who.append(1)
            weights.append(weight / 2)
            rows.append(-sign * row)
            who.append(0)
            weights.append(weight / 2)
    model = LogisticRegression(C=WEAK, fit_intercept=False).fit(np.array(rows), who, sample_weight=weights)
    strength = model.coef_[0] - model.coef_[0].mean()
    return {run: round(float(1 / (1 + np.exp(-value))), 4) for run, value in zip(runs, strength, strict=True)}
