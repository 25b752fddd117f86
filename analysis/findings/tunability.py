"""What tuning would gain over the defaults by the surrogate; and the way to the best trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import select_finished, match_configuration
from analysis.data.study import Study
from analysis.importance.sobol import FittedSurrogate
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.unit_cube import Axis, make_axis
from nerf.config.parameters import Value

_CELLS = 24
_CANDIDATES = 4096


@dataclass(frozen=True)
class TuningGain:
    """dB gained by moving from the defaults to the surrogate's best value, with 95 % interval."""

    label: str
    value: Value | None
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class PathStep:
    """One parameter moved from its default to the best trial's value, all earlier ones moved too.

    predicted: mean, low and high in dB by the surrogate; measured: mean dB of the `runs` trials
    that really ran this configuration, NaN where none did
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
    """Gains of tuning each parameter alone, highest first, and of all; the path to the best."""

    single: tuple[TuningGain, ...]
    joint: TuningGain
    path: tuple[PathStep, ...]


def estimate_tunability(
    study: Study, model: FittedSurrogate, best: pd.Series | None, rng: np.random.Generator
) -> Tunability:
    """Gains over the default configuration, which need not have been run."""
    dimensions = study.space.dimensions
    axes = [make_axis(d) for d in dimensions]
    defaults = study.defaults
    start = np.array([d.to_unit(defaults[d.path]) for d in dimensions])
    alone = []
    for j, dimension in enumerate(dimensions):
        grid = axes[j].grid(_CELLS)[0]
        points = np.repeat(start[None], len(grid), axis=0)
        points[:, j] = grid
        place, gain = _gain(model, start, points)
        alone.append(TuningGain(dimension.label, dimension.from_unit(float(grid[place])), *gain))
    candidates = rng.random((_CANDIDATES, len(axes)))
    snapped = np.column_stack([a.snap(candidates[:, j]) for j, a in enumerate(axes)])
    together = TuningGain("all together", None, *_gain(model, start, snapped)[1])
    path = () if best is None else _path(study, model, start, axes, best)
    return Tunability(tuple(sorted(alone, key=lambda g: -g.gain)), together, path)


def _gain(model: FittedSurrogate, start: FloatArray, points: FloatArray) -> tuple[int, tuple[float, float, float]]:
    """The best of `points` by the surrogate; its gain over `start`, with its interval."""
    best = int(model.surrogate.predict(points)[:, 0].argmax())
    pair = np.array([start, points[best]])
    once, again = model.surrogate.predict(pair), model.ensemble.predict(pair)
    gain = float(once[1, 0] - once[0, 0])
    low, high = np.quantile(again[1] - again[0], INTERVAL_QUANTILES)
    return best, (gain, min(gain, float(low)), max(gain, float(high)))


def _path(
    study: Study, model: FittedSurrogate, start: FloatArray, axes: Sequence[Axis], best: pd.Series
) -> tuple[PathStep, ...]:
    """From the defaults to the best trial, each time the move that the surrogate likes most."""
    dimensions = study.space.dimensions
    values = dict(study.defaults)
    goal = {d.path: best[d.path] for d in dimensions}
    target = np.array([d.to_unit(goal[d.path]) for d in dimensions])
    left = [j for j in range(len(axes)) if not np.isclose(start[j], target[j])]
    place = start.copy()
    steps = [_step(study, model, "defaults", None, None, place, values)]
    while left:
        moves = np.repeat(place[None], len(left), axis=0)
        for row, j in enumerate(left):
            moves[row, j] = target[j]
        j = left.pop(int(model.surrogate.predict(moves)[:, 0].argmax()))
        path = dimensions[j].path
        place[j], before, values[path] = target[j], values[path], goal[path]
        steps.append(_step(study, model, dimensions[j].label, before, goal[path], place, values))
    return tuple(steps)


def _step(
    study: Study,
    model: FittedSurrogate,
    label: str,
    before: Value | None,
    after: Value | None,
    place: FloatArray,
    values: Mapping[str, Value],
) -> PathStep:
    predicted = float(model.surrogate.predict(place[None])[0, 0])
    low, high = np.quantile(model.ensemble.predict(place[None])[0], INTERVAL_QUANTILES)
    done = select_finished(study.trials)
    ran = done[match_configuration(done, values)]
    measured = float(ran["psnr"].mean()) if len(ran) else float("nan")
    return PathStep(
        label, before, after, predicted, min(predicted, float(low)), max(predicted, float(high)),
        measured, len(ran),
    )  # fmt: skip
