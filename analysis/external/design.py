"""Identifies the design of another tool's sweep, such as a grid, a random search or an optimiser.

The tests are those of `order_tests` and `design_tests`, on the trials that the analysis rests on.
They are trusted above what the record says of its sampler: a random search of which only the good
trials completed is none any more. That a parameter drifts with the trial number, as in nested
loops, is no sign that results decided anything; that later trials lie where results are good is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.data.design import Design
from analysis.data.selection import select_comparable
from analysis.data.study import Study
from analysis.external.design_tests import Column, Sign, find_dependence_signs, find_spread_signs
from analysis.external.levels import Cells, count_cells, keep_seen, set_on_levels
from analysis.external.order_tests import find_order_signs
from analysis.external.proposals import Proposals
from analysis.external.run_order import RunOrder, find_run_order, is_one_at_a_time
from study.records.outcomes import PRUNED
from study.spec.dimension import Dimension

MIN_TRIALS_FOR_DESIGN = 64
"""Trials below which tests may miss an optimiser; a design that they do not reject is `few`."""

_MIN_TRIALS_TO_TEST = 16
_SIGNIFICANCE = 0.003  # of each of three families of tests, so that a random design seldom fails
_MAX_PRUNED = 0.05  # of the trials that ended
_MAX_UNSORTED = 0.02  # of the steps between rows sorted by result
_MIN_CELLS = 0.9  # of a grid's combinations that were run
_MIN_CELLS_IN_LOOPS = 0.5  # the same of nested loops, which may have been cut short
_UNKNOWN = Proposals()


def add_design(study: Study, proposals: Proposals = _UNKNOWN) -> Study:
    """The study with its design; parameters that took a few levels have these as choices.

    Args:
        study: all ended trials, in the order in which they were started.
        proposals: what the record says of how they were proposed.
    """
    dimensions = study.space.dimensions
    trials = select_comparable(study.trials, study.metric).trials
    on_levels = tuple(set_on_levels(d, trials[d.path]) for d in dimensions)
    design = identify_design(trials, on_levels, proposals)
    is_grid = design.kind in ("grid", "uneven grid")
    if (design.is_even or is_grid) and (pruned := _describe_pruned(study)):
        design = Design("pruned", design.trials, pruned)
    if is_grid:  # values that no completed trial has are named, not extrapolated to
        seen = [keep_seen(d, trials[d.path]) for d in on_levels]
        on_levels = tuple(d for d in seen if len(d.choices) != 1) or on_levels
    if on_levels == dimensions or not (design.is_even or is_grid):
        return dataclasses.replace(study, design=design)
    space = dataclasses.replace(study.space, dimensions=on_levels)
    return dataclasses.replace(study, design=design, space=space)


def identify_design(
    trials: pd.DataFrame,
    dimensions: Sequence[Dimension],
    proposals: Proposals = _UNKNOWN,
) -> Design:
    """What the trials look like.

    Args:
        trials: those that the analysis rests on, in the order in which they were started, with a
            finite `score`.
        dimensions: their parameters, with the prior that they may have been drawn from.
        proposals: what the record says of how they were proposed.
    """
    n = len(trials)
    cells = count_cells(trials, dimensions)
    if n >= _MIN_TRIALS_TO_TEST // 2 and cells and cells.balanced:
        return Design("grid", n, "every combination of the levels was run equally often")
    if n < _MIN_TRIALS_TO_TEST:
        return Design("few", n, f"{n} trials do not show how they were chosen")
    order = find_run_order({d.label: trials[d.path].to_numpy() for d in dimensions}, n)
    if cells and _is_uneven_grid(cells, order):
        return Design("uneven grid", n, _describe_cells(cells))
    columns = [make_column(d, trials[d.path]) for d in dimensions]
    scores = trials["score"].to_numpy(dtype=float)
    if different := _find_difference(columns, scores, order, proposals):
        return different
    if n < MIN_TRIALS_FOR_DESIGN and not proposals.is_uniform:
        return Design("few", n, f"{n} trials are too few to show that an optimiser chose none")
    passed = "no test of their order, spread or dependence rejects it"
    on_levels = all(d.choices for d in dimensions) and any(d.kind != "choice" for d in dimensions)
    return Design("grid" if on_levels else "space-filling", n, passed)


def _is_uneven_grid(cells: Cells, order: RunOrder) -> bool:
    """Whether most combinations were run, as often as one another.

    Half of them do where their order shows nested loops, which were cut short.
    """
    least = _MIN_CELLS_IN_LOOPS if order.loops else _MIN_CELLS
    return cells.usual > 0 and cells.run >= least * cells.combinations


def _describe_cells(cells: Cells) -> str:
    all_run = cells.run == cells.combinations
    part = f"all {cells.run}" if all_run else f"{cells.run} of the {cells.combinations}"
    times = {1: "once", 2: "twice"}.get(cells.usual, f"{cells.usual} times")
    never = f"; no completed trial has {', '.join(cells.unseen)}" if cells.unseen else ""
    return f"{part} combinations of the values seen were run, most of them {times}{never}"


def make_column(dimension: Dimension, values: pd.Series) -> Column:
    """A parameter of the trials as the tests take it."""
    units = np.array([dimension.to_unit(value) for value in values], dtype=float)
    unordered = dimension.kind in ("choice", "bool")
    edges = dimension.edges if dimension.levels else ()
    return Column(dimension.label, units, edges, unordered)


def _find_difference(
    columns: Sequence[Column],
    scores: np.ndarray,
    order: RunOrder,
    proposals: Proposals,
) -> Design | None:
    """The design of trials that are no independent draws of the prior; None if nothing shows it."""
    n = len(scores)
    if is_one_at_a_time(np.column_stack([c.units for c in columns])):
        return Design("correlated", n, "nearly all differ from one of them in a single parameter")
    in_order = find_order_signs(columns, scores, () if _is_sorted(scores) else order.groups)
    if clear := _clear(in_order.by_results):
        return Design("optimiser", n, str(clear))
    if proposals.is_adaptive:
        return Design("optimiser", n, proposals.describe_sampler())
    if proposals.ranges_changed:
        return Design("correlated", n, "the range of some parameter changed between trials")
    if proposals.enqueued:
        return Design("correlated", n, proposals.describe_enqueued())
    for signs in (in_order.by_time, find_dependence_signs(columns), find_spread_signs(columns)):
        if clear := _clear(signs):
            return Design("correlated", n, str(clear))
    return None


def _is_sorted(scores: np.ndarray) -> bool:
    """Whether rows stand in the order of their results, which tells nothing of when they ran."""
    up, down = (scores[1:] > scores[:-1]).sum(), (scores[1:] < scores[:-1]).sum()
    return bool(min(up, down) <= _MAX_UNSORTED * (len(scores) - 1))


def _clear(signs: Sequence[Sign]) -> Sign | None:
    """The first of the signs, the clearest, if it is significant."""
    return signs[0] if signs and signs[0].p_value < _SIGNIFICANCE else None


def _describe_pruned(study: Study) -> str:
    """How many trials were pruned, if that selects the others; else empty."""
    ended = int((study.trials["outcome"] != "failed").sum())
    pruned = int((study.trials["outcome"] == PRUNED).sum())
    if pruned <= _MAX_PRUNED * ended:
        return ""
    return f"{pruned} of {ended} trials were pruned, by their early results"
