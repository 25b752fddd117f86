"""A short run of a small network, to see that an encoding learns and that results repeat."""

from __future__ import annotations

from torch import Tensor

from nerf.config.flat import Flat, build
from nerf.scenes.scene import Scene
from nerf.training.run import TrainingRun
from tests.threads import threads_set_to

_SMALL: Flat = {
    "field.width": 16,
    "field.depth": 2,
    "optimisation.rays": 64,
    "optimisation.learning_rate": 1e-2,
    "optimisation.warm_up": 0,
    "optimisation.crop_steps": 0,
    "sampling.coarse": 16,
}


def learn(scene: Scene, settings: Flat, threads: int = 1) -> dict[str, Tensor]:
    """The model's parameters by name after 80 steps, in which it gains more than 3 dB."""
    with threads_set_to(threads):
        run = TrainingRun(build({**_SMALL, **settings}), scene)
        untrained = run.evaluate().psnr
        for _ in range(80):
            run.advance()
        assert run.evaluate().psnr > untrained + 3
    return {name: value.detach() for name, value in run.model.named_parameters()}
