"""Sobol' analysis: each parameter's share of the variance of a result, with intervals.

The shares are those of a surrogate under the study's prior (Sobol' 2001; see `surrogate/anova.py`).
Intervals come from a bootstrap over trials combined with the surrogate's posterior uncertainty, the
null line from shuffled residuals. Where the surrogate predicts unseen trials badly, nothing is
ranked. Trials must share one budget and be drawn from the prior (`data/selection.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.importance.shares import Importance, PairShare, SobolShare
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.anova import Decomposition
from analysis.surrogate.base import Ensemble, Surrogate, TrainingData
from analysis.surrogate.model_selection import SelectedSurrogate, select_surrogate
from analysis.surrogate.unit_cube import Axis

MIN_TRIALS_FOR_SOBOL = 10
"""Trials below which no surrogate is fitted."""

_BOOTSTRAPS = 100
_SHUFFLES = 40
_RESOLUTION = 0.005  # of the variance: smaller shares cannot be distinguished from 0
_MAX_SHUFFLED_TRIALS = 64


@dataclass(frozen=True)
class FittedSurrogate:
    """A surrogate and its posterior draws, with the ANOVA decompositions of both."""

    surrogate: Surrogate
    ensemble: Ensemble
    decomposition: Decomposition
    bootstrapped: Decomposition


@dataclass(frozen=True)
class SobolAnalysis:
    """An importance and the surrogate behind it; None where none could be fitted."""

    importance: Importance
    model: FittedSurrogate | None = None


def min_r2(trials: int) -> float:
    """Cross-validated R2 below which nothing is ranked.

    On pure noise the best R2 falls as 1 / sqrt(trials): that of two surrogates exceeded 1.9 times
    that in 3 % of 150 studies of 24 and of 32 trials with 8 parameters, and in fewer of 48 with 6.
    Below 0.25 most of the variance is unexplained, and shares of the rest would mean little.
    """
    return max(0.25, 1.9 / float(np.sqrt(trials)))


def estimate_sobol_shares(
    units: FloatArray, targets: FloatArray, axes: Sequence[Axis], rng: np.random.Generator
) -> SobolAnalysis:
    """First-order, total and pairwise Sobol' shares of a result over the search space.

    Args:
        units: (trials, axes) quantiles of each trial's values under the prior, in [0, 1].
        targets: (trials,) results, such as PSNR in dB; trials that are not finite are left out.
        axes: the parameters, in the order of the columns of `units`.
        rng: draws folds, bootstrap samples and shuffles; the same state gives the same result.

    Returns:
        An analysis whose `importance` has a share with its interval for each parameter, or a
        `refusal`; `model` is the fitted surrogate. Of too few or equal results nothing is fitted.

    Example:
        >>> axes = [make_axis(d) for d in study.space.dimensions]
        >>> units = to_quantiles(trials, study.space.dimensions)
        >>> analysis = estimate_sobol_shares(units, trials["psnr"].to_numpy(), axes, rng)
        >>> [(s.path, s.total, s.total_low, s.total_high) for s in analysis.importance.shares]
    """
    finite = np.isfinite(targets)
    units, targets = units[finite], targets[finite]
    n, d = len(targets), len(axes)
    if n < MIN_TRIALS_FOR_SOBOL or d == 0:
        return _refuse(n, _too_few(n, d))
    # Equal but for rounding errors, as when every trial renders the same black image.
    if np.ptp(targets) <= 1e-9 * max(1.0, float(np.abs(targets).max())):
        return _refuse(n, f"all {n} comparable trials ended with the same result.")
    selected = select_surrogate(TrainingData(axes, units, targets), rng)
    decomposition = selected.surrogate.decompose()
    ensemble = selected.surrogate.resample(_BOOTSTRAPS, rng)
    bootstrapped = ensemble.decompose()
    variance = max(float(decomposition.variance[0]), 1e-300)
    # Null lines come as variances: divide by that of the surrogate to compare them with shares.
    null, pair_null = (
        min(max(_RESOLUTION, limit / variance), 1.0)
        for limit in _null_variances(selected, units, axes, rng)
    )
    importance = Importance(
        _tabulate_shares(decomposition, bootstrapped, null, axes),
        _tabulate_pairs(decomposition, bootstrapped, pair_null, axes),
        n,
        selected.family.name,
        dict(selected.r2),
        _reason_to_refuse(selected, n, d),
    )
    model = FittedSurrogate(selected.surrogate, ensemble, decomposition, bootstrapped)
    return SobolAnalysis(importance, model)


def _refuse(trials: int, reason: str) -> SobolAnalysis:
    return SobolAnalysis(Importance((), (), trials, "", {}, reason))


def _too_few(trials: int, parameters: int) -> str:
    return (
        f"{trials} comparable trials are too few to tell {parameters} parameters apart; "
        f"{max(24, 4 * parameters)} explored trials should be enough."
    )


def _reason_to_refuse(selected: SelectedSurrogate, trials: int, parameters: int) -> str:
    needed = min_r2(trials)
    if selected.best_r2 >= needed:
        return ""
    more = max(2 * trials, 8 * parameters)
    return (
        f"from {trials} trials no surrogate predicts unseen ones well (cross-validated R² "
        f"{selected.best_r2:.2f}, {needed:.2f} is needed); around {more} explored trials should "
        "be enough."
    )


def _tabulate_shares(
    decomposition: Decomposition,
    bootstrapped: Decomposition,
    null: float,
    axes: Sequence[Axis],
) -> tuple[SobolShare, ...]:
    first, total = decomposition.first_shares[:, 0], decomposition.total_shares[:, 0]
    first_low, first_high = _interval(first, bootstrapped.first_shares, null)
    total_low, total_high = _interval(total, bootstrapped.total_shares, null)
    rank = _ranks(total[:, None])[:, 0]
    # Ranks are whole numbers: their interval ends are ranks that occurred, not interpolated.
    rank_low, rank_high = np.quantile(
        _ranks(bootstrapped.total_shares), INTERVAL_QUANTILES, axis=1, method="nearest"
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


def _interval(
    estimate: FloatArray, bootstrapped: FloatArray, null: float
) -> tuple[FloatArray, FloatArray]:
    """Ends (...,) of 95 % intervals of shares, from posterior draws of them (..., R).

    A posterior draw is rougher than the posterior mean, which moves its shares away from 0 and 1.
    The interval therefore spans two: the quantiles of the draws (percentile bootstrap), and the
    same shifted so that their mean is the estimate (bias corrected).
    """
    low, high = np.quantile(bootstrapped, INTERVAL_QUANTILES, axis=-1)
    bias = bootstrapped.mean(axis=-1) - estimate
    # No end is closer to the estimate than the resolution.
    low = np.minimum(np.minimum(low, low - bias), estimate) - _RESOLUTION
    high = np.maximum(np.maximum(high, high - bias), estimate) + _RESOLUTION
    # A share below the null line may be 0.
    low = np.where(estimate <= null, 0.0, low)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def _ranks(totals: FloatArray) -> FloatArray:
    """(axes, R) ranks from 1, the highest total first; ties in the order of the axes."""
    order = np.argsort(-totals, axis=0, kind="stable")
    # The argsort of a permutation is its inverse: the place of each axis in the order.
    return np.asarray(np.argsort(order, axis=0) + 1, dtype=float)


def _tabulate_pairs(
    decomposition: Decomposition,
    bootstrapped: Decomposition,
    null: float,
    axes: Sequence[Axis],
) -> tuple[PairShare, ...]:
    shares = decomposition.pair_shares[:, :, 0]
    low, high = _interval(shares, bootstrapped.pair_shares, null)
    pairs = [
        PairShare(
            (axes[k].path, axes[j].path),
            (axes[k].label, axes[j].label),
            float(shares[j, k]),
            float(low[j, k]),
            float(high[j, k]),
            null,
        )
        for j in range(len(axes))
        for k in range(j)
    ]
    return tuple(sorted(pairs, key=lambda pair: pair.share, reverse=True))


def _null_variances(
    selected: SelectedSurrogate, units: FloatArray, axes: Sequence[Axis], rng: np.random.Generator
) -> tuple[float, float]:
    """Null lines: the variance that a parameter, and that a pair, gets from noise alone.

    A flexible surrogate fits some of the noise. The residuals of cross-validation are that noise;
    shuffled, they depend on no parameter. In 95 % of shuffles the largest variance of all
    parameters (of all pairs) stays below the line: so few studies of noise show even one.
    """
    n = len(selected.residuals)
    largest_total, largest_pair = [0.0], [0.0]
    for _ in range(_SHUFFLES):
        # Fits to shuffles of many trials would be slow. Variance fitted to noise falls as 1 / n:
        # shuffle a subset, and scale the result down to all trials.
        subset = rng.permutation(n)[:_MAX_SHUFFLED_TRIALS]
        shuffled = rng.permutation(selected.residuals[subset])
        if np.ptp(shuffled) > 0:
            data = TrainingData(axes, units[subset], shuffled)
            decomposition = selected.family.fit(data, rng, quick=True).decompose()
            largest_total.append(float(decomposition.total_variance.max()))
            largest_pair.append(float(decomposition.pair_variance.max()))
    scale = min(1.0, _MAX_SHUFFLED_TRIALS / n)
    return (
        float(np.quantile(largest_total, 0.95)) * scale,
        float(np.quantile(largest_pair, 0.95)) * scale,
    )
