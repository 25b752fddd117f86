"""One step of training: rays drawn, rendered, held to their colours, and Adam's answer to that."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator

from nerf.common.errors import InputError
from nerf.config.schema import NerfConfig
from nerf.model.nerf import Nerf
from nerf.model.occupancy import EMA_DECAY, UPDATE_INTERVAL, WARMUP_STEPS
from nerf.training.cuda_graph import GraphedStep
from nerf.training.health import HealthWatch
from nerf.training.ray_batches import TrainingRays
from nerf.training.schedule import learning_rate

SAMPLES_AT_ONCE = 32_768
"""Samples of a pass that a processor renders and differentiates at once: activations of more would
leave its caches, and the memory for them would be asked of the system at every step."""


class TrainingStep:
    """Makes steps, one a call, on a GPU as CUDA graphs.

    The learning rate, the number of the step and the losses live in tensors of their own, since a
    graph sees nothing of Python.
    """

    def __init__(
        self, config: NerfConfig, model: Nerf, rays: TrainingRays, health: HealthWatch
    ) -> None:
        self._config = config.optimisation
        self._model = model
        self._rays = rays
        self._health = health
        device = rays.rgb.device
        on_gpu = device.type == "cuda"
        samples = config.sampling.coarse + config.sampling.fine
        at_once = self._config.rays if on_gpu else max(SAMPLES_AT_ONCE // samples, 1)
        self._rays_at_once = min(at_once, self._config.rays)
        for grid in model.occupancy_grids():  # which hears of a step in so many parts
            grid.ema_decay = EMA_DECAY ** (self._rays_at_once / self._config.rays)
        self._rate = torch.zeros((), device=device)
        self.optimiser = torch.optim.Adam(
            model.parameters(), lr=self._rate if on_gpu else 0.0, fused=True, capturable=on_gpu
        )
        # Another stream than the weights': more weights must not shift the rays that are drawn.
        self.generator = Generator(device).manual_seed(config.seed + 2**32)
        self.number = 0
        self._turn = torch.zeros((), dtype=torch.int64, device=device)
        self.losses = torch.zeros(len(model.passes()), device=device)
        """Mean squared error of the last step's rays, one of each pass."""
        self._graphed = (
            GraphedStep(self._step, self.generator) if on_gpu and config.compute.graphs else None
        )

    def __call__(self) -> None:
        rate = learning_rate(self.number, self._config)
        if self._rate.device.type == "cpu":
            self.optimiser.param_groups[0]["lr"] = rate
        self._rate.fill_(rate)
        rooms = [grid.capacity for grid in self._model.occupancy_grids()]
        if self._graphed is None or None in rooms:
            self._step()
        else:
            self._graphed((self._cropped(), *rooms))
        self.number += 1
        learnt = self.number >= WARMUP_STEPS + self._config.warm_up
        if learnt and self.number % UPDATE_INTERVAL == 0:
            for grid in self._model.occupancy_grids():
                grid.update_bounds()
                if self._turn.is_cuda:
                    grid.fit_capacity(self._config.rays)

    def _step(self) -> None:
        """Waits for nothing and keeps every tensor in its place."""
        batch = self._rays.draw(self._config.rays, self.generator, self._cropped())
        self.losses.zero_()
        self.optimiser.zero_grad()
        for part in batch.split(self._rays_at_once):
            passes = self._model(
                part.origins, part.directions, part.background, self.generator, self._turn
            )
            share = len(part.rgb) / len(batch.rgb)
            losses = torch.stack([torch.mean((shown.rgb - part.rgb) ** 2) for shown in passes])
            (share * losses.sum()).backward()  # type: ignore[no-untyped-call]
            self.losses += share * losses.detach()
        if self._config.gradient_clip:
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._config.gradient_clip)
        self._health.stepped(self._model)
        self.optimiser.step()
        self._turn += 1

    def _cropped(self) -> bool:
        return self.number < self._config.crop_steps

    def rate(self) -> float:
        """The learning rate of the last step."""
        return float(self._rate)

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, beside the model."""
        return {
            "device": self._turn.device.type,
            "number": self.number,
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "losses": self.losses,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on where `state` was taken; raises `InputError` on another kind of device."""
        device = self._turn.device.type
        if state["device"] != device:
            raise InputError(
                f"the checkpoint was made on {state['device']}, this is {device}: their random "
                "numbers differ; go on where it began, or start a new run"
            )
        self.number = state["number"]
        self.optimiser.load_state_dict(state["optimiser"])
        if self._turn.is_cuda:  # loading puts a copy in the place of the tensor
            self.optimiser.param_groups[0]["lr"] = self._rate
        self.generator.set_state(state["generator"])
        self.losses.copy_(state["losses"])
        self._turn.fill_(self.number)
