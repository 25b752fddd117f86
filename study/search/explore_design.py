"""Configurations of the explore phase, by the study's design."""

from __future__ import annotations

from nerf.config.parameters import Value
from study.search.grid_design import grid_point
from study.search.random_design import random_point
from study.search.sobol_design import explore_point
from study.spec.study_spec import StudySpec


def explore_values(spec: StudySpec, index: int) -> dict[str, Value]:
    """The values of the `index`-th explored trial; always the same."""
    if spec.design == "grid":
        return grid_point(spec.space, index)
    if spec.design == "random":
        return random_point(spec.space, spec.seed, index)
    return explore_point(spec.space, spec.seed, index, spec.nets)
