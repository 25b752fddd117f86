"""Configurations for the fake GPU: every choice that changes which operations a step has.

Small cases stop changing early: no crop and no warm-up, unless that is what they are about.
"""

from __future__ import annotations

from nerf.config.flat import Flat

EARLY: Flat = {"optimisation.crop_steps": 0, "optimisation.warm_up": 0}
SMALL: Flat = {**EARLY, "optimisation.rays": 1024}
PLAIN: Flat = {**SMALL, "compute.occupancy": 0}
PAPER: Flat = {
    **SMALL,
    "field.depth": 8,
    "field.width": 256,
    "field.skip": 5,
    "encoding.position_frequencies": 10,
    "sampling.fine": 128,
}

CASES: dict[str, Flat] = {
    "default": {},
    "4x128": SMALL,
    "4x128, no grid": PLAIN,
    "8x256, fine": PAPER,
    "8x256, fine, no grid": {**PAPER, "compute.occupancy": 0},
    "hash": {**SMALL, "encoding.kind": "hash"},
    "hash, skip, no grid": {**PLAIN, "encoding.kind": "hash", "field.skip": 2},
    "grid": {**SMALL, "encoding.kind": "grid", "encoding.grid_features": 4},
    "voxels": {**SMALL, "field.kind": "voxels", "grid.cells": 16},
    "voxels, fine, total variation, no grid": {
        **PLAIN,
        "field.kind": "voxels",
        "grid.cells": 16,
        "grid.degree": 2,
        "grid.total_variation": 0.01,
        "sampling.fine": 16,
        "optimisation.gradient_clip": 1.0,
    },
    "no encoding, no directions, black background": {
        **PLAIN,
        "encoding.kind": "none",
        "encoding.directions": False,
        "optimisation.background": "black",
    },
    "odd width": {**PLAIN, "field.width": 133, "field.skip": 2, "field.initialisation": "glorot"},
    "fp32": {**PLAIN, "compute.precision": "fp32"},
    "bf16, clip, noise": {
        **SMALL,
        "compute.precision": "bf16",
        "optimisation.gradient_clip": 1.0,
        "optimisation.density_noise": 1.0,
    },
    "crop to the centre": {**PLAIN, "optimisation.crop_steps": 10, "optimisation.crop": "centre"},
    "crop to the content": {**PLAIN, "optimisation.crop_steps": 10},
    "random background, few views, pi": {
        **PLAIN,
        "optimisation.background": "random",
        "optimisation.views": 4,
        "encoding.times_pi": True,
    },
    "white background, long warm-up": {
        **SMALL,
        "optimisation.background": "white",
        "optimisation.warm_up": 500,
        "optimisation.steps": 3000,
    },
    "no jitter, fine": {
        **PLAIN,
        "sampling.jitter": False,
        "sampling.fine": 32,
        "optimisation.schedule": "constant",
    },
    "silu, relu, cosine": {
        **PLAIN,
        "field.hidden_activation": "silu",
        "field.density_activation": "relu",
        "optimisation.schedule": "cosine",
    },
    "gelu, softplus, widened": {
        **PLAIN,
        "field.hidden_activation": "gelu",
        "field.density_activation": "softplus",
        "field.colour_activation": "widened_sigmoid",
    },
    "softplus, truncated_exp": {
        **PLAIN,
        "field.hidden_activation": "softplus",
        "field.density_activation": "truncated_exp",
    },
    "sine, sigmoid": {
        **PLAIN,
        "field.hidden_activation": "sine",
        "field.density_activation": "sigmoid",
        "encoding.include_input": False,
    },
}

BATCHES: dict[str, list[Flat]] = {
    "mixed": [
        {**PLAIN, "field.density_activation": "relu", "encoding.kind": "none"},
        {**PLAIN, "optimisation.density_noise": 1.0, "optimisation.views": 4},
        {
            **PLAIN,
            "field.density_activation": "sigmoid",
            "field.width": 100,
            "optimisation.gradient_clip": 1.0,
            "optimisation.crop_steps": 10,
            "optimisation.background": "random",
        },
    ],
    "hash, fine, skip": [
        {**SMALL, "encoding.kind": "hash", "sampling.fine": 16, "field.skip": 2} for _ in range(2)
    ],
}
"""The members of batches, for the checks."""

PACKED: dict[str, list[Flat]] = {f"{size} x 4x128": [SMALL] * size for size in (1, 4, 16)}
"""Batches that show how operations and memory grow with the number of members."""

RESUMED = ("default", "8x256, fine", "hash", "voxels")
"""Cases that are also restored from their own state."""
