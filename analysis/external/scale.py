"""Tells from numbers whether they were drawn uniformly, or uniformly in their logarithm.

Given the smallest and the largest of n independent draws, the n - 2 others are again independent
draws from the same law, between these two. Everything here is conditional on them, so that the
unknown ends of the range cancel.

Symbols: lo, hi the smallest and largest value; c the width of the cell of values that a discrete
value stands for (1 for whole numbers), 0 for continuous ones. The laws reach from lo - c/2 to
hi + c/2, as those of `Dimension` do.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import kstwo

from analysis.stats.intervals import FloatArray


def log_evidence(values: FloatArray, cell: float) -> float:
    """The log of how many times likelier `values` are under a log-uniform than a uniform law.

    By Markov's inequality it exceeds log(k) with probability below 1/k if the values are uniform,
    and falls below -log(k) as rarely if they are log-uniform.

    Args:
        values: (n,) positive numbers, not all equal; needs lo > cell / 2.
    """
    inner = np.sort(values)[1:-1]
    low, high = values.min() - cell / 2, values.max() + cell / 2
    # Mass of a cell: log((x + c/2) / (x - c/2)) / log(high / low), against c / (high - low).
    # Density without cells: 1 / (x log(high / low)), against 1 / (high - low).
    relative = np.log(np.log1p(cell / (inner - cell / 2)) / cell) if cell else -np.log(inner)
    return float(np.sum(relative + np.log(high - low) - np.log(np.log(high / low))))


def fit_probability(values: FloatArray, cell: float, log: bool) -> float:
    """p-value of the Kolmogorov-Smirnov test that `values` were drawn from the law.

    Small only where values crowd: a design more even than chance (Sobol', grid) gives about 1.
    """
    inner = np.sort(values)[1:-1]
    if not len(inner):
        return 1.0
    low, high = values.min() - cell / 2, values.max() + cell / 2

    def distribution(at: FloatArray) -> FloatArray:
        if log:
            return np.asarray(np.log(at / low) / np.log(high / low))
        return np.asarray((at - low) / (high - low))

    # A discrete law is compared at the edges of its cells, where its distribution function is that
    # of the continuous one. The p-value is then too large rather than too small.
    below = np.searchsorted(inner, inner, side="left") / len(inner)
    up_to = np.searchsorted(inner, inner, side="right") / len(inner)
    above = np.max(np.abs(up_to - distribution(inner + cell / 2)))
    under = np.max(np.abs(below - distribution(inner - cell / 2)))
    return float(kstwo.sf(max(above, under), len(inner)))
