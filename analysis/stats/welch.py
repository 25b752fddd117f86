"""Difference of two means with unequal variances: Welch's t interval and test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray


@dataclass(frozen=True)
class WelchDifference:
    """Mean of the first sample minus that of the second, with its 95 % interval.

    p_value: two-sided, of equal means
    """

    mean: float
    low: float
    high: float
    p_value: float


def compare_means(
    first: FloatArray, second: FloatArray, level: float = 0.95
) -> WelchDifference | None:
    """The difference of means of two samples; None for fewer than two values in either."""
    from scipy.stats import t

    if min(len(first), len(second)) < 2:
        return None
    mean = float(first.mean() - second.mean())
    # Squared standard errors of the two means, and the freedom of their sum (Welch-Satterthwaite).
    errors = np.array([first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)])
    error = float(errors.sum()) ** 0.5
    if error == 0.0:  # both samples are constant
        return WelchDifference(mean, mean, mean, float(mean == 0.0))
    freedom = errors.sum() ** 2 / (errors**2 / [len(first) - 1, len(second) - 1]).sum()
    half = float(t.ppf((1 + level) / 2, freedom)) * error
    p_value = float(2 * t.sf(abs(mean) / error, freedom))
    return WelchDifference(mean, mean - half, mean + half, p_value)
