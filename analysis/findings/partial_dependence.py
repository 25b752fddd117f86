"""How each parameter acts: its trials, its curve under the prior with a band, its best value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import select_measured
from analysis.data.study import Study
from analysis.importance.sobol import SobolAnalysis, FittedSurrogate
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.unit_cube import make_axis
from nerf.config.parameters import DERIVED, Value, parameter
from study.spec.space import Dimension

NEGLIGIBLE_LOSS = 0.1
"""dB: a loss below which two values count as equally good."""

_INDIVIDUALS = 16
_PLANE_CELLS = 20
_PLANE_SAMPLES = 32


@dataclass(frozen=True)
class Curve:
    """Mean PSNR at each value of a parameter, all others drawn from the prior (partial dependence).

    values: ascending; mean, low, high: (values,) dB with a 95 % bootstrap band
    individuals: (values, lines) the same with all others held at those of single trials
    best, best_low, best_high: the value of highest mean and its interval; None for choices
    near_best: the values about the best that may lose less than `AS_GOOD` dB
    """

    values: tuple[Value, ...]
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    individuals: FloatArray
    best: Value
    best_low: Value | None
    best_high: Value | None
    near_best: tuple[Value, ...]


@dataclass(frozen=True)
class Effect:
    """One parameter and the trials measured over it.

    choices: the values in the order of their axis, where the parameter is a choice
    points: trial_id, value, psnr, state, phase; trials without a finite PSNR are not among them
    curve: None where no surrogate predicts well, and for a field that another one sets
    """

    path: str
    label: str
    unit: str
    log: bool
    choices: tuple[Value, ...]
    points: pd.DataFrame
    curve: Curve | None

    @property
    def axis_title(self) -> str:
        return f"{self.label} ({self.unit})" if self.unit and not self.choices else self.label

    @property
    def sentence(self) -> str:
        """The best value with its interval, and what is as good; empty without a curve."""
        if self.curve is None:
            return ""
        c = self.curve
        if c.best_low is None or c.best_high is None:
            if len(c.near_best) == len(c.values):
                return "All choices are as good as far as these trials can tell."
            return f"Best on average: {' or '.join(map(str, c.near_best))}."
        unit = f" {self.unit}" if self.unit else ""
        if len(c.near_best) == len(c.values):
            return "Any value is as good as far as these trials can tell."
        return (
            f"Best on average at {_number(c.best)} [{_number(c.best_low)}, {_number(c.best_high)}]"
            f"{unit}; anything from {_number(c.near_best[0])} to {_number(c.near_best[-1])} is as good."
        )


@dataclass(frozen=True)
class PairEffect:
    """Mean result over two parameters, all others drawn from the prior.

    values: (second, first) the mean at each pair of `first` and `second`
    """

    paths: tuple[str, str]
    labels: tuple[str, str]
    first: tuple[Value, ...]
    second: tuple[Value, ...]
    values: FloatArray


def estimate_effects(study: Study, sobol: SobolAnalysis, rng: np.random.Generator) -> tuple[Effect, ...]:
    """The effect of each varied parameter, and of each field that one of them sets in its place."""
    dimensions = study.space.dimensions
    model = sobol.model if sobol.importance.ranked else None
    paths = [d.path for d in dimensions]
    found = []
    for dimension in with_derived_targets(dimensions):
        curve = None
        if model is not None and dimension.path in paths:
            curve = _curve(dimensions, paths.index(dimension.path), model, rng)
        found.append(_effect(dimension, study.trials, curve))
    return tuple(found)


def with_derived_targets(dimensions: Sequence[Dimension]) -> tuple[Dimension, ...]:
    """The dimensions, each derived one (far - near) preceded by the field that it sets (far)."""
    found: list[Dimension] = []
    for dimension in dimensions:
        if dimension.path in DERIVED:
            target = parameter(DERIVED[dimension.path].sets)
            found.append(Dimension(target.path, target.kind, label=target.label, unit=target.unit))
        found.append(dimension)
    return tuple(found)


def estimate_pair_effect(
    dimensions: Sequence[Dimension], first: int, second: int, model: FittedSurrogate, rng: np.random.Generator
) -> PairEffect:
    """The mean of the surrogate over two dimensions, over samples of the prior of the others."""
    axes = [make_axis(d) for d in dimensions]
    grids = [axes[j].grid(_PLANE_CELLS)[0] for j in (first, second)]
    base = rng.random((_PLANE_SAMPLES, len(axes)))
    others = np.column_stack([a.snap(base[:, j]) for j, a in enumerate(axes)])
    y, x = np.meshgrid(grids[1], grids[0], indexing="ij")
    points = np.repeat(others[None], x.size, axis=0)
    points[:, :, first], points[:, :, second] = x.reshape(-1, 1), y.reshape(-1, 1)
    predicted = model.surrogate.predict(points.reshape(-1, len(axes)))[:, 0]
    a, b = dimensions[first], dimensions[second]
    return PairEffect(
        (a.path, b.path),
        (a.label, b.label),
        tuple(map(a.from_unit, grids[0].tolist())),
        tuple(map(b.from_unit, grids[1].tolist())),
        predicted.reshape(*x.shape, -1).mean(axis=-1),
    )


def _effect(dimension: Dimension, trials: pd.DataFrame, curve: Curve | None) -> Effect:
    done = select_measured(trials)
    points = done[["trial_id", "psnr", "state", "phase"]].assign(value=done[dimension.path])
    return Effect(
        dimension.path,
        dimension.label,
        dimension.unit,
        dimension.log,
        dimension.choices,
        points,
        curve,
    )


def _curve(
    dimensions: Sequence[Dimension], j: int, model: FittedSurrogate, rng: np.random.Generator
) -> Curve:
    grid = model.decomposition.grids[j]
    values = tuple(map(dimensions[j].from_unit, grid.tolist()))
    mean = model.decomposition.mean[0] + model.decomposition.main_effects[j][:, 0]
    again = model.bootstrapped.mean + model.bootstrapped.main_effects[j]
    low, high = np.quantile(again, INTERVAL_QUANTILES, axis=1)
    top = int(mean.argmax())
    loss_low = np.quantile(again[top] - again, INTERVAL_QUANTILES[0], axis=1)
    good = loss_low <= NEGLIGIBLE_LOSS
    ordered = not dimensions[j].choices
    tops = again.argmax(axis=0)
    first, last = (int(np.quantile(tops, q, method="nearest")) for q in INTERVAL_QUANTILES)
    return Curve(
        values,
        mean,
        np.minimum(low, mean),
        np.maximum(high, mean),
        _individuals(dimensions, j, grid, model, rng),
        values[top],
        values[min(first, top)] if ordered else None,
        values[max(last, top)] if ordered else None,
        tuple(values[i] for i in (_stretch(good, top) if ordered else np.flatnonzero(good))),
    )


def _individuals(
    dimensions: Sequence[Dimension], j: int, grid: FloatArray, model: FittedSurrogate, rng: np.random.Generator
) -> FloatArray:
    """(grid, lines) predictions along one axis through points drawn from the prior."""
    axes = [make_axis(d) for d in dimensions]
    base = rng.random((_INDIVIDUALS, len(axes)))
    through = np.column_stack([a.snap(base[:, i]) for i, a in enumerate(axes)])
    points = np.repeat(through[None], len(grid), axis=0)
    points[:, :, j] = grid[:, None]
    predicted = model.surrogate.predict(points.reshape(-1, len(axes)))[:, 0]
    return np.asarray(predicted.reshape(len(grid), _INDIVIDUALS))


def _stretch(good: np.ndarray[tuple[int], np.dtype[np.bool_]], top: int) -> range:
    """The unbroken run of good places about `top`."""
    first, last = top, top
    while first > 0 and good[first - 1]:
        first -= 1
    while last + 1 < len(good) and good[last + 1]:
        last += 1
    return range(first, last + 1)


def _number(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
