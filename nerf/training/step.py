"""One training step: draws rays, renders them, backpropagates the error, and one Adam update."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator

from nerf.common.errors import InputError
from nerf.config.schema import NerfConfig
from nerf.model.grid_stages import GridStage, grid_stages
from nerf.model.nerf import Nerf
from nerf.model.occupancy import EMA_DECAY, UPDATE_INTERVAL, WARMUP_STEPS
from nerf.training.adam import make_adam
from nerf.training.cuda_graph import GraphedStep
from nerf.training.grid_refinement import refine_grids
from nerf.training.health import HealthWatch
from nerf.training.losses import loss_of, mean_squared
from nerf.training.ray_batches import TrainingRays
from nerf.training.schedule import cropped_steps, learning_rate, warm_up_steps

TRAINING_CHUNK_SAMPLES = 32_768
"""Samples of a pass that a CPU renders and differentiates at once.

The activations of more would not fit its caches, and their memory would be allocated from the
operating system in every step.
"""

VOXEL_CHUNK_SAMPLES = 131_072
"""The same for voxels, which have few activations, but a gradient as large as their grid."""

VOXEL_WARMUP = 16
"""WARMUP_STEPS of voxels, which tell empty space sooner than a network."""

VOXEL_INTERVAL = 8
"""UPDATE_INTERVAL of voxels."""

VOXEL_BETAS = (0.9, 0.99)
"""Adam's averages for voxels: a value is reached by few rays, and its gradient changes sooner."""


class TrainingStep:
    """Trains `model` by one step a call, as CUDA graphs on a GPU.

    On a CPU, the batch is split into chunks whose gradients add up. The learning rate, the number
    of steps done and the losses are tensors, because a CUDA graph does not see Python values.
    """

    def __init__(
        self, config: NerfConfig, model: Nerf, rays: TrainingRays, health: HealthWatch
    ) -> None:
        self._whole_config = config
        self._config = config.optimisation
        self._model = model
        self._loss = loss_of(config)
        self._seed = config.seed
        self._variation = config.grid.total_variation
        voxels = config.field.kind == "voxels"
        self._warm_up = warm_up_steps(self._config) + (VOXEL_WARMUP if voxels else WARMUP_STEPS)
        self._interval = VOXEL_INTERVAL if voxels else UPDATE_INTERVAL
        self._stages = grid_stages(config) if voxels else ()
        self._rays = rays
        self._health = health
        device = rays.device
        on_gpu = device.type == "cuda"
        samples = config.sampling.coarse + config.sampling.fine
        at_once = VOXEL_CHUNK_SAMPLES if voxels else TRAINING_CHUNK_SAMPLES
        chunk = self._config.rays if on_gpu else max(at_once // samples, 1)
        self.chunk_rays = min(chunk, self._config.rays)
        """Rays that are rendered and differentiated at once."""
        for grid in model.occupancy_grids():
            # The grid decays once a chunk; over a whole step that makes EMA_DECAY.
            grid.ema_decay = EMA_DECAY ** (self.chunk_rays / self._config.rays)
        self._rate = torch.zeros((), device=device)
        betas = VOXEL_BETAS if voxels else (0.9, 0.999)
        self.optimiser = make_adam(model.parameters(), self._rate, betas)
        # Not the generator of the weights: the rays drawn must not depend on the number of weights.
        # Seeds are below 2**32 (NerfConfig), so this one differs from every run's weight seed.
        self.generator = Generator(device).manual_seed(config.seed + 2**32)
        self.steps_done = 0
        self._step_tensor = torch.zeros((), dtype=torch.int64, device=device)  # the same number
        self.losses = torch.zeros(len(model.passes()), device=device)
        """Mean squared error of each pass on the last step's rays."""
        self._graphed = (
            GraphedStep(device, self.generator) if on_gpu and config.compute.graphs else None
        )
        self._place_samples()
        self._fix_capacities()

    def __call__(self) -> None:
        """Trains by one step, and updates the occupancy grids if that is due after it."""
        for stage in self._stages[1:]:
            if stage.start == self.steps_done:
                self._refine(stage)
        self._set_rate(learning_rate(self.steps_done, self._whole_config))
        if self._graphed is None:
            self._update()
        else:
            capacities = [grid.capacity for grid in self._model.occupancy_grids()]
            self._graphed(self._update, (self.is_cropped(), *capacities))
        self.steps_done += 1
        if self.bounds_are_due():
            for grid in self._model.occupancy_grids():
                grid.update_bounds()
                if self._step_tensor.is_cuda:
                    grid.fit_capacity(self._config.rays)

    def _update(self) -> None:
        """Draws, renders, backpropagates, updates; never waits for a GPU (see GraphedStep)."""
        batch = self._rays.draw(self._config.rays, self.generator, self.is_cropped())
        self.losses.zero_()
        self.optimiser.zero_grad()
        for chunk in batch.split(self.chunk_rays):
            renderings = self._model(
                chunk.origins,
                chunk.directions,
                chunk.background,
                self.generator,
                self._step_tensor,
            )
            # The mean over the batch is the mean of the chunks' means, weighted by their rays.
            share = len(chunk.rgb) / len(batch.rgb)
            losses = torch.stack([self._loss(each.rgb, chunk.rgb) for each in renderings])
            (share * losses.sum()).backward()  # type: ignore[no-untyped-call]
            if self._loss is not mean_squared:
                losses = torch.stack([mean_squared(each.rgb, chunk.rgb) for each in renderings])
            self.losses += share * losses.detach()
        if self._variation:
            for field in self._model.voxel_fields():
                field.grid.add_variation_gradient(self._variation)
        if self._config.gradient_clip:
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._config.gradient_clip)
        self._health.record_gradients(self._model)
        self.optimiser.step()
        self._step_tensor += 1

    def _refine(self, stage: GridStage) -> None:
        """Replaces the grids by finer ones; Adam's averages, of the old cells, begin again."""
        self.release()
        refine_grids(self._model, self._rays, stage.cells, self._seed)
        self._model.set_coarse_samples(stage.samples)
        for grid in self._model.occupancy_grids():
            grid.capacity = None  # of the old grid's samples
        self._fix_capacities()
        self.optimiser.state.clear()

    def _place_samples(self) -> None:
        """Gives the model as many samples as the grid has that the last step trained."""
        begun = [each for each in self._stages if each.start == 0 or each.start < self.steps_done]
        if begun:
            self._model.set_coarse_samples(begun[-1].samples)

    def release(self) -> None:
        """Frees the CUDA graph and its memory; the next steps capture another one."""
        if self._graphed is not None:
            self._graphed.release()

    def _fix_capacities(self) -> None:
        """Lets the first steps on a GPU be captured, too.

        Until its first update, a grid selects all samples of a step: that is its capacity.
        """
        for grid in self._model.occupancy_grids():
            if self._step_tensor.is_cuda and grid.capacity is None:
                grid.capacity = self._config.rays * grid.samples

    def is_cropped(self) -> bool:
        """Whether the next step draws its rays from a part of each image."""
        return self.steps_done < cropped_steps(self._config)

    def bounds_are_due(self) -> bool:
        """Whether the occupancy grids' bounds are to be updated after the last step."""
        return self.is_warm() and self.steps_done % self._interval == 0

    def is_warm(self) -> bool:
        """Whether the occupancy grids may skip samples from now on."""
        return self.steps_done >= self._warm_up

    def catch_up(self) -> None:
        """Makes the rest agree with `steps_done`, after a batch has taken the steps."""
        self._step_tensor.fill_(self.steps_done)
        if self.steps_done:
            self._set_rate(learning_rate(self.steps_done - 1, self._whole_config))

    def _set_rate(self, rate: float) -> None:
        if self._rate.device.type == "cpu":
            self.optimiser.param_groups[0]["lr"] = rate  # on a GPU, "lr" is self._rate itself
        self._rate.fill_(rate)

    def last_learning_rate(self) -> float:
        """The learning rate of the last step."""
        return float(self._rate)

    def state(self) -> dict[str, Any]:
        """Everything but the model that `restore` needs to resume."""
        return {
            "device": self._step_tensor.device.type,
            "number": self.steps_done,
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "losses": self.losses.clone(),  # of a batch's, only its own
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Resumes after the step of `state`; raises `InputError` on another kind of device."""
        device = self._step_tensor.device.type
        if state["device"] != device:
            raise InputError(
                f"the checkpoint was made on {state['device']}, this run is on {device}: their "
                f"random numbers differ; resume on {state['device']}, or start a new run"
            )
        self.release()  # the graph's addresses are those of the old optimiser state
        self.steps_done = state["number"]
        self._place_samples()
        self._fix_capacities()  # a checkpoint may come from before the grids had one
        self.optimiser.load_state_dict(state["optimiser"])
        if self._step_tensor.is_cuda:  # load_state_dict replaced the tensor by a copy
            self.optimiser.param_groups[0]["lr"] = self._rate
        self.generator.set_state(state["generator"])
        self.losses.copy_(state["losses"])
        self._step_tensor.fill_(self.steps_done)
