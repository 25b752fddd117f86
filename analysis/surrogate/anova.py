"""ANOVA decomposition of a surrogate under the prior: mean, main effects, pair interactions.

The functional analysis of variance of Hoeffding and Sobol' (Sobol', Mathematics and Computers in
Simulation 55, 2001):

    f = mean + sum_j f_j(x_j) + sum_{j<k} f_jk(x_j, x_k) + ...

The terms are uncorrelated, so that their variances add up to that of f. Shares of it are Sobol'
indices: Var(f_j) / Var(f) of first order, Var(f_jk) / Var(f) of second order, and the total index
of axis j, which sums the shares of all terms that x_j takes part in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.unit_cube import Axis

# A power of 2, as Sobol' sequences need; the design is (2 d + 2) times as long.
_BASE_SAMPLES = 1024
_BINS = 24


@dataclass(frozen=True)
class Decomposition:
    """Terms of R functions of d axes.

    mean, variance: (R,) of f
    main_variance: (d, R) Var(f_j); total_variance: (d, R) of all terms that x_j takes part in
    pair_variance: (d, d, R) Var(f_jk), symmetric
    grids, main_effects: for each axis, its quantiles (points,), and f_j there (points, R)
    """

    mean: FloatArray
    variance: FloatArray
    main_variance: FloatArray
    total_variance: FloatArray
    pair_variance: FloatArray
    grids: tuple[FloatArray, ...]
    main_effects: tuple[FloatArray, ...]

    @staticmethod
    def joined(several: Sequence[Decomposition]) -> Decomposition:
        """The functions of several decompositions of the same axes, side by side."""

        def stack(name: str) -> FloatArray:
            return np.concatenate([getattr(d, name) for d in several], axis=-1)

        main_effects = zip(*(d.main_effects for d in several), strict=True)
        return Decomposition(
            stack("mean"),
            stack("variance"),
            stack("main_variance"),
            stack("total_variance"),
            stack("pair_variance"),
            several[0].grids,
            tuple(np.concatenate(effects, axis=1) for effects in main_effects),
        )

    @property
    def first_shares(self) -> FloatArray:
        """(d, R) first-order Sobol' indices."""
        return _shares(self.main_variance, self.variance)

    @property
    def total_shares(self) -> FloatArray:
        """(d, R) total Sobol' indices."""
        return _shares(self.total_variance, self.variance)

    @property
    def pair_shares(self) -> FloatArray:
        """(d, d, R) second-order Sobol' indices, symmetric."""
        return _shares(self.pair_variance, self.variance)


def decompose_by_sampling(
    predict: Callable[[FloatArray], FloatArray], axes: Sequence[Axis], rng: np.random.Generator
) -> Decomposition:
    """ANOVA decomposition of any function, estimated by Saltelli's design through SALib.

    predict: (points, d) -> (points, R). Estimators are those of Saltelli et al. (Computer Physics
    Communications 181, 2010), good to about 0.01 of the variance; main effects are means over bins.
    """
    from SALib.analyze import sobol
    from SALib.sample import sobol as design

    d = len(axes)
    problem = {"num_vars": d, "names": [a.path for a in axes], "bounds": [[0.0, 1.0]] * d}
    points = design.sample(problem, _BASE_SAMPLES, calc_second_order=True, seed=rng)
    # Snapping is the inverse CDF of a discrete prior: the design becomes one of its levels.
    units = np.column_stack([axis.snap(points[:, j]) for j, axis in enumerate(axes)])
    outputs = predict(units)
    mean = outputs.mean(axis=0)
    # SALib writes each base sample as 2 d + 2 rows: A, then A with column j of B (ab, d of them),
    # then B with column j of A (ba, d of them), then B. Centring reduces the estimators' error.
    blocks = (outputs - mean).reshape(_BASE_SAMPLES, 2 * d + 2, -1)
    a, b = blocks[:, 0], blocks[:, -1]
    ab, ba = blocks[:, 1 : d + 1].swapaxes(0, 1), blocks[:, d + 1 : -1].swapaxes(0, 1)
    variance = np.concatenate([a, b]).var(axis=0)
    main, total = np.zeros((d, len(mean))), np.zeros((d, len(mean)))
    pairs = np.zeros((d, d, len(mean)))
    if variance.any():
        for j in range(d):
            # Saltelli 2010 for first order, Jansen 1999 for the total: Table 2 (b) and (f) there.
            main[j] = np.clip(sobol.first_order(a, ab[j], b), 0.0, 1.0) * variance
            total[j] = sobol.total_order(a, ab[j], b) * variance
        for j in range(d):
            for k in range(j):
                share = np.clip(sobol.second_order(a, ab[j], ab[k], ba[j], b), 0.0, 1.0)
                pairs[j, k] = pairs[k, j] = share * variance
    grids, main_effects = zip(
        *(_bin_means(units[:, j], outputs - mean, axis) for j, axis in enumerate(axes)), strict=True
    )
    return Decomposition(mean, variance, main, total, pairs, grids, main_effects)


def _bin_means(
    places: FloatArray, outputs: FloatArray, axis: Axis
) -> tuple[FloatArray, FloatArray]:
    """Quantiles of the bins of one axis, and means of the outputs (points, R) in each bin."""
    grid, chances = axis.grid(_BINS)
    bins = np.searchsorted(np.cumsum(chances)[:-1], places, side="right")
    counts = np.bincount(bins, minlength=len(grid))
    # Sort by bin, so that each bin is a slice, and sum the slices; reduceat takes no empty ones.
    order = np.argsort(bins, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    filled = counts > 0
    sums = np.zeros((len(grid), outputs.shape[1]))
    sums[filled] = np.add.reduceat(outputs[order], starts[filled], axis=0)
    return grid, sums / np.maximum(counts, 1)[:, None]


def _shares(parts: FloatArray, variance: FloatArray) -> FloatArray:
    """Parts of the variance as shares of it; 0 for a constant function."""
    return np.divide(parts, variance, out=np.zeros_like(parts), where=variance > 0)
