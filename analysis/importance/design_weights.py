"""Weights of trials that are not spread evenly: the part of the space nearest to each.

With the part that is nearer to it than to any other trial as its weight, the trials represent the
prior however they were chosen: an optimiser's many trials around the best one share a small part,
and a trial of its random start has a large one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray
from analysis.stats.nearest import embed_points
from analysis.surrogate.unit_cube import Axis

_POINTS = 2**12  # of the prior
MAX_TRIALS = 400
"""Trials that are used of more; the time of a Gaussian process grows with n^3."""


@dataclass(frozen=True)
class DesignWeights:
    """The trials to use, and the part of the space that each represents.

    rows: (kept,) their rows, ascending; weights: (kept,) sum to 1
    effective: effective sample size (sum w)^2 / sum w^2: as many evenly spread trials would
    represent the space as well
    """

    rows: NDArray[np.intp]
    weights: FloatArray
    effective: float


def weigh_by_nearest(units: FloatArray, axes: Sequence[Axis]) -> DesignWeights:
    """The part of the space that each trial represents.

    Of more than 400 trials, those with the largest parts are kept, whatever their results.

    Args:
        units: (trials, axes) quantiles of each trial's values under the prior, in [0, 1].
        axes: the parameters, in the order of the columns of `units`.

    Example:
        >>> weigh_by_nearest(units, axes).effective
    """
    from scipy.stats import qmc

    drawn = qmc.Sobol(len(axes), rng=np.random.default_rng(0)).random(_POINTS)
    points = np.column_stack([axis.snap(drawn[:, j]) for j, axis in enumerate(axes)])
    weights = _count_nearest(units, points, axes)
    rows = np.arange(len(units))
    if len(rows) > MAX_TRIALS:
        rows = np.sort(np.argsort(-weights, kind="stable")[:MAX_TRIALS])
        weights = _count_nearest(units[rows], points, axes)
    return DesignWeights(rows, weights, float(1.0 / (weights**2).sum()))


def _count_nearest(units: FloatArray, points: FloatArray, axes: Sequence[Axis]) -> FloatArray:
    """(trials,) part of the points that are nearest to each trial; equal trials share theirs."""
    from scipy.spatial import cKDTree

    levels = [axis.centres if axis.unordered else () for axis in axes]
    distinct, place, count = np.unique(units, axis=0, return_inverse=True, return_counts=True)
    _, nearest = cKDTree(embed_points(distinct, levels)).query(embed_points(points, levels))
    parts = np.bincount(nearest, minlength=len(distinct)) / len(points)
    return np.asarray((parts / count)[place.ravel()])
