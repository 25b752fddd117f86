"""A surrogate taken apart under the prior: its mean, what each axis adds, what each pair adds.

The functional analysis of variance of Hoeffding and Sobol' (Sobol', Mathematics and Computers in
Simulation 55, 2001): f = mean + sum_j f_j(x_j) + sum_{j<k} f_jk(x_j, x_k) + ..., the parts
uncorrelated, so that the variance of f is the sum of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.unit_cube import Axis

_BASE_SAMPLES = 1024
_BINS = 24


@dataclass(frozen=True)
class Decomposition:
    """The parts of a surrogate, for each of R resamplings of its trials.

    mean, variance: (R,); alone: (axes, R) the variance of each f_j; total: (axes, R) that of
    everything an axis takes part in; pairs: (axes, axes, R) that of each f_jk, symmetric
    main: for each axis (points, R), f_j at the points of `grids`
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
        """All their resamplings as one; they are of the same axes."""

        def of(name: str) -> FloatArray:
            return np.concatenate([getattr(parts, name) for parts in several], axis=-1)

        main = zip(*(parts.main_effects for parts in several), strict=True)
        return Decomposition(
            of("mean"), of("variance"), of("main_variance"), of("total_variance"), of("pair_variance"), several[0].grids,
            tuple(np.concatenate(curves, axis=1) for curves in main),
        )  # fmt: skip

    @property
    def first_shares(self) -> FloatArray:
        """(axes, R) Sobol' indices of first order."""
        return _shares(self.main_variance, self.variance)

    @property
    def total_shares(self) -> FloatArray:
        """(axes, R) total Sobol' indices."""
        return _shares(self.total_variance, self.variance)

    @property
    def pair_shares(self) -> FloatArray:
        """(axes, axes, R) Sobol' indices of second order, symmetric."""
        return _shares(self.pair_variance, self.variance)


def decompose_by_sampling(
    predict: Callable[[FloatArray], FloatArray], axes: Sequence[Axis], rng: np.random.Generator
) -> Decomposition:
    """The parts of any surrogate by Saltelli's design, discrete axes by their inverse CDF.

    predict: (points, axes) -> (points, R). Shares through SALib (Saltelli et al., Computer Physics
    Communications 181, 2010), good to about 0.01; `main` from the means over bins of each axis.
    """
    from SALib.analyze import sobol
    from SALib.sample import sobol as design

    d = len(axes)
    problem = {"num_vars": d, "names": [a.path for a in axes], "bounds": [[0.0, 1.0]] * d}
    points = design.sample(problem, _BASE_SAMPLES, calc_second_order=True, seed=rng)
    units = np.column_stack([axis.snap(points[:, j]) for j, axis in enumerate(axes)])
    outputs = predict(units)
    mean = outputs.mean(axis=0)
    blocks = (outputs - mean).reshape(_BASE_SAMPLES, 2 * d + 2, -1)
    a, b = blocks[:, 0], blocks[:, -1]
    ab, ba = blocks[:, 1 : d + 1].swapaxes(0, 1), blocks[:, d + 1 : -1].swapaxes(0, 1)
    variance = np.concatenate([a, b]).var(axis=0)
    alone, total = np.zeros((d, len(mean))), np.zeros((d, len(mean)))
    pairs = np.zeros((d, d, len(mean)))
    if variance.any():
        for j in range(d):
            alone[j] = np.clip(sobol.first_order(a, ab[j], b), 0.0, 1.0) * variance
            total[j] = sobol.total_order(a, ab[j], b) * variance
        for j in range(d):
            for k in range(j):
                share = np.clip(sobol.second_order(a, ab[j], ab[k], ba[j], b), 0.0, 1.0)
                pairs[j, k] = pairs[k, j] = share * variance
    grids, main = zip(
        *(_binned(units[:, j], outputs - mean, axis) for j, axis in enumerate(axes)), strict=True
    )
    return Decomposition(mean, variance, alone, total, pairs, grids, main)


def _binned(places: FloatArray, outputs: FloatArray, axis: Axis) -> tuple[FloatArray, FloatArray]:
    """Means of the outputs (points, R) over the cells of one axis."""
    grid, chances = axis.grid(_BINS)
    cells = np.searchsorted(np.cumsum(chances)[:-1], places, side="right")
    counts = np.bincount(cells, minlength=len(grid))
    order = np.argsort(cells, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    filled = counts > 0
    sums = np.zeros((len(grid), outputs.shape[1]))
    sums[filled] = np.add.reduceat(outputs[order], starts[filled], axis=0)
    return grid, sums / np.maximum(counts, 1)[:, None]


def _shares(parts: FloatArray, variance: FloatArray) -> FloatArray:
    return np.divide(parts, variance, out=np.zeros_like(parts), where=variance > 0)
