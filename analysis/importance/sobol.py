"""Which parameters move a result: Sobol' shares of a surrogate, each with its interval.

Fitted to equal-budget explore trials only, under the study's declared prior; with a bootstrap
interval over trials, a null line from shuffled residuals, and a refusal where the surrogate
predicts badly what it has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.importance.shares import Importance, PairShare, SobolShare
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.anova import Decomposition
from analysis.surrogate.base import Ensemble, TrainingData, Surrogate
from analysis.surrogate.model_selection import SelectedSurrogate, select_surrogate
from analysis.surrogate.unit_cube import Axis


def min_r2(trials: int) -> float:
    """Cross-validated R2 below which nothing is ranked.

    On pure noise it falls as 1 / sqrt(trials): the better of two surrogates reached 1.9 times
    that in 3 % of 150 studies of 24 and of 32 trials with 8 parameters, and in fewer of 48 with 6.
    Below 0.25 shares of the rest would say little anyway.
    """
    return max(0.25, 1.9 / float(np.sqrt(trials)))


MIN_TRIALS_FOR_SOBOL = 10
"""Trials below which not even a surrogate is tried."""


_BOOTSTRAPS = 100
_SHUFFLES = 40
_LEAST = 0.005  # of the variance: finer shares are not told from nothing
_SHUFFLED_TRIALS = 64


@dataclass(frozen=True)
class FittedSurrogate:
    """A surrogate, what bootstrap samples of its trials allow it to be, and the parts of both."""

    surrogate: Surrogate
    ensemble: Ensemble
    decomposition: Decomposition
    bootstrapped: Decomposition


@dataclass(frozen=True)
class SobolAnalysis:
    """An importance and the model that it came from; None where none could be fitted."""

    importance: Importance
    model: FittedSurrogate | None = None


def estimate_sobol_shares(
    units: FloatArray, targets: FloatArray, axes: Sequence[Axis], rng: np.random.Generator
) -> SobolAnalysis:
    """Sobol' shares of `targets` over the unit cube.

    units: (trials, axes) quantiles of the prior; targets: (trials,), of which those that are not
    finite are left out.
    """
    finite = np.isfinite(targets)
    units, targets = units[finite], targets[finite]
    n, d = len(targets), len(axes)
    if n < MIN_TRIALS_FOR_SOBOL or d == 0:
        return _refused(n, _too_few(n, d))
    if np.ptp(targets) <= 1e-9 * max(1.0, float(np.abs(targets).max())):
        return _refused(n, f"all {n} comparable trials ended alike.")
    choice = select_surrogate(TrainingData(axes, units, targets), rng)
    parts = choice.surrogate.decompose()
    ensemble = choice.surrogate.resample(_BOOTSTRAPS, rng)
    resampled = ensemble.decompose()
    variance = max(float(parts.variance[0]), 1e-300)
    null, pair_null = (
        min(max(_LEAST, reach / variance), 1.0) for reach in _null(choice, units, axes, rng)
    )
    importance = Importance(
        _share_table(parts, resampled, null, axes),
        _pair_table(parts, resampled, pair_null, axes),
        n,
        choice.family.name,
        dict(choice.r2),
        _refusal(choice, n, d),
    )
    return SobolAnalysis(importance, FittedSurrogate(choice.surrogate, ensemble, parts, resampled))


def _refused(trials: int, why: str) -> SobolAnalysis:
    return SobolAnalysis(Importance((), (), trials, "", {}, why))


def _too_few(trials: int, parameters: int) -> str:
    return (
        f"{trials} comparable trials are too few to tell {parameters} parameters apart; "
        f"{max(24, 4 * parameters)} explored ones might do."
    )


def _refusal(choice: SelectedSurrogate, trials: int, parameters: int) -> str:
    needed = min_r2(trials)
    if choice.best_r2 >= needed:
        return ""
    more = max(2 * trials, 8 * parameters)
    return (
        f"from {trials} trials no surrogate predicts unseen ones well (cross-validated R² "
        f"{choice.best_r2:.2f}, {needed:.2f} is needed); around {more} explored trials might do."
    )


def _share_table(
    parts: Decomposition, resampled: Decomposition, null: float, axes: Sequence[Axis]
) -> tuple[SobolShare, ...]:
    first, total = parts.first_shares[:, 0], parts.total_shares[:, 0]
    first_low, first_high = _interval(first, resampled.first_shares, null)
    total_low, total_high = _interval(total, resampled.total_shares, null)
    rank = _ranks(total[:, None])[:, 0]
    rank_low, rank_high = np.quantile(
        _ranks(resampled.total_shares), INTERVAL_QUANTILES, axis=1, method="nearest"
    )
    shares = [
        SobolShare(
            axis.path,
            axis.label,
            first=float(first[j]),
            first_low=float(first_low[j]),
            first_high=float(first_high[j]),
            total=float(total[j]),
            total_low=float(total_low[j]),
            total_high=float(total_high[j]),
            null=null,
            rank=int(rank[j]),
            rank_low=int(rank_low[j]),
            rank_high=int(rank_high[j]),
        )
        for j, axis in enumerate(axes)
    ]
    return tuple(sorted(shares, key=lambda share: share.rank))


def _interval(estimate: FloatArray, resampled: FloatArray, null: float) -> tuple[FloatArray, FloatArray]:
    """The interval of shares (...,) from their resamplings (..., R).

    Each function drawn has wiggles of its own, which move shares away from 0 and from 1: the
    interval spans the quantiles as they are and about the estimate. It is no finer than can be
    told, and where chance gets as far as the estimate, nothing rules out a share of 0.
    """
    low, high = np.quantile(resampled, INTERVAL_QUANTILES, axis=-1)
    shift = resampled.mean(axis=-1) - estimate
    low = np.minimum(np.minimum(low, low - shift), estimate) - _LEAST
    high = np.maximum(np.maximum(high, high - shift), estimate) + _LEAST
    low = np.where(estimate <= null, 0.0, low)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def _ranks(totals: FloatArray) -> FloatArray:
    """(axes, R) ranks from 1, the highest total first; ties in the order of the axes."""
    order = np.argsort(-totals, axis=0, kind="stable")
    return np.asarray(np.argsort(order, axis=0) + 1, dtype=float)


def _pair_table(
    parts: Decomposition, resampled: Decomposition, null: float, axes: Sequence[Axis]
) -> tuple[PairShare, ...]:
    shares = parts.pair_shares[:, :, 0]
    low, high = _interval(shares, resampled.pair_shares, null)
    pairs = [
        PairShare(
            (axes[k].path, axes[j].path), (axes[k].label, axes[j].label),
            float(shares[j, k]), float(low[j, k]), float(high[j, k]), null,
        )
        for j in range(len(axes))
        for k in range(j)
    ]  # fmt: skip
    return tuple(sorted(pairs, key=lambda pair: pair.share, reverse=True))


def _null(
    choice: SelectedSurrogate, units: FloatArray, axes: Sequence[Axis], rng: np.random.Generator
) -> tuple[float, float]:
    """The variance that a parameter, and that a pair, gets from shuffled residuals at most.

    A flexible surrogate finds something in noise, and what it does not explain of unseen trials
    is the noise there is; in 95 % of shuffles the largest of all parameters stays below this. What
    is found falls as 1 / trials, so at most `_SHUFFLED_TRIALS` are shuffled and the result scaled.
    """
    n = len(choice.residuals)
    alone, pairs = [0.0], [0.0]
    for _ in range(_SHUFFLES):
        kept = rng.permutation(n)[:_SHUFFLED_TRIALS]
        shuffled = rng.permutation(choice.residuals[kept])
        if np.ptp(shuffled) > 0:
            parts = choice.family.fit(TrainingData(axes, units[kept], shuffled), rng, quick=True).decompose()
            alone.append(float(parts.total_variance.max()))
            pairs.append(float(parts.pair_variance.max()))
    scale = min(1.0, _SHUFFLED_TRIALS / n)
    return float(np.quantile(alone, 0.95)) * scale, float(np.quantile(pairs, 0.95)) * scale
