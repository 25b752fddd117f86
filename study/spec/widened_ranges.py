"""Names what a study varies beyond the range that its parameter declares."""

from __future__ import annotations

from nerf.config.domain import Domain
from nerf.config.parameters import Value
from study.spec.dimension import Dimension
from study.spec.space import SCENE_SCALED, Space


def describe_widened(space: Space) -> list[str]:
    """A line on each range, or list of numbers, that goes beyond the parameter's declared range.

    The configuration accepts all of its values: it refuses others before a study begins.
    """
    lines = []
    for dimension in space.dimensions:
        parameter = space.parameters.by_path[dimension.path]
        declared = parameter.domain
        if space.is_nerf and dimension.path in SCENE_SCALED:
            continue  # whose ranges follow from the scene
        if declared is not None and not _lies_within(dimension, declared, parameter.default):
            name = "that it is tested over" if space.is_nerf else "that its trainer declares"
            lines.append(f"{dimension} goes beyond the range {name}, {declared}")
    return lines


def _lies_within(dimension: Dimension, declared: Domain, default: Value | None) -> bool:
    """A default among choices does, such as 0 for all views."""
    values = [float(choice) for choice in dimension.choices if choice != default]
    if not dimension.choices:
        values = [dimension.low, dimension.high]
    return all(declared.low <= value <= declared.high for value in values)
