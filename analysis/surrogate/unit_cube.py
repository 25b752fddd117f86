"""Varied parameters as axes of the unit cube, on which the study's prior is uniform.

A trial's place on an axis is the quantile of its value under that parameter's prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.stats.intervals import FloatArray
from study.spec.space import Dimension


@dataclass(frozen=True)
class Axis:
    """One varied parameter; an interval [0, 1], or levels where the prior is discrete.

    centres: (levels,) the quantile that stands for each level, ascending; empty if continuous
    edges: (levels - 1,) the quantiles at which one level ends and the next begins
    unordered: the levels have no order (such as activations), nor distances
    density: relative to the prior, in equally wide bins of the quantile, or of each level; empty
    for 1 everywhere
    """

    path: str
    label: str
    centres: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    unordered: bool = False
    density: tuple[float, ...] = ()

    def snap(self, quantiles: FloatArray) -> FloatArray:
        """Each quantile moved to the centre of its level; unchanged on a continuous axis."""
        if not self.centres:
            return quantiles
        return np.asarray(self.centres)[np.searchsorted(self.edges, quantiles, side="right")]

    def grid(self, cells: int) -> tuple[FloatArray, FloatArray]:
        """Quantiles that cover the axis, ascending, and the probability of each.

        They are all levels of a discrete axis with at most `cells` of them, and otherwise the
        middles of `cells` equally wide cells.
        """
        if 0 < len(self.centres) <= cells:
            places = np.asarray(self.centres)
            chances = np.diff(np.array([0.0, *self.edges, 1.0]))
        else:
            places = (np.arange(cells) + 0.5) / cells
            chances = np.full(cells, 1.0 / cells)
        if self.density:
            bins = np.minimum((places * len(self.density)).astype(int), len(self.density) - 1)
            chances = chances * np.asarray(self.density)[bins]
        return places, chances / chances.sum()


def make_axis(dimension: Dimension) -> Axis:
    """The axis of one dimension of a study's search space."""
    unordered = dimension.kind in ("choice", "bool")
    if dimension.choices:
        count = len(dimension.choices)
        centres = tuple((i + 0.5) / count for i in range(count))
        if dimension.weights:
            centres = tuple(dimension.to_unit(choice) for choice in dimension.choices)
        return Axis(dimension.path, dimension.label, centres, dimension.edges[1:-1], unordered)
    if dimension.levels:
        cell = dimension.step or 1.0
        values = [dimension.low + i * cell for i in range(dimension.levels)]
        centres = tuple(dimension.to_unit(value) for value in values)
        return Axis(dimension.path, dimension.label, centres, dimension.edges[1:-1])
    return Axis(dimension.path, dimension.label)


def to_quantiles(trials: pd.DataFrame, dimensions: Sequence[Dimension]) -> FloatArray:
    """(n, d) the trials as points of the unit cube."""
    columns = [[d.to_unit(value) for value in trials[d.path]] for d in dimensions]
    return np.array(columns, dtype=float).reshape(len(dimensions), len(trials)).T
