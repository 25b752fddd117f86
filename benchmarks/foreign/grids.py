"""Tables of grids, whole and cut short, and of lists of levels."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from foreign.case import Truth, case
from foreign.sample import Parameter, draw_sample
from foreign.writing import as_columns, write_csv

_METRIC = "--metric accuracy"


@case(_METRIC)
def whole_numbers_of_a_list(folder: Path) -> tuple[Path, Truth]:
    """patience out of 5, 20, 200 and epochs out of 10, 50, 300: lists, not ranges."""
    parameters = (
        Parameter("patience", 0.5, choices=(5, 20, 200)),
        Parameter("epochs", 0.3, choices=(10, 50, 300), effects=(0, 3, 1)),
        Parameter("lr", 0.18, 1e-5, 1e-1, log=True),
    )
    sample = draw_sample(63, parameters=parameters)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case(_METRIC)
def full_grid(folder: Path) -> tuple[Path, Truth]:
    """4 x 3 x 2 cells, each 4 times with fresh noise."""
    levels = _grid_parameters()
    units = _cross([4, 3, 2], repeats=4)
    sample = draw_sample(45, parameters=levels, units=units)
    return write_csv(folder / "grid.csv", as_columns(sample)), sample.truth()


@case(_METRIC)
def grid_in_loops(folder: Path) -> tuple[Path, Truth]:
    """3 x 3 cells of 15 seeds each, in the order of nested loops, as a script runs them."""
    units = _cross([3, 3], repeats=15)
    units = units[np.lexsort(units.T[::-1])]
    parameters = (
        Parameter("lr", 0.6, choices=(0.001, 0.005, 0.01)),
        Parameter("decay", 0.3, choices=(0.001, 0.01, 0.1)),
    )
    sample = draw_sample(64, parameters=parameters, units=units)
    columns = as_columns(sample, seed=list(range(10, 160, 10)) * 9)
    truth = sample.truth(dead=("seed",), untrue="[Rr]esults decided")
    return write_csv(folder / "grid.csv", columns), truth


@case(_METRIC)
def grid_without_repeats(folder: Path) -> tuple[Path, Truth]:
    """4 x 3 x 2 x 2 cells, once each."""
    levels = (*_grid_parameters(), Parameter("ema", 0.0, choices=("off", "on")))
    sample = draw_sample(46, parameters=levels, units=_cross([4, 3, 2, 2], repeats=1))
    path = write_csv(folder / "grid.csv", as_columns(sample))
    return path, sample.truth(dead=("ema",), ranking_needed=False)


@case(_METRIC)
def fractional_grid(folder: Path) -> tuple[Path, Truth]:
    """27 of 81 cells: the level of d follows from those of a, b and c."""
    parameters = tuple(
        Parameter(name, share, choices=(1, 2, 3))
        for name, share in {"a": 0.6, "b": 0.3, "c": 0.08, "d": 0.0}.items()
    )
    cells = np.array([(*cell, sum(cell) % 3) for cell in itertools.product(range(3), repeat=3)])
    sample = draw_sample(47, parameters=parameters, units=(cells + 0.5) / 3)
    path = write_csv(folder / "grid.csv", as_columns(sample))
    return path, sample.truth(dead=("d",), ranking_needed=False)


@case(_METRIC)
def grid_cut_short(folder: Path) -> tuple[Path, Truth]:
    """The first 60 % of a grid in order: lr has three of its four levels."""
    units = _cross([4, 3, 2], repeats=4)
    units = units[np.lexsort(units.T[::-1])][:58]
    sample = draw_sample(48, parameters=_grid_parameters(), units=units)
    path = write_csv(folder / "grid.csv", as_columns(sample))
    # Over equal levels 0, 1, 2 the variance is 2/3, over 0 to 3 it is 5/4.
    parts = {"lr": 0.6 * (2 / 3) / (5 / 4), "batch": 0.3, "optimizer": 0.06}
    whole = sum(parts.values()) + 0.04
    shares = {name: part / whole for name, part in parts.items()}
    return path, sample.truth(shares=shares, untrue="[Rr]esults decided")


def _grid_parameters() -> tuple[Parameter, ...]:
    return (
        Parameter("lr", 0.6, choices=(1e-4, 3e-4, 1e-3, 3e-3)),
        Parameter("batch", 0.3, choices=(16, 32, 64)),
        Parameter("optimizer", 0.06, choices=("adam", "sgd")),
    )


def _cross(levels: list[int], repeats: int) -> np.ndarray:
    """Quantiles in the middle of each combination of levels, in random order."""
    cells = np.array(list(itertools.product(*(range(n) for n in levels))) * repeats)
    order = np.random.default_rng(len(cells)).permutation(len(cells))
    return np.asarray((cells[order] + 0.5) / np.array(levels))
