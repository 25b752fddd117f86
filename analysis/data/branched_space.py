"""A study's parameters that act only where another has some value, set apart as branches.

In the tables such a parameter has its default where it does not act. Here it has no value there:
shares and effects of all trials are those of the other parameters, and a branch has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data.design import Branch
from nerf.config.condition import Term, parse_condition
from nerf.config.parameters import Value
from study.spec.dimension import Dimension
from study.spec.space import Space


def divide_branches(
    space: Space, trials: pd.DataFrame
) -> tuple[Space, tuple[Branch, ...], pd.DataFrame]:
    """The space of what acts in every trial, the branches, and the trials without other values."""
    conditional = [dimension for dimension in space.dimensions if dimension.when]
    if not conditional:
        return space, (), trials
    shared = tuple(dimension for dimension in space.dimensions if not dimension.when)
    conditions = dict.fromkeys(dimension.when for dimension in conditional)
    branches = tuple(
        _make_branch(when, [d for d in conditional if d.when == when], space.dimensions)
        for when in conditions
    )
    acts = {when: _acting(trials, when) for when in conditions}
    own = {d.path: _keep(trials[d.path], acts[d.when]) for d in conditional}
    return replace(space, dimensions=shared), branches, trials.assign(**own)


def _make_branch(when: str, own: Sequence[Dimension], dimensions: Sequence[Dimension]) -> Branch:
    """The branch of a condition, whose first term is the one that its parameters declare."""
    term = parse_condition(when)[0]
    parent = next(dimension for dimension in dimensions if dimension.path == term.path)
    values = _values_in(parent, term)
    return Branch(parent.path if values else "", values, tuple(own))


def _values_in(parent: Dimension, term: Term) -> tuple[Value, ...]:
    """The choices of the deciding parameter with which a term holds; none of a range."""
    return tuple(choice for choice in parent.choices if term.holds(choice))


def _acting(trials: pd.DataFrame, when: str) -> NDArray[np.bool_]:
    """(trials,) whether a condition holds."""
    acts = np.ones(len(trials), dtype=bool)
    for term in parse_condition(when):
        acts &= np.array([term.holds(value) for value in trials[term.path]], dtype=bool)
    return acts


def _keep(values: pd.Series, acts: NDArray[np.bool_]) -> pd.Series:
    """The values where the parameter acts; else missing, which whole numbers cannot be."""
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return values.astype("object").where(acts)
    return values.astype("float64").where(acts)
