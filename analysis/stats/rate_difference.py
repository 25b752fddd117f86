"""The difference of two rates within blocks, such as studies, with an interval.

In block i, x_i of n_i runs of one level break and y_i of m_i runs of another; N_i = n_i + m_i.

    d = sum_i w_i (x_i / n_i - y_i / m_i) / W,   w_i = n_i m_i / N_i,   W = sum_i w_i

is the Mantel-Haenszel risk difference (Greenland and Robins 1985). Blocks of unlike rates or unlike
numbers of runs do not bias it, as they do a difference of rates of the counts added up. If it is
not the same in all blocks, d is its mean, weighted by w_i. Its variance by Sato 1989 holds for few
large blocks and for many small ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.stats.rates import Counts


@dataclass(frozen=True)
class RateDifference:
    """A rate minus another within blocks, with its interval."""

    estimate: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """Which way it goes; 0 if its interval holds 0."""
        return int(self.low > 0.0) - int(self.high < 0.0)


def blocked_rate_difference(broken: Counts, runs: Counts, confidence: float) -> RateDifference:
    """The first level's rate minus the second's, with an interval of this confidence.

    broken, runs: (blocks, 2) counts of the two levels; blocks without runs of both tell nothing,
    and at least one must have them

    Sato's variance is 0 where no run breaks, or all of one level and none of the other. So the
    interval is of the counts with z^2 / 4 broken runs, and as many others, added to each level,
    spread over the blocks by its runs; z is the normal quantile of `confidence`. Agresti and Caffo
    2000 do so for one block.
    """
    from scipy.stats import norm

    both = (runs > 0).all(axis=1)
    x, n = broken[both].astype(float), runs[both].astype(float)
    estimate, _ = mantel_haenszel_difference(x, n)
    z = float(norm.ppf((1.0 + confidence) / 2.0))
    added = z**2 / 4.0 * n / n.sum(axis=0)  # broken runs
    centre, variance = mantel_haenszel_difference(x + added, n + 2.0 * added)
    half = z * variance**0.5
    return RateDifference(estimate, max(centre - half, -1.0), min(centre + half, 1.0))


def mantel_haenszel_difference(broken: FloatArray, runs: FloatArray) -> tuple[float, float]:
    """d and its variance by Sato 1989; broken, runs: (blocks, 2), with runs of both levels."""
    (x, y), (n, m) = broken.T, runs.T
    total = n + m
    weights = n * m / total
    sum_of_weights = float(weights.sum())
    d = float(weights @ (x / n - y / m)) / sum_of_weights
    # W^2 var d = d P + Q, of which P and Q are sums over blocks.
    p = float(((n**2 * y - m**2 * x + n * m * (m - n) / 2.0) / total**2).sum())
    q = float(((x * (m - y) + y * (n - x)) / (2.0 * total)).sum())
    return d, float(np.maximum(d * p + q, 0.0)) / sum_of_weights**2
