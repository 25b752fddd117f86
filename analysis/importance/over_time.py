"""Shares and rank correlation during training: when is the result decided?

At a few steps of training, over the same trials: each parameter's part of the variance of PSNR
there, how well the order of trials agrees with the final one, and what stopping all but the best
third (as successive halving does) would have cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.importance.shares import Importance, SobolShare
from analysis.importance.sobol import estimate_sobol_shares
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.gaussian_process import QUICK
from analysis.surrogate.unit_cube import Axis

MIN_TRIALS_OVER_TIME = 16
"""Trials below which shares are not followed over training."""

_MAX_STEPS = 4
_BOOTSTRAPS = 200
_STABLE_WITHIN = 0.1  # of the variance: shares closer to the final ones than this count as equal


@dataclass(frozen=True)
class SharesAtStep:
    """One step of training, over the trials that reached the full budget.

    importance: parts of the variance of PSNR at this step, or why nothing is ranked there; without
    pairs of parameters before the last step
    agreement: Spearman's rank correlation of PSNR here and at the end, with its interval
    psnr_lost: dB between the best trial and the best of those in the best third here
    """

    step: int
    importance: Importance
    agreement: float
    agreement_low: float
    agreement_high: float
    psnr_lost: float

    def share(self, path: str) -> SobolShare | None:
        """The share of one parameter; None where nothing is ranked."""
        shares = self.importance.shares if self.importance.ranked else ()
        return next((s for s in shares if s.path == path), None)


@dataclass(frozen=True)
class SharesOverTime:
    """The steps, first to last, or a refusal.

    paths, labels: of the parameters
    stable_from: the step from which every share's interval stays within 0.1 of the final estimate;
    None if that is the last step only, or if a later step has no ranking
    """

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    at_steps: tuple[SharesAtStep, ...]
    stable_from: int | None
    refusal: str


def estimate_shares_over_time(
    trials: pd.DataFrame,
    curves: pd.DataFrame,
    units: FloatArray,
    axes: Sequence[Axis],
    final: Importance,
    rng: np.random.Generator,
    folds: NDArray[np.intp] | None = None,
) -> SharesOverTime:
    """Shares and rank correlation at up to four steps, spread evenly over the budget.

    Args:
        trials: comparable trials (see `select_comparable`), with a column trial_id.
        curves: trial_id, step and psnr of every evaluation.
        units: (trials, axes) quantiles of each trial's values under the prior, in [0, 1].
        axes: the parameters, in the order of the columns of `units`.
        final: the importance for the final PSNR of the same trials, which the last step repeats.
        rng: draws hyperparameters, functions and bootstrap samples.
        folds: (trials,) the fold of each trial in cross-validation.

    Returns:
        The shares at each step, or a `refusal`.

    Example:
        >>> over = estimate_shares_over_time(trials, study.curves, units, axes, importance, rng)
        >>> [(s.step, s.agreement, s.psnr_lost) for s in over.at_steps]
    """
    paths, labels = tuple(a.path for a in axes), tuple(a.label for a in axes)
    table = curves[curves["trial_id"].isin(trials["trial_id"])]
    history = table.pivot_table(index="trial_id", columns="step", values="score")
    # A run that ended before the others keeps its last PSNR; a step must have one of every trial.
    history = history.reindex(trials["trial_id"]).ffill(axis=1).dropna(axis=1)
    if len(trials) < MIN_TRIALS_OVER_TIME or history.shape[1] < 2:
        reason = f"{len(trials)} runs with common steps are too few to follow over time."
        return SharesOverTime(paths, labels, (), None, reason)
    chosen = np.unique(np.linspace(0, history.shape[1] - 1, _MAX_STEPS).round().astype(int))
    last = history.iloc[:, -1].to_numpy(dtype=float)
    at_steps = []
    for c in chosen:
        psnr = history.iloc[:, c].to_numpy(dtype=float)
        importance = final
        if c != chosen[-1]:
            sobol = estimate_sobol_shares(units, psnr, axes, rng, folds, effort=QUICK)
            importance = replace(sobol.importance, pairs=())  # which were not measured
        at_steps.append(_describe_step(int(history.columns[c]), psnr, last, importance, rng))
    return SharesOverTime(paths, labels, tuple(at_steps), _find_stable_step(at_steps), "")


def refuse_over_time(axes: Sequence[Axis], limitation: str) -> SharesOverTime:
    """The refusal for trials that may not stand for the prior (see `Design.limitation`)."""
    reason = f"{limitation}; shares over training steps need trials drawn from it."
    return SharesOverTime(
        tuple(a.path for a in axes), tuple(a.label for a in axes), (), None, reason
    )


def _describe_step(
    step: int,
    psnr: FloatArray,
    final: FloatArray,
    importance: Importance,
    rng: np.random.Generator,
) -> SharesAtStep:
    n = len(psnr)
    a, b = _number(psnr), _number(final)
    agreement = _spearman(a, b)
    bootstrapped = []
    for _ in range(_BOOTSTRAPS):
        sample = rng.integers(n, size=n)
        bootstrapped.append(_spearman(a[sample], b[sample]))
    ends = np.quantile(bootstrapped, INTERVAL_QUANTILES)
    best_third = np.argsort(-psnr)[: max(1, n // 3)]
    return SharesAtStep(
        step,
        importance,
        agreement,
        min(agreement, float(ends[0])),
        max(agreement, float(ends[1])),
        float(final.max() - final[best_third].max()),
    )


def _find_stable_step(at_steps: Sequence[SharesAtStep]) -> int | None:
    """The first step from which all intervals stay within 0.1 of the final shares."""
    last = at_steps[-1]
    stable = None
    for step in reversed(at_steps[:-1]):
        if not _is_close(step, last):
            break
        stable = step.step
    return stable


def _is_close(step: SharesAtStep, last: SharesAtStep) -> bool:
    if not (step.importance.ranked and last.importance.ranked):
        return False
    final = {s.path: s.share for s in last.importance.shares}
    return all(
        max(s.share_high - final[s.path], final[s.path] - s.share_low) <= _STABLE_WITHIN
        for s in step.importance.shares
    )


def _number(values: FloatArray) -> NDArray[np.intp]:
    """(n,) the place of each value among all distinct ones, from 0."""
    return np.unique(values, return_inverse=True)[1]


def _spearman(a: NDArray[np.intp], b: NDArray[np.intp]) -> float:
    """Spearman's rank correlation of numbered values; 0 if one side is constant."""
    x, y = _rank(a), _rank(b)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def _rank(numbers: NDArray[np.intp]) -> FloatArray:
    """Ranks from 1, equal ones their mean: counted, which is faster than sorting each resample."""
    counts = np.bincount(numbers)
    # Of c equal values with k lower ones, the ranks k + 1 to k + c have this mean.
    ranks = np.cumsum(counts) - counts + (counts + 1) / 2.0
    return np.asarray(ranks[numbers])
