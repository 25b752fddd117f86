"""Which near and far bounds break training: their plane in cells, each with a trial to look at."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.findings.collapse import select_completed_or_collapsed
from analysis.stats.intervals import FloatArray
from analysis.stats.rates import BinIndices, CollapseRate

NEAR, FAR = "sampling.near", "sampling.far"

_CELLS = 4


@dataclass(frozen=True)
class BoundsCell:
    """The explored trials with bounds in one cell; `trial_id` of the one of median PSNR."""

    rate: CollapseRate
    trial_id: str


@dataclass(frozen=True)
class BoundsMap:
    """near, far: edges of the columns, left to right, and of the rows, top down; scene units.

    cells: (rows, columns); None where no trial fell
    """

    near: tuple[float, ...]
    far: tuple[float, ...]
    cells: tuple[tuple[BoundsCell | None, ...], ...]


def map_bounds(trials: pd.DataFrame) -> BoundsMap | None:
    """The map of the explore trials that ended by themselves; None where both bounds stand still.

    Columns and rows are equally wide; far falls from top to bottom.
    """
    if not {NEAR, FAR} <= set(trials):
        return None
    ended = select_completed_or_collapsed(trials)
    if ended.empty or np.ptp(ended[NEAR]) == 0 or np.ptp(ended[FAR]) == 0:
        return None
    near, columns = _cut(ended[NEAR].to_numpy(dtype=float))
    far, heights = _cut(ended[FAR].to_numpy(dtype=float))
    rows = _CELLS - 1 - heights
    cells = tuple(
        tuple(_cell(ended[(rows == r) & (columns == c)]) for c in range(_CELLS))
        for r in range(_CELLS)
    )
    return BoundsMap(near, far[::-1], cells)


def _cut(values: FloatArray) -> tuple[tuple[float, ...], BinIndices]:
    edges = np.linspace(values.min(), values.max(), _CELLS + 1)
    places = np.searchsorted(edges[1:-1], values, side="right")
    return tuple(map(float, edges)), places


def _cell(trials: pd.DataFrame) -> BoundsCell | None:
    if trials.empty:
        return None
    ordered = trials.sort_values("psnr")
    middle = ordered.iloc[(len(ordered) - 1) // 2]
    collapsed = int((trials["state"] == "collapsed").sum())
    return BoundsCell(CollapseRate.from_counts(str(middle["trial_id"]), len(trials), collapsed), str(middle["trial_id"]))


def format_ranges(edges: tuple[float, ...]) -> list[str]:
    """Each cell's range in words, along one side of the map."""
    return [f"{min(a, b):.3g}–{max(a, b):.3g}" for a, b in itertools.pairwise(edges)]
