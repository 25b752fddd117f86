"""The varied parameters as axes of the unit cube, in which the study's prior is uniform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.space import Dimension

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """One varied parameter: quantiles of its prior, in cells where the prior is discrete.

    centres: (levels,) the quantile that stands for each level, ascending; empty if continuous
    edges: (levels - 1,) the quantiles at which one level ends and the next begins
    unordered: levels have no order (activations), so that no distance between them means anything
    """

    path: str
    label: str
    centres: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    unordered: bool = False

    def snap(self, quantiles: Floats) -> Floats:
        """Each quantile as the one that stands for its level; unchanged on a continuous axis."""
        if not self.centres:
            return quantiles
        return np.asarray(self.centres)[np.searchsorted(self.edges, quantiles, side="right")]


def axis(dimension: Dimension) -> Axis:
    """The axis of one dimension of a study's space."""
    unordered = dimension.kind in ("choice", "bool")
    if dimension.choices:
        count = len(dimension.choices)
        centres = tuple((i + 0.5) / count for i in range(count))
        edges = tuple(i / count for i in range(1, count))
        return Axis(dimension.path, dimension.label, centres, edges, unordered)
    if dimension.kind == "int":
        values = range(int(dimension.low), int(dimension.high) + 1)
        centres = tuple(dimension.to_unit(value) for value in values)
        edges = tuple(dimension.to_unit(value + 0.5) for value in values[:-1])
        return Axis(dimension.path, dimension.label, centres, edges)
    return Axis(dimension.path, dimension.label)


def quantiles(trials: pd.DataFrame, dimensions: Sequence[Dimension]) -> Floats:
    """(trials, dimensions): each trial's place in the unit cube."""
    columns = [[d.to_unit(value) for value in trials[d.path]] for d in dimensions]
    return np.array(columns, dtype=float).reshape(len(dimensions), len(trials)).T


def features(units: Floats, axes: Sequence[Axis]) -> tuple[Floats, NDArray[np.intp]]:
    """(points, features) for a surrogate, and the axis that each feature belongs to.

    An ordered axis is its quantile; an unordered one is one-hot, scaled so that two different
    levels lie at distance 1.
    """
    columns: list[Floats] = []
    owners: list[int] = []
    for j, a in enumerate(axes):
        if a.unordered:
            columns += [(units[:, j] == centre) / np.sqrt(2) for centre in a.centres]
            owners += [j] * len(a.centres)
        else:
            columns.append(units[:, j])
            owners.append(j)
    shape = (len(columns), len(units))
    return np.array(columns, dtype=float).reshape(shape).T, np.array(owners, dtype=np.intp)
