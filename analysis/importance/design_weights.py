"""How much of the space each trial stands for, where trials are not spread evenly over it.

A trial stands for the part of the space that is nearer to it than to any other. The parts are
weights under which the trials represent the prior, whatever chose them: an optimiser's many trials
about the best one share a small part, a trial of its random start stands for a large one.
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
_MAX_TRIALS = 400  # whose time is spent on trials that stand for more


@dataclass(frozen=True)
class DesignWeights:
    """The trials to rest on, and the part of the space that each stands for.

    rows: (kept,) places of the trials, ascending; weights: (kept,) sum to 1
    effective: effective sample size (sum w)^2 / sum w^2: as many trials spread evenly would stand
    for the space as well
    """

    rows: NDArray[np.intp]
    weights: FloatArray
    effective: float


def weigh_by_nearest(units: FloatArray, axes: Sequence[Axis]) -> DesignWeights:
    """The part of the space that each trial stands for.

    Of more than 400 trials those that stand for most are kept, which no result decides.

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
    if len(rows) > _MAX_TRIALS:
        rows = np.sort(np.argsort(-weights, kind="stable")[:_MAX_TRIALS])
        weights = _count_nearest(units[rows], points, axes)
    return DesignWeights(rows, weights, float(1.0 / (weights**2).sum()))


def _count_nearest(units: FloatArray, points: FloatArray, axes: Sequence[Axis]) -> FloatArray:
    """(trials,) part of the points that is nearest to each trial; equal trials share theirs."""
    from scipy.spatial import cKDTree

    levels = [axis.centres if axis.unordered else () for axis in axes]
    distinct, place, count = np.unique(units, axis=0, return_inverse=True, return_counts=True)
    _, nearest = cKDTree(embed_points(distinct, levels)).query(embed_points(points, levels))
    parts = np.bincount(nearest, minlength=len(distinct)) / len(points)
    return np.asarray((parts / count)[place.ravel()])
