"""Settings that belong together."""

from __future__ import annotations

from nerf.config.flat import Flat

FAST: Flat = {
    "field.kind": "voxels",
    "optimisation.steps": 600,
    "optimisation.rays": 1024,
    "optimisation.warm_up": 0,
    "optimisation.crop_steps": 0,
}
"""Voxels, which show an object after seconds on one core, and a capture within a minute."""
