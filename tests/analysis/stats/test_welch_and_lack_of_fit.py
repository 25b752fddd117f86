"""Welch's interval of two means, and the F test of lack of fit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from analysis.stats.lack_of_fit import lack_of_fit
from analysis.stats.welch import compare_means


def test_the_difference_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(1.0, 0.1, 4), rng.normal(0.0, 2.0, 6)
    difference = compare_means(first, second)
    test = ttest_ind(first, second, equal_var=False)
    interval = test.confidence_interval()
    assert difference is not None
    assert difference.p_value == pytest.approx(test.pvalue)
    assert (difference.low, difference.high) == pytest.approx((interval.low, interval.high))


def test_single_values_have_no_difference_and_equal_ones_an_exact_one() -> None:
    two = np.array([1.0, 1.0])
    assert compare_means(two[:1], two) is None
    same = compare_means(two + 1.0, two)
    assert same is not None
    assert (same.mean, same.low, same.high, same.p_value) == (1.0, 1.0, 1.0, 0.0)


def p_values(missed: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Of 2,000 fits to 40 runs, with 8 configurations run twice, that miss this deviation."""
    rng = np.random.default_rng(0)
    residuals = (1.0 + missed**2) * rng.chisquare(40, 2000)
    pure = rng.chisquare(8, 2000)
    return np.array([lack_of_fit(r, 40, p, 8) for r, p in zip(residuals, pure, strict=True)])


def test_the_level_of_the_f_test_is_5_percent_and_it_has_power() -> None:
    assert np.mean(p_values(0.0) < 0.05) == pytest.approx(0.05, abs=0.015)
    assert np.mean(p_values(3.0) < 0.05) > 0.9


def test_nothing_is_rejected_without_degrees_of_freedom() -> None:
    assert lack_of_fit(1.0, 0, 1.0, 4) == lack_of_fit(1.0, 4, 0.0, 0) == 1.0
    assert lack_of_fit(1.0, 4, 0.0, 4) == 0.0
