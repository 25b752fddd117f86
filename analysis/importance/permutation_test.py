"""Which parameters move a result more than chance would, where trials are too few for shares.

One parameter at a time and without a surrogate: how much of the ranks of the results a quadratic
of the parameter's quantile, or a mean for each choice, explains; held against the same results
shuffled. The p-value is exact for "this design tells nothing", and corrected for the number of
parameters by their smallest p-value in each shuffle (Westfall and Young 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.unit_cube import Axis

MIN_TRIALS_FOR_PERMUTATION_TEST = 10
"""Trials below which nothing is looked for; nor where there are less than two a parameter."""

SIGNIFICANCE_LEVEL = 0.05
"""The p-value from which on a parameter may do nothing."""

_SHUFFLES = 1999
_BOOTSTRAPS = 400


@dataclass(frozen=True)
class PermutationTest:
    """One parameter against the result.

    p_value: corrected for all parameters looked at
    correlation, low, high: Spearman's rank correlation with its 95 % bootstrap interval; 0, -1
    and 1 for a parameter without order
    """

    path: str
    label: str
    p_value: float
    correlation: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        return self.p_value < SIGNIFICANCE_LEVEL

    @property
    def description(self) -> str:
        """`learning rate (more is better, p = 0.002)`; no direction where none is certain."""
        way = "more is better, " if self.low > 0 else "less is better, " if self.high < 0 else ""
        return f"{self.label} ({way}p = {self.p_value:.2g})"


def run_permutation_tests(
    units: FloatArray, targets: FloatArray, axes: Sequence[Axis], rng: np.random.Generator
) -> tuple[PermutationTest, ...]:
    """A signal for each axis, lowest p-value first; none where there is too little to shuffle."""
    from scipy.stats import rankdata

    finite = np.isfinite(targets)
    units, ranks = units[finite], rankdata(targets[finite])
    n = len(ranks)
    if n < max(MIN_TRIALS_FOR_PERMUTATION_TEST, 2 * len(axes)) or not axes or np.ptp(ranks) == 0:
        return ()
    correlations = [_correlation(units[:, j], ranks, axis, rng) for j, axis in enumerate(axes)]
    p_values = _stepwise(
        ranks - ranks.mean(), [_basis(units[:, j], a) for j, a in enumerate(axes)], rng
    )
    found = [
        PermutationTest(axis.path, axis.label, p, *correlation)
        for axis, p, correlation in zip(axes, p_values, correlations, strict=True)
    ]
    return tuple(sorted(found, key=lambda signal: signal.p_value))


def _stepwise(ranks: FloatArray, bases: Sequence[FloatArray], rng: np.random.Generator) -> list[float]:
    """Each parameter's p-value, given all those that were found before it.

    A design of few trials is never quite even: what one parameter does shows against another one
    too, until the first is taken out of both.
    """
    p_values = np.ones(len(bases))
    left, least = list(range(len(bases))), 0.0
    taken = np.zeros((len(ranks), 0))
    while left:
        rest = ranks - taken @ (taken.T @ ranks)
        stripped = [_orthonormal(bases[j] - taken @ (taken.T @ bases[j])) for j in left]
        now = _corrected(rest, taken, stripped, rng)
        first = int(now.argmin())
        p_values[left] = np.maximum(now, least)
        if now[first] >= SIGNIFICANCE_LEVEL:
            break
        least = max(least, float(now[first]))
        p_values[left[first]] = least
        taken = np.column_stack([taken, stripped[first]])
        left.pop(first)
    return [float(p) for p in p_values]


def _corrected(
    ranks: FloatArray, taken: FloatArray, bases: Sequence[FloatArray], rng: np.random.Generator
) -> FloatArray:
    """(bases,) p-values of what each one explains of the rest, corrected for their number."""
    from scipy.stats import rankdata

    shuffled = rng.permuted(np.tile(ranks, (_SHUFFLES, 1)), axis=1)
    every = np.vstack([ranks, shuffled]).T
    rest = ((every - taken @ (taken.T @ every)) ** 2).sum(axis=0)
    explained = np.array([((basis.T @ every) ** 2).sum(axis=0) / rest for basis in bases])
    places = np.array([rankdata(-row.round(9), method="max") for row in explained])
    return np.asarray((places.min(axis=0)[None, :] <= places[:, :1]).mean(axis=1))


def _basis(places: FloatArray, axis: Axis) -> FloatArray:
    """(n, columns) orthonormal and about 0: the part of the ranks that an axis may explain."""
    if axis.unordered:
        columns = np.isclose(places[:, None], np.asarray(axis.centres)[None, :]).astype(float)
    else:
        columns = np.column_stack([places, places**2])
    return _orthonormal(columns - columns.mean(axis=0))


def _orthonormal(columns: FloatArray) -> FloatArray:
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-6])


def _correlation(
    places: FloatArray, ranks: FloatArray, axis: Axis, rng: np.random.Generator
) -> tuple[float, float, float]:
    from scipy.stats import rankdata

    if axis.unordered or np.ptp(places) == 0:
        return 0.0, -1.0, 1.0
    x = rankdata(places)
    drawn = rng.integers(len(x), size=(_BOOTSTRAPS, len(x)))
    a, b = x[drawn], ranks[drawn]
    a, b = (v - v.mean(axis=1, keepdims=True) for v in (a, b))
    sizes = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    low, high = np.quantile((a * b).sum(axis=1) / np.maximum(sizes, 1e-12), INTERVAL_QUANTILES)
    found = float(np.corrcoef(x, ranks)[0, 1])
    return found, min(found, float(low)), max(found, float(high))
