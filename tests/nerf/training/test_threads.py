"""A run's parameters and quality with one thread and with two, for each kind of network.

Voxels are in test_voxels.py.
"""

from __future__ import annotations

import pytest
from torch import Tensor

from nerf.config.flat import Flat, build
from nerf.scenes.scene import Scene
from nerf.training.run import TrainingRun
from tests.threads import with_threads

SMALL: Flat = {
    "field.depth": 2,
    "optimisation.rays": 64,
    "optimisation.warm_up": 0,
    "sampling.coarse": 16,
    "compute.precision": "fp32",
}
STEPS = 8

KINDS: dict[str, Flat] = {
    "network": {"field.width": 37, "sampling.fine": 8, "optimisation.gradient_clip": 0.1},
    "narrow": {"field.width": 18, "field.skip": 1, "encoding.directions": False},
    "hash": {"field.width": 16, "encoding.kind": "hash", "encoding.hash_log2_entries": 10},
    "grid": {"field.width": 16, "encoding.kind": "grid", "encoding.grid_cells": 16},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_number_of_threads_does_not_matter(ball: Scene, kind: str) -> None:
    def train() -> tuple[dict[str, Tensor], float, float]:
        run = TrainingRun(build({**SMALL, **KINDS[kind]}), ball)
        for _ in range(STEPS):
            run.advance()
        quality = run.evaluate()
        named = {name: value.detach() for name, value in run.model.named_parameters()}
        return named, quality.psnr, quality.ssim

    (one, *quality), (two, *other_quality) = with_threads(train, 1, 2)
    assert [name for name in one if not one[name].equal(two[name])] == []
    assert quality == other_quality
