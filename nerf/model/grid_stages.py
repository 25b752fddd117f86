"""The grids that a run trains one after another: how fine they are, and when each begins."""

from __future__ import annotations

from dataclasses import dataclass

from nerf.config.schema import NerfConfig

LAST_START = 0.25
"""Share of a run's steps after which its last grid begins."""


@dataclass(frozen=True)
class GridStage:
    """One of the grids."""

    start: int
    """Steps done when it begins."""
    cells: int
    """Cells along its side, if it were a cube."""
    samples: int
    """Coarse samples of a ray while it lasts."""


def grid_stages(config: NerfConfig) -> tuple[GridStage, ...]:
    """The grids of a run, coarsest first: each has twice as many cells as the one before.

    Samples lie as many cells apart in each: there are fewer where cells are larger. Grids that
    would begin at the same step as a finer one are left out.
    """
    grid, steps = config.grid, config.optimisation.steps
    last = grid.stages - 1
    stages = {}
    for number in range(grid.stages):
        start = round(LAST_START * steps * number / last) if last else 0
        side = 2 ** ((number - last) / 3)  # 2^(1/3) along a side makes twice the cells
        cells, samples = (max(round(n * side), 2) for n in (grid.cells, config.sampling.coarse))
        stages[start] = GridStage(start, cells, samples)
    return tuple(stages.values())
