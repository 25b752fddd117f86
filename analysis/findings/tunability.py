"""Tunability: what tuning would gain over the defaults, and the path to the best trial.

By the surrogate: the gain of moving one parameter from its default to its best value, and all
parameters at once (after Probst et al. 2019, arXiv:1802.09596).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import match_configuration, select_trained
from analysis.data.study import Study
from analysis.importance.sobol import FittedSurrogate
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.unit_cube import Axis, make_axis
from nerf.config.parameters import Value

_CELLS = 24
_CANDIDATES = 1024
# The best of many predictions is more often too high than one picked without looking: intervals of
# gains are this many times as wide as those of predictions.
_LOOSENING = 1.6


@dataclass(frozen=True)
class TuningGain:
    """Gain in dB of moving from the default to the values that the surrogate rates best.

    values: by path, those that are moved; low, high: 95 % interval
    """

    label: str
    values: Mapping[str, Value]
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class PathStep:
    """One step from the defaults to the best trial: one more parameter moved.

    predicted, low, high: PSNR in dB after this step by the surrogate, with its interval
    measured: mean PSNR in dB of the `runs` trials of exactly this configuration; NaN for none
    """

    label: str
    before: Value | None
    after: Value | None
    predicted: float
    low: float
    high: float
    measured: float
    runs: int


@dataclass(frozen=True)
class Tunability:
    """Gains over the defaults.

    single: of tuning each parameter alone, highest first; joint: of tuning all together
    path: from the defaults to the best trial, a parameter at a time; empty without one
    """

    single: tuple[TuningGain, ...]
    joint: TuningGain
    path: tuple[PathStep, ...]


def estimate_tunability(
    study: Study, model: FittedSurrogate, best: pd.Series | None, rng: np.random.Generator
) -> Tunability:
    """Gains over the default configuration, which need not have been run.

    Args:
        study: as read by `load_study`.
        model: the surrogate of its Sobol' analysis.
        best: a row of the trials table, where the path ends.
        rng: draws the candidates for the joint optimum.

    Example:
        >>> tunability = estimate_tunability(study, sobol.model, find_best_trial(study.trials), rng)
        >>> [(gain.label, gain.value, gain.gain) for gain in tunability.single]
    """
    dimensions = study.space.dimensions
    axes = [make_axis(d) for d in dimensions]
    defaults = study.defaults
    start = np.array([d.to_unit(defaults[d.path]) for d in dimensions])
    single = []
    for j, dimension in enumerate(dimensions):
        grid = axes[j].grid(_CELLS)[0]
        points = np.repeat(start[None], len(grid), axis=0)
        points[:, j] = grid
        best_point, gain = _estimate_gain(model, start, points)
        values = {dimension.path: dimension.from_unit(float(grid[best_point]))}
        single.append(TuningGain(dimension.label, values, *gain))
    # The joint optimum by random search: the surrogate is cheap and need not be smooth.
    candidates = rng.random((_CANDIDATES, len(axes)))
    snapped = np.column_stack([a.snap(candidates[:, j]) for j, a in enumerate(axes)])
    best_point, gain = _estimate_gain(model, start, snapped)
    together = zip(dimensions, snapped[best_point].tolist(), strict=True)
    values = {d.path: d.from_unit(place) for d, place in together}
    joint = TuningGain("all together", values, *gain)
    path = () if best is None else _find_path(study, model, start, axes, best)
    return Tunability(tuple(sorted(single, key=lambda g: -g.gain)), joint, path)


def _estimate_gain(
    model: FittedSurrogate, start: FloatArray, points: FloatArray
) -> tuple[int, tuple[float, float, float]]:
    """Index of the best of `points` by the surrogate; its gain over `start`, with its interval."""
    best = int(model.process.predict(points).argmax())
    return best, predict_gain(model, start, points[best])


def predict_gain(
    model: FittedSurrogate, start: FloatArray, end: FloatArray
) -> tuple[float, float, float]:
    """Gain of the point `end` over `start`, both (axes,), and its interval."""
    pair = np.array([start, end])
    predicted, draws = model.process.predict(pair), model.sample.predict(pair)
    gain = float(predicted[1] - predicted[0])
    # Differences within each draw: what two predictions have in common cancels out.
    low, high = np.quantile(draws[1] - draws[0], INTERVAL_QUANTILES)
    low, high = (gain + _LOOSENING * (float(end) - gain) for end in (low, high))
    return gain, min(gain, float(low)), max(gain, float(high))


def _find_path(
    study: Study, model: FittedSurrogate, start: FloatArray, axes: Sequence[Axis], best: pd.Series
) -> tuple[PathStep, ...]:
    """Steps from the defaults to the best trial, each the move that the surrogate rates highest."""
    dimensions = study.space.dimensions
    values = dict(study.default_point)
    goal = {d.path: best[d.path] for d in dimensions}
    target = np.array([d.to_unit(goal[d.path]) for d in dimensions])
    remaining = [j for j in range(len(axes)) if not np.isclose(start[j], target[j])]
    place = start.copy()
    steps = [_make_step(study, model, "defaults", None, None, place, values)]
    while remaining:
        moves = np.repeat(place[None], len(remaining), axis=0)
        for row, j in enumerate(remaining):
            moves[row, j] = target[j]
        j = remaining.pop(int(model.process.predict(moves).argmax()))
        path = dimensions[j].path
        place[j], before, values[path] = target[j], values[path], goal[path]
        steps.append(
            _make_step(study, model, dimensions[j].label, before, goal[path], place, values)
        )
    return tuple(steps)


def _make_step(
    study: Study,
    model: FittedSurrogate,
    label: str,
    before: Value | None,
    after: Value | None,
    place: FloatArray,
    values: Mapping[str, Value],
) -> PathStep:
    predicted = float(model.process.predict(place[None])[0])
    low, high = np.quantile(model.sample.predict(place[None])[0], INTERVAL_QUANTILES)
    finished = select_trained(study.trials)
    runs = finished[match_configuration(finished, study.whole_space.acting(values))]
    measured = float(runs["score"].mean()) if len(runs) else float("nan")
    return PathStep(
        label,
        before,
        after,
        predicted,
        min(predicted, float(low)),
        max(predicted, float(high)),
        measured,
        len(runs),
    )
