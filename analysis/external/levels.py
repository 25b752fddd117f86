"""Finds parameters that took a few levels of a range, and counts how often their grid was run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from study.spec.dimension import Dimension

_MAX_LEVELS = 12
_TRIALS_PER_LEVEL = 3
_BY_CHANCE = 1e-4
_MOST = 0.75  # of the combinations that were run


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


def keep_seen(dimension: Dimension, values: pd.Series) -> Dimension:
    """The dimension with only the choices that occur: a branch may have some of its parent's."""
    if not dimension.choices:
        return dimension
    seen = set(values)
    places = [i for i, choice in enumerate(dimension.choices) if choice in seen]
    return dataclasses.replace(
        dimension,
        choices=tuple(dimension.choices[i] for i in places),
        weights=tuple(dimension.weights[i] for i in places) if dimension.weights else (),
    )


def _is_too_few_by_chance(seen: int, levels: int, trials: int) -> bool:
    """Whether uniform draws of `levels` values (0: any number) hardly ever take so few of them."""
    if not levels:
        return True
    # At most C(levels, seen) (seen / levels)^trials, the expected number of sets that hold all.
    log_sets = sum(math.log((levels - i) / (seen - i)) for i in range(seen))
    return log_sets + trials * math.log(seen / levels) < math.log(_BY_CHANCE)


@dataclass(frozen=True)
class Cells:
    """How often the combinations of the values seen were run.

    combinations: how many there are; run: how many of them were run at least once
    usual: how often most of those were, at least `_MOST` of them; 0 if no number is so frequent
    """

    combinations: int
    run: int
    usual: int
    balanced: bool
    """Each combination of all declared values was run as often as any other."""

    unseen: tuple[str, ...] = ()
    """Declared values that no trial has, such as `lr 0.1`."""


def count_cells(trials: pd.DataFrame, dimensions: Sequence[Dimension]) -> Cells | None:
    """The cells of a grid of all dimensions; None if one of them is no list of levels."""
    columns = [trials[dimension.path].astype(str) for dimension in dimensions]
    distinct = [column.nunique() for column in columns]
    # A range of which every value was run, such as seeds 0 to 9, is a list as well.
    if not all(d.choices or d.levels == n for d, n in zip(dimensions, distinct, strict=True)):
        return None
    counts = pd.concat(columns, axis=1).value_counts()
    combinations, frequency = math.prod(distinct), counts.value_counts()
    usual = int(frequency.index[0]) if frequency.iloc[0] >= _MOST * len(counts) else 0
    unseen = tuple(
        f"{dimension.label} {choice}"
        for dimension, column in zip(dimensions, columns, strict=True)
        for choice in dimension.choices
        if str(choice) not in set(column)
    )
    balanced = len(counts) == combinations and len(frequency) == 1 and not unseen
    return Cells(combinations, len(counts), usual, balanced, unseen)
