"""The learning rate's course over a run."""

from __future__ import annotations

import math

from nerf.config import Optimisation


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
