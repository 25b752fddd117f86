"""One step of all slots: renders, backpropagates, and one Adam update each.

Everything that a step reads and writes stays at its address, so that a GPU can replay the step as
one CUDA graph; a run that takes over a slot overwrites the slot's rows.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from nerf.model.occupancy import UPDATE_INTERVAL, WARMUP_STEPS, fitting_capacity
from nerf.training.batch.adam import adam_coefficients, clip_gradients, update
from nerf.training.batch.key import Shape
from nerf.training.batch.layout import Layout
from nerf.training.batch.parameters import Parameters
from nerf.training.batch.rays import PixelTable
from nerf.training.batch.render import BatchRenderer, Leaves
from nerf.training.batch.tiles import TilePlan, tile_size
from nerf.training.health import WATCHED_PARTS
from nerf.training.ray_batches import Batch
from nerf.training.run import TrainingRun
from nerf.training.schedule import warm_up_steps


class BatchTrainer:
    """The tensors of all slots, and the step that updates them."""

    def __init__(self, run: TrainingRun, slots: int) -> None:
        """For members like `run`."""
        device = run.rays.device
        self.slots = slots
        fields = tuple(name for name in ("coarse", "fine") if getattr(run.model, name) is not None)
        self.layout = Layout(Shape.of(run.config), fields)
        self.parameters = Parameters(self.layout, slots, device)
        self.pixels = PixelTable(slots, device)
        self.renderer = BatchRenderer(self.layout, run, slots, run.step.chunk_rays)
        self.members: dict[int, TrainingRun] = {}
        self.losses = torch.zeros(slots, len(run.model.passes()), device=device)
        """Mean squared error of each pass on the last step's rays."""
        self.largest = {part: torch.zeros(slots, device=device) for part in WATCHED_PARTS}
        """Largest absolute gradients, which the health watches of the members read."""
        self.steps = torch.zeros(slots, dtype=torch.int64, device=device)
        """Steps that each slot's member has done."""
        self._rows = torch.arange(slots, device=device)
        self._occupied = torch.zeros(slots, dtype=torch.int64, device=device)
        self._warm = torch.zeros(slots, dtype=torch.int64, device=device)
        # Adam's coefficients for every step of each member's schedule.
        self._coefficients = torch.ones(slots, 1, 2, device=device)
        self._clips = False
        # Changes when tiles come to lie in other tensors, which may be as large as earlier ones.
        self._plans_version = 0

    def load(self, slot: int, run: TrainingRun) -> None:
        """Overwrites a slot with a run; if memory is short, the slot stays free."""
        self.parameters.load(slot, run)
        self.pixels.load({**self.members, slot: run})
        self.renderer.load(slot, run)
        self.losses[slot].copy_(run.step.losses)
        self.steps[slot].fill_(run.steps_done)
        self._occupied[slot].fill_(1)
        self._warm[slot].fill_(WARMUP_STEPS + warm_up_steps(run.config.optimisation))
        self._clips = self._clips or bool(run.config.optimisation.gradient_clip)
        self._load_coefficients(slot, adam_coefficients(run.config))
        self.members[slot] = run

    def store(self, slot: int) -> None:
        """Copies parameters, Adam state and occupancy grids of a slot to its member."""
        run = self.members[slot]
        self.parameters.store(slot, run)
        self.renderer.store(slot, run)
        run.step.catch_up()

    def clear(self, slot: int) -> None:
        """Frees a slot, whose numbers are still computed, and ignored."""
        del self.members[slot]
        self._occupied[slot].fill_(0)
        self.steps[slot].fill_(0)

    def key(self) -> tuple[object, ...]:
        """What the step depends on besides numbers in tensors (see GraphedStep)."""
        kinds = tuple(sorted(self.renderer.density_kinds))
        versions = self.pixels.version, self._plans_version
        return *versions, kinds, self._clips, self._coefficients.shape[1]

    def fit_capacities(self) -> None:
        """Fits the capacities of the members' grids to the samples visible lately, on a GPU.

        Waits once a pass for the device. A run alone does it after its own 16th, 32nd, ... step;
        here all members do it at once.
        """
        grids = self.renderer.grids
        if not grids:
            return
        largest = [each.max_visible.tolist() for each in grids]
        for slot, run in self.members.items():
            if not run.step.is_warm():
                continue
            for grid, visible in zip(run.model.occupancy_grids(), largest, strict=True):
                total = run.config.optimisation.rays * grid.samples
                grid.capacity = fitting_capacity(grid.capacity, visible[slot], total)
        for each in grids:
            each.max_visible.zero_()
        self.fit_tiles()

    def fit_tiles(self) -> None:
        """Plans tiles for the capacities of the members' grids, on a GPU."""
        plans = []
        for number, grids in enumerate(self.renderer.grids):
            counts = [0] * self.slots
            for slot, run in self.members.items():
                counts[slot] = run.model.occupancy_grids()[number].capacity or 0
            size = tile_size(self.renderer.draws.rays * grids.samples)
            old = self.renderer.plans[number : number + 1]
            plan = old[0] if old else TilePlan.of([0], 1, 1, self.steps.device)
            plans.append(plan.refit(counts, size))
            self._plans_version += plans[-1] is not plan
        self.renderer.plans = plans

    def step(self) -> None:
        """Trains every member by one step on what has been drawn for it."""
        parameters, draws = self.parameters, self.renderer.draws
        parameters.gradients.zero_()
        self.losses.zero_()
        for part in draws.chunks():
            rays = self.pixels.gather(draws.pixel[:, part], draws.background[:, part])
            # The mean over the batch is the mean of the chunks' means, weighted by their rays.
            share = (part.stop - part.start) / draws.rays
            self._backpropagate(rays, part, share)
        if self._clips:
            clip_gradients(parameters, self.renderer.settings.clip)
        self._record_gradients()
        update(parameters, self._coefficients[self._rows, self.steps])
        self.steps += self._occupied

    def update_bounds(self) -> None:
        """Updates the occupancy grids of the members for which that is due after their step."""
        due = (self.steps >= self._warm) & (self.steps % UPDATE_INTERVAL == 0)
        for grids in self.renderer.grids:
            grids.update_bounds(due)

    def _backpropagate(self, rays: Batch, part: slice, share: float) -> None:
        """Adds the gradients of a chunk of each slot's rays, and its losses."""
        parameters, renderer = self.parameters, self.renderer
        entries = parameters.entries() if self.layout.shape.hash_levels else None
        leaves = [Leaves(parameters.network(name), entries) for name in renderer.passes]
        renderings = renderer.render(leaves, rays, part, self.steps, self.members)
        errors = [((each.rgb - rays.rgb) ** 2).view(self.slots, -1).mean(1) for each in renderings]
        losses = torch.stack(errors, 1)
        self.losses += share * losses.detach()
        # No member's gradient depends on another's loss.
        tensors = [leaf.network for leaf in leaves] + ([] if entries is None else [entries])
        gradients = torch.autograd.grad(share * losses.sum(), tensors)
        for name, gradient in zip(renderer.passes, gradients, strict=False):
            columns = self.layout.network_slice(name)
            # Without the mask, padded units and features of a larger member would be trained.
            parameters.gradients[:, columns].addcmul_(gradient, parameters.mask[:, columns])
        if entries is not None:
            parameters.gradients.add_(gradients[-1].view_as(parameters.gradients))

    def _record_gradients(self) -> None:
        """Keeps the largest gradients of each part that the health watch follows."""
        field = self.renderer.passes[-1]
        segment = self.layout.segment
        rows = self.parameters.gradients
        density = [segment(rows, field, f"density.{each}") for each in ("weight", "bias")]
        layers = sorted({0, self.layout.shape.skip})  # skip is 0 if there is none
        size = self.layout.position_size
        position = [segment(rows, field, f"trunk.{each}.weight")[..., :size] for each in layers]
        for part, gradients in (("density", density), ("position", position)):
            for each in gradients:
                largest = torch.linalg.vector_norm(each, math.inf, list(range(1, each.ndim)))
                torch.maximum(self.largest[part], largest, out=self.largest[part])

    def _load_coefficients(self, slot: int, own: Float[Tensor, "steps 2"]) -> None:
        missing = len(own) - self._coefficients.shape[1]
        if missing > 0:
            self._coefficients = F.pad(self._coefficients, (0, 0, 0, missing), value=1.0)
        self._coefficients[slot, : len(own)].copy_(own)
