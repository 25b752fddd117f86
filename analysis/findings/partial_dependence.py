"""Effect of each parameter: partial dependence of PSNR with a 95 % band, and the best value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import select_measured
from analysis.data.study import Study
from analysis.importance.sobol import FittedSurrogate, SobolAnalysis
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.unit_cube import make_axis
from nerf.config.parameters import DERIVED, Value, parameter
from study.spec.space import Dimension

NEGLIGIBLE_LOSS = 0.1
"""Loss in dB below which two values count as equally good."""

_INDIVIDUAL_CURVES = 16
_PLANE_CELLS = 20
_PLANE_SAMPLES = 32


@dataclass(frozen=True)
class EffectCurve:
    """Partial dependence: mean PSNR at each value, all other parameters drawn from the prior.

    values: ascending; mean, low, high: (values,) dB with a 95 % band
    individuals: (values, lines) PSNR with the others at single points of the prior (ICE curves)
    best, best_low, best_high: the value of highest mean and its interval; None for choices
    near_best: the values about the best that may lose less than `NEGLIGIBLE_LOSS`
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
    """Effect of one parameter, with the trials measured over it.

    choices: the values in the order of their axis, if the parameter is a choice
    points: trial_id, value, psnr, state and phase of the trials with a finite PSNR
    curve: None without a surrogate that predicts well, and for a field that a derived one sets
    """

    path: str
    label: str
    unit: str
    log: bool
    choices: tuple[Value, ...]
    points: pd.DataFrame
    curve: EffectCurve | None

    @property
    def axis_title(self) -> str:
        """The label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit and not self.choices else self.label

    @property
    def sentence(self) -> str:
        """The best value with its interval, and what is as good as it; empty without a curve."""
        if self.curve is None:
            return ""
        c = self.curve
        if c.best_low is None or c.best_high is None:
            if len(c.near_best) == len(c.values):
                return "No choice is distinguishably better than another in these trials."
            return f"Best on average: {' or '.join(map(str, c.near_best))}."
        unit = f" {self.unit}" if self.unit else ""
        if len(c.near_best) == len(c.values):
            return "No value is distinguishably better than another in these trials."
        best, low, high = map(_format_number, (c.best, c.best_low, c.best_high))
        first, last = _format_number(c.near_best[0]), _format_number(c.near_best[-1])
        return (
            f"Best on average at {best} [{low}, {high}]{unit}; anything from {first} to {last} is "
            "as good."
        )


@dataclass(frozen=True)
class PairEffect:
    """Partial dependence on two parameters, all others drawn from the prior.

    values: (second, first) mean PSNR in dB at each pair of `first` and `second`
    """

    paths: tuple[str, str]
    labels: tuple[str, str]
    first: tuple[Value, ...]
    second: tuple[Value, ...]
    values: FloatArray


def estimate_effects(
    study: Study, sobol: SobolAnalysis, rng: np.random.Generator
) -> tuple[Effect, ...]:
    """The effect of each varied parameter, and of each field that a derived parameter sets.

    Args:
        study: as read by `load_study`.
        sobol: of its comparable trials; effects have no curve unless it is ranked.
        rng: draws the points that individual curves run through.

    Example:
        >>> for effect in estimate_effects(study, sobol, np.random.default_rng(0)):
        ...     print(effect.label, effect.sentence)
    """
    dimensions = study.space.dimensions
    model = sobol.model if sobol.importance.ranked else None
    paths = [d.path for d in dimensions]
    effects = []
    for dimension in with_derived_targets(dimensions):
        curve = None
        if model is not None and dimension.path in paths:
            curve = _estimate_curve(dimensions, paths.index(dimension.path), model, rng)
        effects.append(_make_effect(dimension, study.trials, curve))
    return tuple(effects)


def with_derived_targets(dimensions: Sequence[Dimension]) -> tuple[Dimension, ...]:
    """The dimensions, with the field that a derived one sets (far) before it (far - near)."""
    shown: list[Dimension] = []
    for dimension in dimensions:
        if dimension.path in DERIVED:
            target = parameter(DERIVED[dimension.path].sets)
            shown.append(Dimension(target.path, target.kind, label=target.label, unit=target.unit))
        shown.append(dimension)
    return tuple(shown)


def estimate_pair_effect(
    dimensions: Sequence[Dimension],
    first: int,
    second: int,
    model: FittedSurrogate,
    rng: np.random.Generator,
) -> PairEffect:
    """Partial dependence on two dimensions, by sampling the prior of the others."""
    axes = [make_axis(d) for d in dimensions]
    grids = [axes[j].grid(_PLANE_CELLS)[0] for j in (first, second)]
    base = rng.random((_PLANE_SAMPLES, len(axes)))
    others = np.column_stack([a.snap(base[:, j]) for j, a in enumerate(axes)])
    # Every grid point through every sample: (points, samples, d), then the mean over samples.
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


def _make_effect(dimension: Dimension, trials: pd.DataFrame, curve: EffectCurve | None) -> Effect:
    measured = select_measured(trials)
    columns = ["trial_id", "psnr", "outcome", "phase"]
    points = measured[columns].assign(value=measured[dimension.path])
    return Effect(
        dimension.path,
        dimension.label,
        dimension.unit,
        dimension.log,
        dimension.choices,
        points,
        curve,
    )


def _estimate_curve(
    dimensions: Sequence[Dimension], j: int, model: FittedSurrogate, rng: np.random.Generator
) -> EffectCurve:
    grid = model.decomposition.grids[j]
    values = tuple(map(dimensions[j].from_unit, grid.tolist()))
    # Partial dependence is the mean plus the main effect of the ANOVA decomposition.
    mean = model.decomposition.mean[0] + model.decomposition.main_effects[j][:, 0]
    draws = model.bootstrapped.mean + model.bootstrapped.main_effects[j]  # (values, R)
    low, high = np.quantile(draws, INTERVAL_QUANTILES, axis=1)
    top = int(mean.argmax())
    # A value is near the best if the lower end of its loss, paired by draw, is negligible.
    loss_low = np.quantile(draws[top] - draws, INTERVAL_QUANTILES[0], axis=1)
    near_best = loss_low <= NEGLIGIBLE_LOSS
    ordered = not dimensions[j].choices
    # Interval of the best value: quantiles of where each draw has its maximum.
    tops = draws.argmax(axis=0)
    first, last = (int(np.quantile(tops, q, method="nearest")) for q in INTERVAL_QUANTILES)
    return EffectCurve(
        values,
        mean,
        np.minimum(low, mean),
        np.maximum(high, mean),
        _predict_individuals(dimensions, j, grid, model, rng),
        values[top],
        values[min(first, top)] if ordered else None,
        values[max(last, top)] if ordered else None,
        tuple(
            values[i]
            for i in (_run_about(near_best, top) if ordered else np.flatnonzero(near_best))
        ),
    )


def _predict_individuals(
    dimensions: Sequence[Dimension],
    j: int,
    grid: FloatArray,
    model: FittedSurrogate,
    rng: np.random.Generator,
) -> FloatArray:
    """(grid, lines) predictions along one axis through points drawn from the prior."""
    axes = [make_axis(d) for d in dimensions]
    base = rng.random((_INDIVIDUAL_CURVES, len(axes)))
    through = np.column_stack([a.snap(base[:, i]) for i, a in enumerate(axes)])
    points = np.repeat(through[None], len(grid), axis=0)
    points[:, :, j] = grid[:, None]
    predicted = model.surrogate.predict(points.reshape(-1, len(axes)))[:, 0]
    return np.asarray(predicted.reshape(len(grid), _INDIVIDUAL_CURVES))


def _run_about(mask: np.ndarray[tuple[int], np.dtype[np.bool_]], top: int) -> range:
    """The unbroken run of True about `top`."""
    first, last = top, top
    while first > 0 and mask[first - 1]:
        first -= 1
    while last + 1 < len(mask) and mask[last + 1]:
        last += 1
    return range(first, last + 1)


def _format_number(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
