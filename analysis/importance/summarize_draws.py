"""Summarizes posterior draws of variance parts: shares, ranks and pairs, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.importance.shares import Importance, PairShare, SobolShare, VariancePart
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.anova import Variances
from analysis.surrogate.posterior_draws import widen
from analysis.surrogate.unit_cube import Axis

_RESOLUTION = 0.005  # of the variance: smaller shares cannot be distinguished from 0
_LOOSENING = 1.6


def summarize_draws(
    variances: Variances, axes: Sequence[Axis], trials: int, r2: float, refusal: str
) -> Importance:
    """Means and intervals over posterior draws of the parts.

    trials, r2, refusal: as in `Importance`
    """
    return Importance(
        _tabulate_shares(variances, axes),
        _tabulate_pairs(variances, axes),
        _part("interactions", variances.interaction_shares),
        _loosen_part(_part("unexplained", variances.unexplained)),
        trials,
        r2,
        refusal,
    )


def loosen(importance: Importance) -> Importance:
    """The same with wider intervals, for results in two heaps with a cliff between.

    A surrogate as smooth as this one takes part of a cliff for noise, more than its draws vary.
    """
    shares = []
    for s in importance.shares:
        low, high = _loosen(s.share, s.share_low, s.share_high)
        alone_low, alone_high = _loosen(s.alone, s.alone_low, s.alone_high)
        shares.append(
            replace(s, share_low=low, share_high=high, alone_low=alone_low, alone_high=alone_high)
        )
    return replace(importance, shares=tuple(shares))


def _tabulate_shares(variances: Variances, axes: Sequence[Axis]) -> tuple[SobolShare, ...]:
    ranks = _ranks(variances.shares)
    rank = _ranks(variances.shares.mean(axis=1, keepdims=True))[:, 0]
    # Ranks are whole numbers: their interval ends are ranks that occurred, not interpolated.
    rank_low, rank_high = np.quantile(ranks, INTERVAL_QUANTILES, axis=1, method="nearest")
    shares = []
    for j, axis in enumerate(axes):
        alone = _part("", variances.shares_alone[j])
        share = _part("", variances.shares[j])
        shares.append(
            SobolShare(
                axis.path,
                axis.label,
                alone.share,
                alone.low,
                alone.high,
                share.share,
                share.low,
                share.high,
                int(rank[j]),
                int(rank_low[j]),
                int(rank_high[j]),
            )
        )
    return tuple(sorted(shares, key=lambda share: share.rank))


def _ranks(shares: FloatArray) -> FloatArray:
    """(axes, R) ranks from 1, the highest share first; ties in the order of the axes."""
    order = np.argsort(-shares, axis=0, kind="stable")
    # The argsort of a permutation is its inverse: the place of each axis in the order.
    return np.asarray(np.argsort(order, axis=0) + 1, dtype=float)


def _tabulate_pairs(variances: Variances, axes: Sequence[Axis]) -> tuple[PairShare, ...]:
    pairs = []
    for j in range(len(axes)):
        for k in range(j):
            part = _loosen_part(_part("", variances.pair_shares[j, k]))
            paths, labels = (axes[k].path, axes[j].path), (axes[k].label, axes[j].label)
            pairs.append(PairShare(paths, labels, part.share, part.low, part.high))
    return tuple(sorted(pairs, key=lambda pair: pair.share, reverse=True))


def _part(name: str, draws: FloatArray) -> VariancePart:
    """The mean of posterior draws (R,) of a part of the variance, with a 95 % interval."""
    share = float(draws.mean())
    low, high = (float(q) for q in np.quantile(widen(draws), INTERVAL_QUANTILES))
    # No end is closer to the estimate than the resolution.
    low, high = min(low, share) - _RESOLUTION, max(high, share) + _RESOLUTION
    return VariancePart(name, share, max(low, 0.0), min(high, 1.0))


def _loosen_part(part: VariancePart) -> VariancePart:
    """A part with a wider interval.

    For noise, whose heavy tails seldom show in a few runs, and for pairs, a cliff over which looks
    less like an interaction than it is.
    """
    low, high = _loosen(part.share, part.low, part.high)
    return replace(part, low=low, high=high)


def _loosen(share: float, low: float, high: float) -> tuple[float, float]:
    return max(0.0, share - _LOOSENING * (share - low)), min(
        1.0, share + _LOOSENING * (high - share)
    )
