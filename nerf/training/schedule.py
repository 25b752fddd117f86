"""A run's timetable: its learning rate's course, and when it is evaluated."""

from __future__ import annotations

import math

from nerf.config.schema import NerfConfig, Optimisation


def learning_rate(step: int, config: Optimisation) -> float:
    """The rate for the step that follows `step` finished ones (0 .. steps - 1)."""
    progress = step / config.steps
    if config.schedule == "exponential":
        share = math.pow(config.decay, progress)
    elif config.schedule == "cosine":
        share = config.decay + (1 - config.decay) * (1 + math.cos(math.pi * progress)) / 2
    else:
        share = 1.0
    warmth = min(1.0, (step + 1) / config.warm_up) if config.warm_up else 1.0
    return config.learning_rate * share * warmth


def evaluation_steps(config: NerfConfig) -> tuple[int, ...]:
    """The steps after which a run is evaluated: evenly spread, the last one included."""
    steps, times = config.optimisation.steps, config.evaluation.times
    return tuple(sorted({max(round(steps * k / times), 1) for k in range(1, times + 1)}))
