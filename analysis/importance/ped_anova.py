"""What separates the best trials from the rest: a question of its own, apart from variance.

A parameter can decide whether training collapses and yet say nothing about which of the good
configurations is best. Pearson divergence of the best tenth from the prior, for each parameter:
PED-ANOVA (Watanabe et al. 2023, arXiv:2304.10255), with a null line and intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.unit_cube import Axis

MIN_TRIALS_FOR_PED_ANOVA = 30
"""Trials below which a tenth of them is too few to be compared with anything."""

_BOOTSTRAPS = 200
_SHUFFLES = 400
_CELLS = 32


@dataclass(frozen=True)
class PedAnovaShare:
    """How far the best trials' values of one parameter depart from the prior.

    share: of all parameters' divergences beyond chance, in [0, 1]; low, high: 95 % interval;
    null: what the largest of all parameters' shares stays below in 95 % of shuffled studies
    """

    path: str
    label: str
    share: float
    low: float
    high: float
    null: float

    @property
    def significant(self) -> bool:
        return self.share > self.null and self.low > 0.0


@dataclass(frozen=True)
class PedAnova:
    """Which parameters decide whether a trial is among the best; highest share first."""

    shares: tuple[PedAnovaShare, ...]
    trials: int
    top_count: int
    refusal: str

    @property
    def ranked(self) -> bool:
        return not self.refusal

    @property
    def significant_shares(self) -> tuple[PedAnovaShare, ...]:
        return tuple(s for s in self.shares if s.significant) if self.ranked else ()


def estimate_ped_anova(
    units: FloatArray,
    targets: FloatArray,
    axes: Sequence[Axis],
    rng: np.random.Generator,
    fraction: float = 0.1,
) -> PedAnova:
    """Divergence of the best `fraction` of trials (at least 4) from the prior, for each axis."""
    finite = np.isfinite(targets)
    units, targets = units[finite], targets[finite]
    n = len(targets)
    top = max(4, round(fraction * n))
    if n < MIN_TRIALS_FOR_PED_ANOVA or not axes:
        more = (
            f"{n} comparable trials are too few to look at their best tenth; {MIN_TRIALS_FOR_PED_ANOVA} are needed."
        )
        return PedAnova((), n, top, more)
    if np.ptp(targets) <= 1e-9 * max(1.0, float(np.abs(targets).max())):
        return PedAnova((), n, top, f"all {n} comparable trials ended alike.")
    once = np.ones((n, 1))
    repeats = rng.multinomial(n, np.full(n, 1.0 / n), size=_BOOTSTRAPS).T.astype(float)
    shuffled = np.array(
        [_best(rng.permutation(targets), once, top)[:, 0] for _ in range(_SHUFFLES)]
    )
    windows = [_window(units[:, j], axis) for j, axis in enumerate(axes)]
    found = _divergences(windows, _best(targets, once, top))[:, 0]
    resampled = _divergences(windows, _best(targets, repeats, top))
    chance = _divergences(windows, shuffled.T)
    usual, spread = chance.mean(axis=1), np.maximum(chance.std(axis=1), 1e-12)
    highest = np.quantile(((chance - usual[:, None]) / spread[:, None]).max(axis=0), 0.95)
    excess = np.maximum(found - usual, 0.0)
    whole = max(float(excess.sum()), 1e-12)
    # A bootstrap sample repeats trials, which adds divergence of its own: shift it back.
    shift = (resampled.mean(axis=1) - found)[:, None]
    again = np.maximum(resampled - shift - usual[:, None], 0.0)
    shares = again / np.maximum(again.sum(axis=0), 1e-12)
    low, high = np.quantile(shares, INTERVAL_QUANTILES, axis=1)
    result = [
        PedAnovaShare(
            axis.path,
            axis.label,
            share=float(excess[j] / whole),
            low=float(min(low[j], excess[j] / whole)),
            high=float(max(high[j], excess[j] / whole)),
            null=min(1.0, float(highest * spread[j] / whole)),
        )
        for j, axis in enumerate(axes)
    ]
    result.sort(key=lambda share: share.share, reverse=True)
    none = "" if any(s.significant for s in result) else _NOTHING.format(top=top)
    return PedAnova(tuple(result), n, top, none)


_NOTHING = "the best {top} trials differ from the others no more than any {top} would."


def _best(targets: FloatArray, repeats: FloatArray, top: int) -> FloatArray:
    """(n, R) how often each trial is among the best `top` of each resampling."""
    order = np.argsort(-targets, kind="stable")
    counts = repeats[order]
    before = np.cumsum(counts, axis=0) - counts
    chosen = np.empty_like(counts)
    chosen[order] = np.clip(top - before, 0.0, counts)
    return chosen


def _window(places: FloatArray, axis: Axis) -> tuple[FloatArray, FloatArray]:
    """(cells, n) each trial's density on the axis, relative to the prior, and the cells' chances.

    Unordered levels are counted; on an ordered axis a trial is a Gaussian reflected at both ends.
    """
    grid, chances = axis.grid(_CELLS)
    if axis.unordered:
        return np.isclose(grid[:, None], places[None, :]) / chances[:, None], chances
    width = 0.25 * max(4.0, 0.1 * len(places)) ** -0.2
    gaps = [grid[:, None] - mirrored[None, :] for mirrored in (places, -places, 2.0 - places)]
    density = sum(np.exp(-0.5 * (gap / width) ** 2) for gap in gaps)
    return np.asarray(density / (chances @ density)), chances


def _divergences(windows: Sequence[tuple[FloatArray, FloatArray]], chosen: FloatArray) -> FloatArray:
    """(axes, R) Pearson divergence from the prior of the trials `chosen` (n, R)."""
    counts = chosen.sum(axis=0)
    return np.array(
        [chances @ ((density @ chosen) / counts - 1.0) ** 2 for density, chances in windows]
    )
