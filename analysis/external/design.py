"""Identifies the design of another tool's sweep: grid, space-filling, optimiser or correlated.

The tests are those of `design_tests`, on the trials that the analysis rests on. They are trusted
above what the record says of its sampler: a random search of which only the good trials completed
is none any more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.data.design import Design
from analysis.data.selection import select_comparable
from analysis.data.study import Study
from analysis.external.design_tests import (
    Column,
    Sign,
    find_dependence_signs,
    find_order_signs,
    find_spread_signs,
)
from analysis.external.levels import is_balanced_grid, set_on_levels
from study.records.outcomes import PRUNED
from study.spec.dimension import Dimension

MIN_TRIALS_FOR_DESIGN = 64
"""Trials below which tests may miss an optimiser; a design that they do not reject is `few`."""

_MIN_TRIALS_TO_TEST = 16
_SIGNIFICANCE = 0.003  # of each of three families of tests, so that a random design seldom fails
_MAX_PRUNED = 0.05  # of the trials that ended
_SORTED = 0.999  # rank correlation of row and result beyond which rows are sorted by result

_UNIFORM_SAMPLERS = ("random", "qmc", "sobol", "halton", "hypercube", "grid", "brute")
_ADAPTIVE_SAMPLERS = ("tpe", "bayes", "cma", "gp", "nsga", "hyperopt", "bohb", "evolution")


def add_design(study: Study, sampler: str = "", ranges_changed: bool = False) -> Study:
    """The study with its design; parameters that took a few levels have these as choices.

    Args:
        study: all ended trials, in the order in which they were started.
        sampler: what proposed the trials, if the record states it; tests are trusted above it.
        ranges_changed: some parameter's range was not the same for all trials.
    """
    dimensions = study.space.dimensions
    trials = select_comparable(study.trials, study.metric).trials
    on_levels = tuple(set_on_levels(d, trials[d.path]) for d in dimensions)
    design = identify_design(trials, on_levels, sampler, ranges_changed)
    if design.is_even and (pruned := _describe_pruned(study)):
        design = Design("optimiser", design.trials, pruned)
    if not design.is_even or on_levels == dimensions:
        return dataclasses.replace(study, design=design)
    space = dataclasses.replace(study.space, dimensions=on_levels)
    return dataclasses.replace(study, design=design, space=space)


def identify_design(
    trials: pd.DataFrame,
    dimensions: Sequence[Dimension],
    sampler: str = "",
    ranges_changed: bool = False,
) -> Design:
    """What the trials look like.

    Args:
        trials: those that the analysis rests on, in the order in which they were started, with a
            finite `score`.
        dimensions: their parameters, with the prior that they may have been drawn from.
        sampler: what proposed them, if the record states it.
        ranges_changed: some parameter's range was not the same for all trials.
    """
    n = len(trials)
    if n >= _MIN_TRIALS_TO_TEST // 2 and is_balanced_grid(trials, dimensions):
        return Design("grid", n, "every combination of the levels was run equally often")
    if n < _MIN_TRIALS_TO_TEST:
        return Design("few", n, f"{n} trials do not show how they were chosen")
    columns = [make_column(d, trials[d.path]) for d in dimensions]
    scores = trials["score"].to_numpy(dtype=float)
    if sign := _find_adaptive_sign(columns, scores, sampler):
        return Design("optimiser", n, sign)
    if ranges_changed:
        return Design("correlated", n, "the range of some parameter changed between trials")
    for signs in (find_dependence_signs(columns), find_spread_signs(columns)):
        if signs and signs[0].p_value < _SIGNIFICANCE:
            return Design("correlated", n, str(signs[0]))
    if n < MIN_TRIALS_FOR_DESIGN and not _names(sampler, _UNIFORM_SAMPLERS):
        return Design("few", n, f"{n} trials are too few to show that an optimiser chose none")
    passed = "no test of their order, spread or dependence rejects it"
    on_levels = all(d.choices for d in dimensions) and any(d.kind != "choice" for d in dimensions)
    return Design("grid" if on_levels else "space-filling", n, passed)


def make_column(dimension: Dimension, values: pd.Series) -> Column:
    """A parameter of the trials as the tests take it."""
    units = np.array([dimension.to_unit(value) for value in values], dtype=float)
    unordered = dimension.kind in ("choice", "bool")
    edges = dimension.edges if dimension.levels else ()
    return Column(dimension.label, units, edges, unordered)


def _find_adaptive_sign(columns: Sequence[Column], scores: np.ndarray, sampler: str) -> str:
    """What shows that results decided which trials came next; empty if nothing does."""
    from scipy.stats import spearmanr

    drift = spearmanr(np.arange(len(scores)), scores).statistic
    signs: list[Sign] = []
    if np.ptp(scores) > 0 and abs(float(drift)) < _SORTED:
        signs = find_order_signs(columns, scores)
    if signs and signs[0].p_value < _SIGNIFICANCE:
        return str(signs[0])
    return f"its record names the sampler {sampler}" if _names(sampler, _ADAPTIVE_SAMPLERS) else ""


def _describe_pruned(study: Study) -> str:
    """How many trials were pruned, if that selects the others; else empty."""
    ended = int((study.trials["outcome"] != "failed").sum())
    pruned = int((study.trials["outcome"] == PRUNED).sum())
    if pruned <= _MAX_PRUNED * ended:
        return ""
    return f"{pruned} of {ended} trials were pruned, by their early results"


def _names(sampler: str, words: Sequence[str]) -> bool:
    return any(word in sampler.lower() for word in words)
