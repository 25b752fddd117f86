"""Settings of a NeRF that learns the ball in a second."""

from __future__ import annotations

from nerf.config.flat import Flat

TINY: Flat = {
    "sampling.coarse": 12,
    "field.depth": 2,
    "field.width": 24,
    "encoding.position_frequencies": 4,
    "optimisation.rays": 96,
    "optimisation.steps": 40,
    "optimisation.learning_rate": 5e-3,
    "evaluation.times": 4,
    "evaluation.pixels": 600,
    "evaluation.final_pixels": 600,
}
