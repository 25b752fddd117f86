"""Stepwise permutation test: which parameters move a result significantly, without a surrogate.

For studies with too few trials for shares. The statistic of a parameter is the part of the variance
of the results' ranks that a quadratic in its quantile explains, or a mean for each choice; its null
distribution comes from shuffled ranks. The p-value is exact for "no parameter has any effect", and
corrected for the number of parameters by the largest statistic in each shuffle (the step-down minP
procedure of Westfall and Young 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.blocks import split_resamples
from analysis.stats.intervals import INTERVAL_QUANTILES, SIGNIFICANCE_LEVEL, FloatArray
from analysis.stats.p_values import format_p_value
from analysis.surrogate.unit_cube import Axis

MIN_TRIALS_FOR_PERMUTATION_TEST = 10
"""Trials below which nothing is tested; at least two for each parameter are needed as well."""

_SHUFFLES = 1999
_BOOTSTRAPS = 400


@dataclass(frozen=True)
class PermutationTest:
    """One parameter against the result.

    p_value: corrected for the number of parameters tested
    correlation, low, high: Spearman's rank correlation with its 95 % bootstrap interval; 0, -1
    and 1 for an unordered parameter
    """

    path: str
    label: str
    p_value: float
    correlation: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below `SIGNIFICANCE_LEVEL`."""
        return self.p_value < SIGNIFICANCE_LEVEL

    @property
    def description(self) -> str:
        """`learning rate (more is better, p = 0.002)`; no direction if the interval holds 0."""
        if self.low > 0:
            direction = "more is better, "
        else:
            direction = "less is better, " if self.high < 0 else ""
        return f"{self.label} ({direction}{format_p_value(self.p_value)})"


def run_permutation_tests(
    units: FloatArray, targets: FloatArray, axes: Sequence[Axis], rng: np.random.Generator
) -> tuple[PermutationTest, ...]:
    """Tests each parameter against the result.

    Args:
        units: (trials, axes) quantiles of each trial's values under the prior, in [0, 1].
        targets: (trials,) results, higher is better; trials that are not finite are left out.
        axes: the parameters, in the order of the columns of `units`.
        rng: draws shuffles and bootstrap samples; the same state gives the same result.

    Returns:
        A test for each parameter, lowest p-value first; none for fewer trials than
        `MIN_TRIALS_FOR_PERMUTATION_TEST` or than two a parameter, or for equal results.

    Example:
        >>> tests = run_permutation_tests(units, psnr, axes, np.random.default_rng(0))
        >>> [test.description for test in tests if test.significant]
    """
    from scipy.stats import rankdata

    finite = np.isfinite(targets)
    units, ranks = units[finite], rankdata(targets[finite])
    n = len(ranks)
    too_few = n < max(MIN_TRIALS_FOR_PERMUTATION_TEST, 2 * len(axes))
    if too_few or not axes or np.ptp(ranks) == 0:
        return ()
    correlations = [_correlate(units[:, j], ranks, axis, rng) for j, axis in enumerate(axes)]
    p_values = _step_down(
        ranks - ranks.mean(), [_basis(units[:, j], a) for j, a in enumerate(axes)], rng
    )
    tests = [
        PermutationTest(axis.path, axis.label, p, *correlation)
        for axis, p, correlation in zip(axes, p_values, correlations, strict=True)
    ]
    return tuple(sorted(tests, key=lambda test: test.p_value))


def _step_down(
    ranks: FloatArray, bases: Sequence[FloatArray], rng: np.random.Generator
) -> list[float]:
    """Corrected p-values (parameters,), each given the significant parameters before it.

    ranks: (n,) centred; bases: for each parameter (n, columns) orthonormal, see `_basis`.
    Parameters of a small design are correlated: an effect of one shows in others as well, until
    it is projected out of ranks and bases alike.
    """
    p_values = np.ones(len(bases))
    remaining, largest = list(range(len(bases))), 0.0
    removed = np.zeros((len(ranks), 0))  # (n, columns) orthonormal basis of what is projected out
    while remaining:
        # x - Q Q' x: the residual of x regressed on the significant parameters so far.
        residual = ranks - removed @ (removed.T @ ranks)
        projected = [
            _orthonormalize(bases[j] - removed @ (removed.T @ bases[j])) for j in remaining
        ]
        step = _permute(residual, removed, projected, rng)
        best = int(step.argmin())
        # Step-down p-values never fall from one step to the next.
        p_values[remaining] = np.maximum(step, largest)
        if step[best] >= SIGNIFICANCE_LEVEL:
            break
        largest = max(largest, float(step[best]))
        p_values[remaining[best]] = largest
        removed = np.column_stack([removed, projected[best]])
        remaining.pop(best)
    return [float(p) for p in p_values]


def _permute(
    ranks: FloatArray, removed: FloatArray, bases: Sequence[FloatArray], rng: np.random.Generator
) -> FloatArray:
    """(bases,) p-values of the variance of the ranks that each basis explains, minP-corrected."""
    from scipy.stats import rankdata

    explained: list[FloatArray] = []
    for count in split_resamples(_SHUFFLES, len(ranks)):
        shuffles = rng.permuted(np.tile(ranks, (count, 1)), axis=1)
        # What was seen comes first.
        every = shuffles if explained else np.vstack([ranks, shuffles])
        explained.append(_explain(every.T, removed, bases))
    r2 = np.concatenate(explained, axis=1)  # (bases, 1 + shuffles)
    # Place of each column among all of them, 1 for the highest R2: the permutation p-value times
    # their number. Rounded, so that rounding errors break no tie.
    places = np.array([rankdata(-row.round(9), method="max") for row in r2])
    # Corrected: the share of columns whose smallest p-value of all bases is as small as this one.
    return np.asarray((places.min(axis=0)[None, :] <= places[:, :1]).mean(axis=1))


def _explain(every: FloatArray, removed: FloatArray, bases: Sequence[FloatArray]) -> FloatArray:
    """(bases, columns) R2 of each column of `every` (n, columns) regressed on each basis."""
    # Sum of squares left by what was removed: a shuffle is no longer orthogonal to it.
    variance = ((every - removed @ (removed.T @ every)) ** 2).sum(axis=0)
    # |B' x|^2 / |x|^2 is the R2 of x regressed on an orthonormal basis B.
    return np.array([((basis.T @ every) ** 2).sum(axis=0) / variance for basis in bases])


def _basis(places: FloatArray, axis: Axis) -> FloatArray:
    """(n, columns) centred orthonormal basis of the effects that one axis may have.

    Those are a quadratic in the quantile, or a mean for each level of an unordered axis.
    """
    if axis.unordered:
        columns = np.isclose(places[:, None], np.asarray(axis.centres)[None, :]).astype(float)
    else:
        columns = np.column_stack([places, places**2])
    return _orthonormalize(columns - columns.mean(axis=0))


def _orthonormalize(columns: FloatArray) -> FloatArray:
    """Orthonormal basis of the column space; singular directions are dropped."""
    left, singular_values, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, singular_values > 1e-6])


def _correlate(
    places: FloatArray, ranks: FloatArray, axis: Axis, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Spearman's rank correlation with the ends of its 95 % bootstrap interval."""
    from scipy.stats import rankdata

    if axis.unordered or np.ptp(places) == 0:
        return 0.0, -1.0, 1.0
    x = rankdata(places)
    bootstrapped = []
    for count in split_resamples(_BOOTSTRAPS, len(x)):
        samples = rng.integers(len(x), size=(count, len(x)))
        # Pearson's correlation of the ranks in each bootstrap sample, many samples at once.
        a, b = x[samples], ranks[samples]
        a, b = (v - v.mean(axis=1, keepdims=True) for v in (a, b))
        norms = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
        bootstrapped.append((a * b).sum(axis=1) / np.maximum(norms, 1e-12))
    low, high = np.quantile(np.concatenate(bootstrapped), INTERVAL_QUANTILES)
    correlation = float(np.corrcoef(x, ranks)[0, 1])
    return correlation, min(correlation, float(low)), max(correlation, float(high))
