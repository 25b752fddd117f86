"""Sobol' shares and rank correlation during training: when is the result decided?

At a few steps of training, over the same trials: each parameter's total share of the variance of
PSNR there, how well the order of trials agrees with the final one, and what stopping all but the
best third (as successive halving does) would have cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.base import TrainingData
from analysis.surrogate.model_selection import GaussianProcessFamily
from analysis.surrogate.unit_cube import Axis

MIN_TRIALS_OVER_TIME = 16
"""Trials below which shares are not followed over training."""

_MAX_STEPS = 6
_BOOTSTRAPS = 60
_STABLE_WITHIN = 0.1  # of the variance: shares closer to the final ones than this count as equal


@dataclass(frozen=True)
class SharesAtStep:
    """One step of training, over the trials that reached the full budget.

    totals, low, high: (axes,) total shares of the variance of PSNR at this step, 95 % interval
    agreement: Spearman's rank correlation of PSNR here and at the end, with its interval
    psnr_lost: dB between the best trial and the best of those in the best third here
    """

    step: int
    totals: FloatArray
    low: FloatArray
    high: FloatArray
    agreement: float
    agreement_low: float
    agreement_high: float
    psnr_lost: float


@dataclass(frozen=True)
class SharesOverTime:
    """The steps, first to last, or a refusal.

    stable_from: the step from which no total differs from the final one by more than 0.1; None if
    that is the last step only
    """

    labels: tuple[str, ...]
    at_steps: tuple[SharesAtStep, ...]
    stable_from: int | None
    refusal: str


def estimate_shares_over_time(
    trials: pd.DataFrame,
    curves: pd.DataFrame,
    units: FloatArray,
    axes: Sequence[Axis],
    rng: np.random.Generator,
) -> SharesOverTime:
    """Shares and rank correlation at up to six steps, spread evenly over the budget.

    Args:
        trials: comparable trials (see `select_comparable`), with a column trial_id.
        curves: trial_id, step and psnr of every evaluation.
        units: (trials, axes) quantiles of each trial's values under the prior, in [0, 1].
        axes: the parameters, in the order of the columns of `units`.
        rng: draws bootstrap samples; the same state gives the same result.

    Returns:
        The shares at each step, or a `refusal`.

    Example:
        >>> over = estimate_shares_over_time(trials, study.curves, units, axes, rng)
        >>> [(s.step, s.agreement, s.psnr_lost) for s in over.at_steps]
    """
    labels = tuple(a.label for a in axes)
    table = curves[curves["trial_id"].isin(trials["trial_id"])]
    history = table.pivot_table(index="trial_id", columns="step", values="psnr")
    # A run that ended before the others keeps its last PSNR; a step must have one of every trial.
    history = history.reindex(trials["trial_id"]).ffill(axis=1).dropna(axis=1)
    if len(trials) < MIN_TRIALS_OVER_TIME or history.shape[1] < 2:
        reason = (
            f"{len(trials)} comparable trials with common steps are too few to follow over time."
        )
        return SharesOverTime(labels, (), None, reason)
    chosen = np.unique(np.linspace(0, history.shape[1] - 1, _MAX_STEPS).round().astype(int))
    final = history.iloc[:, -1].to_numpy(dtype=float)
    at_steps = tuple(
        _estimate_at_step(
            int(history.columns[c]), history.iloc[:, c].to_numpy(float), final, units, axes, rng
        )
        for c in chosen
    )
    return SharesOverTime(labels, at_steps, _find_stable_step(at_steps), "")


def _estimate_at_step(
    step: int,
    psnr: FloatArray,
    final: FloatArray,
    units: FloatArray,
    axes: Sequence[Axis],
    rng: np.random.Generator,
) -> SharesAtStep:
    n = len(psnr)
    zeros = np.zeros(len(axes))
    totals, low, high = zeros, zeros, zeros
    if np.ptp(psnr) > 1e-9:
        # Always the Gaussian process: another surrogate at another step would move shares too.
        process = GaussianProcessFamily().fit(TrainingData(axes, units, psnr), rng)
        totals = process.decompose().total_shares[:, 0]
        bootstrapped = process.resample(_BOOTSTRAPS, rng).decompose().total_shares
        low, high = np.quantile(bootstrapped, INTERVAL_QUANTILES, axis=1)
    samples = rng.integers(n, size=(_BOOTSTRAPS, n))
    agreement = _spearman(psnr, final)
    ends = np.quantile([_spearman(psnr[s], final[s]) for s in samples], INTERVAL_QUANTILES)
    best_third = np.argsort(-psnr)[: max(1, n // 3)]
    return SharesAtStep(
        step,
        totals,
        np.minimum(low, totals),
        np.maximum(high, totals),
        agreement,
        min(agreement, float(ends[0])),
        max(agreement, float(ends[1])),
        float(final.max() - final[best_third].max()),
    )


def _find_stable_step(at_steps: Sequence[SharesAtStep]) -> int | None:
    """The first step from which all totals stay within 0.1 of the final ones, but for the last."""
    for i, now in enumerate(at_steps):
        later = np.array([s.totals for s in at_steps[i:]])
        if np.abs(later - at_steps[-1].totals).max() <= _STABLE_WITHIN:
            return now.step if i < len(at_steps) - 1 else None
    return None


def _spearman(a: FloatArray, b: FloatArray) -> float:
    """Spearman's rank correlation; 0 if one side is constant."""
    x, y = pd.Series(a).rank().to_numpy(), pd.Series(b).rank().to_numpy()
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])
