"""Schedules of a run: learning rate, its warm-up, cropped steps, and when it is evaluated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from nerf.config.choices import SCHEDULES
from nerf.config.schema import NerfConfig, Optimisation


def rates_of(config: NerfConfig) -> Optimisation:
    """The optimisation of a run; that of voxels starts from the grid's learning rate."""
    if config.field.kind == "voxels":
        return replace(config.optimisation, learning_rate=config.grid.learning_rate)
    return config.optimisation


@SCHEDULES.register("exponential")
def _exponential(progress: float, options: Optimisation) -> float:
    return math.pow(options.decay, progress)


@SCHEDULES.register("cosine")
def _cosine(progress: float, options: Optimisation) -> float:
    return options.decay + (1 - options.decay) * (1 + math.cos(math.pi * progress)) / 2


@SCHEDULES.register("constant")
def _constant(progress: float) -> float:
    return 1.0


@SCHEDULES.fault_check
def _explain_fault(schedule: Callable[[float], float]) -> str:
    """What keeps a function of a plugin from being a schedule; empty if nothing does."""
    for progress in (0.0, 0.25, 0.5, 0.75, 0.999):
        factor = schedule(progress)
        if not isinstance(factor, int | float) or not 0 <= factor < math.inf:
            return f"returns {factor!r} at {progress:g} of the steps; return a number, 0 or more"
    return ""


def learning_rate(step: int, config: NerfConfig) -> float:
    """Learning rate of the step that follows `step` finished ones, 0 <= step < its steps.

    The initial rate times the schedule's factor, which falls from 1 at the first step towards
    `decay` at the last, times a warm-up factor that rises linearly to 1.
    """
    optimisation = rates_of(config)
    schedule = SCHEDULES.piece(optimisation.schedule).bind(config.section)
    factor: float = schedule(step / optimisation.steps)
    steps = warm_up_steps(optimisation)
    warm_up_factor = min(1.0, (step + 1) / steps) if steps else 1.0
    return optimisation.learning_rate * factor * warm_up_factor


def warm_up_steps(config: Optimisation) -> int:
    """Number of first steps over which the learning rate rises: at most a third of the run."""
    return min(config.warm_up, config.steps // 3)


def cropped_steps(config: Optimisation) -> int:
    """Number of first steps whose rays are drawn from a part of each image.

    A crop to the content ends after a third of the run at the latest, because what lies outside it
    has to be learnt, too. A crop to the centre has no such limit, as in earlier versions.
    """
    if config.crop == "centre":
        return config.crop_steps
    return min(config.crop_steps, config.steps // 3)


def evaluation_steps(config: NerfConfig) -> tuple[int, ...]:
    """Steps after which a run is evaluated: evenly spread, the last step included.

    Fewer than `config.evaluation.times` if the run has fewer steps.
    """
    steps, times = config.optimisation.steps, config.evaluation.times
    return tuple(sorted({max(round(steps * k / times), 1) for k in range(1, times + 1)}))
