"""Sweeps whose order a script fixed before any result: loops over a grid, sorted rows, blocks.

Results decide nothing here, but parameters drift with the trial number and results with them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import qmc

from simulated.objective import FloatArray, Objective

_LEVELS = (4, 4, 2)  # of the grid's parameters; those of a grid that is cut have one more
_WORKERS = 6  # that take turns in a parallel sweep, so that rows change places with near ones
_HOLES = 0.08  # part of the trials of a grid that failed
_SWEPT = 8  # levels of each parameter that is varied alone


def _cross(objective: Objective, levels: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """(cells, axes) of a grid in the order of nested loops, over parameters drawn at random.

    Levels ascend, descend, or come in an order of their own, as a person lists them.
    """
    d = len(objective.axes)
    chosen = rng.permutation(d)[: len(levels)]
    orders = [_list_levels(n, rng) for n in levels[: len(chosen)]]
    units = np.full((int(np.prod([len(o) for o in orders])), d), 0.5)
    units[:, chosen] = list(itertools.product(*orders))
    return units


def _list_levels(count: int, rng: np.random.Generator) -> list[float]:
    levels = (np.arange(count) + 0.5) / count
    return list((levels, levels[::-1], rng.permutation(levels))[int(rng.integers(3))])


def _list_in_loops(objective: Objective, trials: int, rng: np.random.Generator) -> FloatArray:
    """All cells, each as often as any other, repeats in the innermost or the outermost loop."""
    cells = _cross(objective, _LEVELS, rng)
    repeats = -(-trials // len(cells))
    inner = rng.random() < 0.5
    return np.repeat(cells, repeats, axis=0) if inner else np.tile(cells, (repeats, 1))


def _cut_loops(objective: Objective, trials: int, rng: np.random.Generator) -> FloatArray:
    """The first cells of a grid of one to two times as many."""
    cells = _cross(objective, (*(n + 1 for n in _LEVELS), 3), rng)
    repeats = max(1, round(float(rng.uniform(1.0, 2.0)) * trials / len(cells)))
    return np.repeat(cells, repeats, axis=0)[:trials]


def _run_in_parallel(objective: Objective, trials: int, rng: np.random.Generator) -> FloatArray:
    """A grid in loops whose rows stand in the order in which workers finished them."""
    units = _list_in_loops(objective, trials, rng)
    return units[np.argsort(np.arange(len(units)) + rng.uniform(0, _WORKERS, len(units)))]


def _resume_loops(objective: Objective, trials: int, rng: np.random.Generator) -> FloatArray:
    """A grid that was interrupted, and begun again some cells before that."""
    units = _list_in_loops(objective, trials, rng)
    end = int(rng.integers(len(units) // 3, len(units) - 4))
    return np.concatenate([units[:end], units[max(0, end - int(rng.integers(1, 12))) :]])


def _leave_holes(objective: Objective, trials: int, rng: np.random.Generator) -> FloatArray:
    """A grid in loops of which some trials failed."""
    units = _list_in_loops(objective, trials, rng)
    return units[rng.random(len(units)) >= _HOLES]


def _sort_by_setting(objective: Objective, trials: int, rng: np.random.Generator) -> FloatArray:
    """A random search whose rows are sorted by one parameter."""
    units = objective.snap(rng.random((trials, len(objective.axes))))
    rows = np.argsort(units[:, int(rng.integers(units.shape[1]))], kind="stable")
    return units[rows if rng.random() < 0.5 else rows[::-1]]


def _search_in_blocks(objective: Objective, trials: int, rng: np.random.Generator) -> FloatArray:
    """A random search for each of four values of one parameter, one after the other."""
    units = rng.random((trials, len(objective.axes)))
    levels = np.array(_list_levels(4, rng))
    units[:, int(rng.integers(units.shape[1]))] = levels[np.arange(trials) * 4 // trials]
    return units


def _vary_alone(objective: Objective, trials: int, rng: np.random.Generator) -> FloatArray:
    """One parameter at a time, the others at their default, until there are enough trials."""
    d = len(objective.axes)
    default, rows = rng.random(d), []
    for j in itertools.islice(itertools.cycle(rng.permutation(d)), -(-trials // _SWEPT)):
        for level in (np.arange(_SWEPT) + 0.5) / _SWEPT:
            rows.append(default.copy())
            rows[-1][j] = level
    return np.array(rows[:trials])


def _draw_hypercube(objective: Objective, trials: int, rng: np.random.Generator) -> FloatArray:
    units: FloatArray = qmc.LatinHypercube(len(objective.axes), rng=rng).random(trials)
    return units


FIXED_ORDERS: Mapping[str, Callable[[Objective, int, np.random.Generator], FloatArray]] = {
    "Latin hypercube": _draw_hypercube,
    "sorted by a setting": _sort_by_setting,
    "blocks of random search": _search_in_blocks,
    "grid in loops": _list_in_loops,
    "loops in parallel": _run_in_parallel,
    "loops resumed": _resume_loops,
    "loops with failures": _leave_holes,
    "loops cut short": _cut_loops,
    "one at a time": _vary_alone,
}
"""Name -> (objective, trials, generator) -> (trials, axes) quantiles in the order of the rows."""
