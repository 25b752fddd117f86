"""Where along each axis runs trained: the distribution that shares among them are taken under."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.unit_cube import Axis

_TRIALS_PER_BIN = 12
_MIN_BINS, _MAX_BINS = 4, 8


def weigh_by_trained(
    axes: Sequence[Axis], units: FloatArray, trained: FloatArray, breaking: Collection[str]
) -> list[Axis]:
    """The axes, those that decide which runs train with the density of runs that did.

    A parameter that kills 40 % of the runs leaves its other values to those that trained: their
    variance, and shares of it, are over these values. Runs are taken as independent along axes.

    Args:
        axes: the parameters, in the order of the columns of `units`.
        units: (trials, axes) quantiles of the runs that trained or broke.
        trained: (trials,) 1 for runs that trained, 0 for others.
        breaking: paths of the parameters with a significant effect on which runs train.
    """
    return [
        dataclasses.replace(axis, density=_estimate_density(axis, units[:, j], trained))
        if axis.path in breaking
        else axis
        for j, axis in enumerate(axes)
    ]


def _estimate_density(axis: Axis, places: FloatArray, trained: FloatArray) -> tuple[float, ...]:
    """P(trains) in each level, or in equally wide bins of the quantile, shrunk towards 1/2."""
    bins = len(axis.centres) if axis.unordered else len(places) // _TRIALS_PER_BIN
    count = bins if axis.unordered else int(np.clip(bins, _MIN_BINS, _MAX_BINS))
    indices = np.minimum((places * count).astype(int), count - 1)
    runs = np.bincount(indices, minlength=count)
    alive = np.bincount(indices, weights=trained, minlength=count)
    return tuple(float(p) for p in (alive + 0.25) / (runs + 0.5))
