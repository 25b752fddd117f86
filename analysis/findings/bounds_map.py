"""Map of what breaks training over near and far: cells of the plane, each with an example."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import select_trained_or_broken
from analysis.stats.intervals import FloatArray
from analysis.stats.rates import BinIndices, BreakRate, bonferroni_confidence
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING

NEAR, FAR = "sampling.near", "sampling.far"

_CELLS = 4


@dataclass(frozen=True)
class BoundsCell:
    """The explored trials in one cell.

    rate: how many broke; the intervals of all cells hold at once in 95 % of studies
    trial_id: an example, the trial of median PSNR
    """

    rate: BreakRate
    trial_id: str


@dataclass(frozen=True)
class BoundsMap:
    """Cells of the plane of near and far.

    near, far: edges of the columns, left to right, and of the rows, top down; scene units
    cells: (rows, columns); None for a cell without a trial
    """

    near: tuple[float, ...]
    far: tuple[float, ...]
    cells: tuple[tuple[BoundsCell | None, ...], ...]


def map_bounds(trials: pd.DataFrame) -> BoundsMap | None:
    """The map of all explore trials that trained or broke; None unless both bounds vary.

    Columns are equally wide, rows equally high; far falls from top to bottom.
    """
    if not {NEAR, FAR} <= set(trials):
        return None
    explored = select_trained_or_broken(trials)
    if explored.empty or np.ptp(explored[NEAR]) == 0 or np.ptp(explored[FAR]) == 0:
        return None
    near, columns = _bin(explored[NEAR].to_numpy(dtype=float))
    far, heights = _bin(explored[FAR].to_numpy(dtype=float))
    rows = _CELLS - 1 - heights  # the highest far on top
    confidence = bonferroni_confidence(len(set(zip(rows, columns, strict=True))))
    cells = tuple(
        tuple(_make_cell(explored[(rows == r) & (columns == c)], confidence) for c in range(_CELLS))
        for r in range(_CELLS)
    )
    return BoundsMap(near, far[::-1], cells)


def _bin(values: FloatArray) -> tuple[tuple[float, ...], BinIndices]:
    """Edges of equally wide bins from the lowest to the highest value, and the bin of each one."""
    edges = np.linspace(values.min(), values.max(), _CELLS + 1)
    bins = np.searchsorted(edges[1:-1], values, side="right")
    return tuple(map(float, edges)), bins


def _make_cell(trials: pd.DataFrame, confidence: float) -> BoundsCell | None:
    if trials.empty:
        return None
    ordered = trials.sort_values("score")
    median = ordered.iloc[(len(ordered) - 1) // 2]
    trial_id = str(median["trial_id"])
    collapsed = int((trials["outcome"] == COLLAPSED).sum())
    nothing = int((trials["outcome"] == SHOWS_NOTHING).sum())
    rate = BreakRate.from_counts(trial_id, len(trials), collapsed, nothing, confidence)
    return BoundsCell(rate, trial_id)


def format_ranges(edges: tuple[float, ...]) -> list[str]:
    """The range of each cell along one side of the map, such as `2–3.5`."""
    return [f"{min(a, b):.3g}–{max(a, b):.3g}" for a, b in itertools.pairwise(edges)]
