"""How importance and rank settle while training runs: what stopping early would have cost."""

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
"""Trials below which nothing is said about time."""

_MOMENTS = 6
_BOOTSTRAPS = 60
_SETTLED = 0.1


@dataclass(frozen=True)
class SharesAtStep:
    """One step of training, over the trials that reached the full budget.

    totals, low, high: (axes,) total shares of the variance of PSNR at this step, 95 % interval
    agreement: Spearman's rank correlation of PSNR now and at the end, with its interval
    lost: dB between the best trial and the best of those that were among the best third now
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
    """The at_steps, first to last; `stable_from` the step from which no total moves by 0.1 again."""

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
    """Shares and ranks of `trials` (comparable ones) at steps spread evenly over their budget."""
    labels = tuple(a.label for a in axes)
    table = curves[curves["trial_id"].isin(trials["trial_id"])]
    history = table.pivot_table(index="trial_id", columns="step", values="psnr")
    # A run that ended before the others stays where it was.
    history = history.reindex(trials["trial_id"]).ffill(axis=1).dropna(axis=1)
    if len(trials) < MIN_TRIALS_OVER_TIME or history.shape[1] < 2:
        why = f"{len(trials)} comparable trials with common steps are too few to follow over time."
        return SharesOverTime(labels, (), None, why)
    chosen = np.unique(np.linspace(0, history.shape[1] - 1, _MOMENTS).round().astype(int))
    final = history.iloc[:, -1].to_numpy(dtype=float)
    at_steps = tuple(
        _moment(
            int(history.columns[c]), history.iloc[:, c].to_numpy(float), final, units, axes, rng
        )
        for c in chosen
    )
    return SharesOverTime(labels, at_steps, _settled(at_steps), "")


def _moment(
    step: int,
    now: FloatArray,
    final: FloatArray,
    units: FloatArray,
    axes: Sequence[Axis],
    rng: np.random.Generator,
) -> SharesAtStep:
    n = len(now)
    zeros = np.zeros(len(axes))
    totals, low, high = zeros, zeros, zeros
    if np.ptp(now) > 1e-9:
        process = GaussianProcessFamily().fit(TrainingData(axes, units, now), rng)
        totals = process.decompose().total_shares[:, 0]
        again = process.resample(_BOOTSTRAPS, rng).decompose().total_shares
        low, high = np.quantile(again, INTERVAL_QUANTILES, axis=1)
    samples = rng.integers(n, size=(_BOOTSTRAPS, n))
    agreement = _spearman(now, final)
    ends = np.quantile([_spearman(now[s], final[s]) for s in samples], INTERVAL_QUANTILES)
    kept = np.argsort(-now)[: max(1, n // 3)]
    return SharesAtStep(
        step, totals, np.minimum(low, totals), np.maximum(high, totals), agreement,
        min(agreement, float(ends[0])), max(agreement, float(ends[1])),
        float(final.max() - final[kept].max()),
    )  # fmt: skip


def _settled(at_steps: Sequence[SharesAtStep]) -> int | None:
    for i, moment in enumerate(at_steps):
        later = np.array([m.totals for m in at_steps[i:]])
        if np.abs(later - at_steps[-1].totals).max() <= _SETTLED:
            return moment.step if i < len(at_steps) - 1 else None
    return None


def _spearman(a: FloatArray, b: FloatArray) -> float:
    """Rank correlation; 0 where one side is constant."""
    x, y = pd.Series(a).rank().to_numpy(), pd.Series(b).rank().to_numpy()
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])
