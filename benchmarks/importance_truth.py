"""True answers to the questions of the importance benchmark, from many points without noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from peers import (
    MAX_AXES_OF_SENSITIVITY,
    FloatArray,
    Question,
    shapley_of_variance,
    snap,
    total_indices,
)
from scipy.stats import qmc
from simulated.objectives import list_objectives

from analysis.importance.closed_forms import list_benchmark_functions
from analysis.surrogate.unit_cube import Axis

# From benchmarks/simulated; its other objectives are closed forms, or have runs that break.
_SIMULATED = (
    "friedman", "ridge", "three-way", "corner", "unequal noise", "cliff", "sparse", "ceiling",
    "seeds 60 %", "needle", "categories", "quantised", "heavy tails",
)  # fmt: skip
_NOISE = 0.3  # of the standard deviation of a closed form
_SAMPLE = 2**14
_SENSITIVITY_SAMPLE = 2**11
_LEAST_ALONE = 0.02  # of the variance: less has no relative first-order indices
_DIVERGENCE_CELLS = 32


@dataclass(frozen=True)
class Case:
    """One objective; draw_noise: (n, d) points and a generator -> (n,)."""

    name: str
    axes: tuple[Axis, ...]
    evaluate: Callable[[FloatArray], FloatArray]
    draw_noise: Callable[[FloatArray, np.random.Generator], FloatArray]


def list_cases() -> tuple[Case, ...]:
    """Simulated objectives without failures, and closed forms with normal noise."""
    simulated = {o.name: o for o in list_objectives()}
    cases = [
        Case(name, simulated[name].axes, simulated[name].mean, simulated[name].draw_noise)
        for name in _SIMULATED
    ]
    for function in list_benchmark_functions():
        if any(function.total) and function.name not in _SIMULATED:
            sample = np.random.default_rng(0).random((_SAMPLE, len(function.axes)))
            points = snap(function.axes, sample)
            deviation = _NOISE * float(function.evaluate(points).std())
            cases.append(Case(function.name, function.axes, function.evaluate, _even(deviation)))
    return tuple(cases)


def _even(deviation: float) -> Callable[[FloatArray, np.random.Generator], FloatArray]:
    return lambda units, rng: deviation * rng.normal(size=len(units))


def find_truth(case: Case) -> dict[Question, FloatArray]:
    """The answer to each question that the objective has an answer to."""
    axes, f = case.axes, case.evaluate
    total = total_indices(f, axes, _SAMPLE, 1)
    truth: dict[Question, FloatArray] = {
        "total": total,
        "relative": normalize(total),
        "best tenth": _divergences(case),
    }
    alone = _first_order(case)
    if alone.sum() > _LEAST_ALONE:
        truth["alone"] = normalize(alone)
    if len(axes) <= MAX_AXES_OF_SENSITIVITY:
        truth["sensitivity"] = normalize(shapley_of_variance(f, axes, _SENSITIVITY_SAMPLE, 1))
    return truth


def _first_order(case: Case) -> FloatArray:
    """Var(E[f | x_j]) over Var(f), from means along a grid."""
    units = qmc.Sobol(len(case.axes), rng=2).random(2**10)
    whole = float(case.evaluate(snap(case.axes, units)).var())
    alone = []
    for j, axis in enumerate(case.axes):
        grid, chances = axis.grid(_DIVERGENCE_CELLS)
        means = np.empty(len(grid))
        for i, place in enumerate(grid):
            points = snap(case.axes, units)
            points[:, j] = place
            means[i] = case.evaluate(points).mean()
        alone.append(float(chances @ (means - chances @ means) ** 2))
    return np.array(alone) / whole


def _divergences(case: Case) -> FloatArray:
    """Relative Pearson divergence of the best tenth from the prior, of each parameter.

    The divergence is sum p (q / p - 1)^2 over cells of probability p under the prior and q among
    the best tenth; q is estimated from many points without noise.
    """
    units = snap(case.axes, np.random.default_rng(0).random((200_000, len(case.axes))))
    best = units[np.argsort(-case.evaluate(units))[: len(units) // 10]]
    divergences = []
    for j, axis in enumerate(case.axes):
        grid, prior = axis.grid(_DIVERGENCE_CELLS)
        cells = np.searchsorted(np.cumsum(prior)[:-1], best[:, j], side="right")
        ratio = np.bincount(cells, minlength=len(grid)) / len(best) / prior
        divergences.append(float(prior @ (ratio - 1.0) ** 2))
    return normalize(divergences)


def normalize(values: Sequence[float] | FloatArray) -> FloatArray:
    """The values divided by their sum; unchanged if it is 0."""
    parts = np.asarray(values, dtype=float)
    return parts / parts.sum() if parts.sum() > 0 else parts
