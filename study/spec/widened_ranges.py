"""Names what a study varies beyond the range that its parameter declares."""

from __future__ import annotations

from nerf.config.domain import Domain
from study.spec.dimension import Dimension
from study.spec.space import SCENE_SCALED, Space


def describe_widened(space: Space) -> list[str]:
    """A line on each range, or list of numbers, that goes beyond the parameter's declared range.

    The configuration accepts all of its values: it refuses others before a study begins.
    """
    lines = []
    for dimension in space.dimensions:
        declared = space.parameters.by_path[dimension.path].domain
        if space.is_nerf and dimension.path in SCENE_SCALED:
            continue  # whose ranges follow from the scene
        if declared is not None and not _lies_within(dimension, declared):
            name = "that it is tested over" if space.is_nerf else "that its trainer declares"
            lines.append(f"{dimension} goes beyond the range {name}, {declared}")
    return lines


def _lies_within(dimension: Dimension, declared: Domain) -> bool:
    values = [float(choice) for choice in dimension.choices] or [dimension.low, dimension.high]
    return declared.low <= min(values) and max(values) <= declared.high
