"""Grid design of the explore phase: every combination of values, once.

The last parameter changes fastest, as in W&B's grids: with `depth` 2, 4 and `width` 32, 64 the
cells are (2, 32), (2, 64), (4, 32), (4, 64).
"""

from __future__ import annotations

from nerf.config.parameters import Value
from study.spec.space import Space


def grid_point(space: Space, index: int) -> dict[str, Value]:
    """The values of the cell number `index`, from 0 to `space.grid_size` - 1."""
    if any(dimension.when for dimension in space.dimensions):
        return space.branched_cells[index]
    values: dict[str, Value] = {}
    for dimension in reversed(space.dimensions):
        index, place = divmod(index, dimension.levels)
        values[dimension.path] = dimension.value_at(place)
    return {dimension.path: values[dimension.path] for dimension in space.dimensions}
