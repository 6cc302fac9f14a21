"""Whether probabilities mean what they say. It knows the ten best of each list, and what came true."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpr.evaluate.outcome import Outcome

BINS = 10
"""Of equally many recommendations each, since most probabilities are small."""


def calibration(outcome: Outcome, items: NDArray[np.int64]) -> dict[str, Any] | None:
    """The reliability diagram over the top of each list, and its expected calibration error (ECE).

    Returns:
        `{ece, bins: [{said, true, n}]}` in increasing order of `said`; None where there are no probabilities.
    """
    known = np.isfinite(outcome.chances)
    if not known.any():
        return None
    said = outcome.chances[known]
    true = (outcome.top == items[:, None])[known]
    bins = []
    for part in np.array_split(np.argsort(said, kind="stable"), min(BINS, len(said))):
        bins.append(
            {"said": round(float(said[part].mean()), 6), "true": round(float(true[part].mean()), 6), "n": len(part)}
        )
    error = sum(abs(entry["said"] - entry["true"]) * entry["n"] for entry in bins) / len(said)
    return {"ece": round(float(error), 6), "bins": bins}
