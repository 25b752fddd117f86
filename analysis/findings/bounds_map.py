"""What near and far do: cells of their plane, and bounds that enclose the object against others."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import select_trained_or_broken
from analysis.stats.intervals import FloatArray
from analysis.stats.rates import BinIndices, BreakRate, bonferroni_confidence
from analysis.stats.welch import WelchDifference, compare_means
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING, TRAINED

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


@dataclass(frozen=True)
class BoundsComparison:
    """Explored runs whose bounds enclose the object, beside those that cut a part of it.

    near, far: where the object begins and ends, as the scene suggests; scene units
    enclosing, cutting: how many broke; difference: mean PSNR (dB) of the enclosing ones minus that
    of the others, among runs that trained; None with fewer than two of either
    trained: how many trained of each
    """

    near: float
    far: float
    enclosing: BreakRate
    cutting: BreakRate
    difference: WelchDifference | None
    trained: tuple[int, int]


def compare_bounds(
    trials: pd.DataFrame, suggested: tuple[float, float] | None
) -> BoundsComparison | None:
    """The comparison of all explore trials that trained or broke.

    suggested: the scene's near and far; None without them, or unless both bounds vary
    """
    if suggested is None or map_bounds(trials) is None:
        return None
    explored = select_trained_or_broken(trials)
    encloses = (explored[NEAR] <= suggested[0]) & (explored[FAR] >= suggested[1])
    enclosing, cutting = explored[encloses], explored[~encloses]
    trained, others = _list_scores(enclosing), _list_scores(cutting)
    confidence = bonferroni_confidence(2)  # both intervals hold at once
    return BoundsComparison(
        *suggested,
        _count_broken("enclosing", enclosing, confidence),
        _count_broken("cutting", cutting, confidence),
        compare_means(trained, others),
        (len(trained), len(others)),
    )


def _list_scores(trials: pd.DataFrame) -> FloatArray:
    """(n,) PSNR of the runs that trained."""
    scores = trials.loc[trials["outcome"] == TRAINED, "psnr"].to_numpy(dtype=float)
    return np.asarray(scores[np.isfinite(scores)])


def _bin(values: FloatArray) -> tuple[tuple[float, ...], BinIndices]:
    """Edges of equally wide bins from the lowest to the highest value, and the bin of each one."""
    edges = np.linspace(values.min(), values.max(), _CELLS + 1)
    bins = np.searchsorted(edges[1:-1], values, side="right")
    return tuple(map(float, edges)), bins


def _make_cell(trials: pd.DataFrame, confidence: float) -> BoundsCell | None:
    if trials.empty:
        return None
    ordered = trials.sort_values("psnr")
    median = ordered.iloc[(len(ordered) - 1) // 2]
    trial_id = str(median["trial_id"])
    return BoundsCell(_count_broken(trial_id, trials, confidence), trial_id)


def _count_broken(name: str, trials: pd.DataFrame, confidence: float) -> BreakRate:
    collapsed = int((trials["outcome"] == COLLAPSED).sum())
    nothing = int((trials["outcome"] == SHOWS_NOTHING).sum())
    return BreakRate.from_counts(name, len(trials), collapsed, nothing, confidence)


def format_ranges(edges: tuple[float, ...]) -> list[str]:
    """The range of each cell along one side of the map, such as `2–3.5`."""
    return [f"{min(a, b):.3g}–{max(a, b):.3g}" for a, b in itertools.pairwise(edges)]
