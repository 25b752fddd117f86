"""Recognises a study of this program whose grid was not run as a whole, and what it leaves out.

`--explore` below the grid's size, W&B's `run_cap` or an early end leave a part of the grid: its
first combinations in the order of nested loops, so that the first parameters lack values.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.data.design import Design
from nerf.config.parameters import Value
from study.spec.dimension import Dimension
from study.spec.space import Space


def identify_cut_grid(spec: Mapping[str, Any], space: Space, trials: pd.DataFrame) -> Design | None:
    """The design of a grid of which combinations are missing; None of any other study.

    spec: the options of the sweep, as in study.json
    trials: those that ended, of all phases
    """
    if spec.get("design") != "grid" or trials.empty:
        return None
    explored = trials[trials["phase"] == "explore"]
    run = len(explored[[d.path for d in space.dimensions]].drop_duplicates())
    if run == space.grid_size:
        return None
    never = [
        f"{dimension.label or dimension.path} {value}"
        for dimension in space.dimensions
        for value in _list_values(dimension)
        if value not in set(trials[dimension.path])
    ]
    text = f"{run} of its {space.grid_size} combinations were run, each once"
    text += f"; never run: {', '.join(never)}" if never else ""
    return Design("uneven grid", len(explored), text)


def narrow_to_run(space: Space, trials: pd.DataFrame) -> Space:
    """The space with only the values of a grid that some trial has.

    A parameter of which one value was run is fixed; if that holds for all, the space is unchanged.
    """
    seen = {d.path: _seen(d, trials) for d in space.dimensions}
    varied = tuple(
        dataclasses.replace(d, choices=tuple(seen[d.path]), step=0.0)
        for d in space.dimensions
        if len(seen[d.path]) > 1
    )
    if not varied:
        return space
    fixed = tuple((path, values[0]) for path, values in seen.items() if len(values) == 1)
    return dataclasses.replace(space, dimensions=varied, fixed=(*space.fixed, *fixed))


def _seen(dimension: Dimension, trials: pd.DataFrame) -> Sequence[Value]:
    values = set(trials[dimension.path])
    return [value for value in _list_values(dimension) if value in values]


def _list_values(dimension: Dimension) -> list[Value]:
    return [dimension.value_at(place) for place in range(dimension.levels)]
