"""Finds parameters that took a few levels of a wider range, as grids and lists of values do."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from study.spec.dimension import Dimension

_MAX_LEVELS = 12
_TRIALS_PER_LEVEL = 3
_BY_CHANCE = 1e-4


def set_on_levels(dimension: Dimension, values: pd.Series) -> Dimension:
    """The dimension with the levels that were tried as its choices, in their order.

    Itself if it is a choice, if its values are many, or if draws from it could be so few.
    """
    if dimension.choices or dimension.kind not in ("float", "int"):
        return dimension
    levels = np.sort(values.unique())
    if not 2 <= len(levels) <= min(_MAX_LEVELS, len(values) // _TRIALS_PER_LEVEL):
        return dimension
    if not _is_too_few_by_chance(len(levels), dimension.levels, len(values)):
        return dimension
    choices = tuple(int(v) if dimension.kind == "int" else float(v) for v in levels)
    return dataclasses.replace(dimension, choices=choices, step=0.0)


def _is_too_few_by_chance(seen: int, levels: int, trials: int) -> bool:
    """Whether uniform draws of `levels` values (0: any number) hardly ever take so few of them."""
    if not levels:
        return True
    # At most C(levels, seen) (seen / levels)^trials, the expected number of sets that hold all.
    log_sets = sum(math.log((levels - i) / (seen - i)) for i in range(seen))
    return log_sets + trials * math.log(seen / levels) < math.log(_BY_CHANCE)


def is_balanced_grid(trials: pd.DataFrame, dimensions: Sequence[Dimension]) -> bool:
    """Whether the trials are all combinations of the levels, each as often as any other."""
    if not all(dimension.choices for dimension in dimensions):
        return False
    columns = [trials[dimension.path].astype(str) for dimension in dimensions]
    counts = pd.concat(columns, axis=1).value_counts()
    cells = math.prod(column.nunique() for column in columns)
    return len(counts) == cells and int(counts.max()) == int(counts.min())
