"""Intervals and tests against what statistics says of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gpr.evaluate.significance import Resampling


def test_the_interval_of_independent_values_is_that_of_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=400)
    low, high = Resampling(np.arange(400)).interval(values)
    error = values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.15 * error)


def test_values_that_belong_together_are_less_sure() -> None:
    values = np.random.default_rng(0).normal(size=50).repeat(4)
    alone = Resampling(np.arange(200)).interval(values)
    together = Resampling(np.arange(50).repeat(4)).interval(values)
    assert together[1] - together[0] > 1.7 * (alone[1] - alone[0])  # twice, in theory


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.25])
def test_the_p_value_is_near_that_of_the_t_test(shift: float) -> None:
    differences = np.random.default_rng(1).normal(shift, 1, 150)
    expected = stats.ttest_1samp(differences, 0).pvalue
    assert Resampling(np.arange(150)).p_value(differences) == pytest.approx(expected, abs=0.02)


def test_no_difference_and_no_number() -> None:
    sample = Resampling(np.arange(20))
    assert sample.p_value(np.zeros(20)) == 1
    assert np.isnan(sample.p_value(np.full(20, np.nan)))
    assert np.isnan(sample.interval(np.full(20, np.nan))).all()


def test_a_clear_difference_is_seen() -> None:
    assert Resampling(np.arange(60)).p_value(np.full(60, 0.3)) < 0.001


def test_the_same_seed_gives_the_same_answer() -> None:
    values = np.random.default_rng(0).normal(size=30)
    assert Resampling(np.arange(30)).interval(values) == Resampling(np.arange(30)).interval(values)
