"""How sure a mean or a difference is. It knows values by request, and which requests belong together.

A query with several right items counts once for each, and those values are not independent: whole queries are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2_000
FLIPS = 10_000
LEVEL = 0.05


@dataclass(frozen=True)
class Resampling:
    """Draws of the same B requests for all scorers, so that differences are paired.

    Args:
        groups: (B,) a number for each request; equal numbers are drawn together.
    """

    groups: NDArray[np.int64]
    seed: int = 0

    def interval(self, values: NDArray[np.float64]) -> tuple[float, float]:
        """The 95 % bootstrap interval of the mean of values (B,); NaN where a value is."""
        sums, counts = self._by_group(values)
        rng = np.random.default_rng(self.seed)
        drawn = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), DRAWS)  # (draws, groups)
        means = (drawn @ sums) / (drawn @ counts)
        low, high = np.quantile(means, [LEVEL / 2, 1 - LEVEL / 2])
        return float(low), float(high)

    def p_value(self, differences: NDArray[np.float64]) -> float:
        """Two-sided paired randomisation test (Smucker et al. 2007) of a mean difference of nothing, values (B,)."""
        sums, _ = self._by_group(differences)
        if not np.isfinite(sums).all():
            return float("nan")
        signs = np.random.default_rng(self.seed).integers(0, 2, (FLIPS, len(sums)), dtype=np.int8) * 2 - 1
        extreme = np.abs(signs @ sums) >= abs(sums.sum()) - 1e-12
        return float((1 + extreme.sum()) / (1 + FLIPS))

    def _by_group(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        _, place = np.unique(self.groups, return_inverse=True)
        return np.bincount(place, values).astype(np.float64), np.bincount(place).astype(np.int64)
