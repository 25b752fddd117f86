"""Occupancy grid: which samples along a ray the field need not be queried at.

After the grids of instant-NGP (arXiv:2201.05989, App. C) and nerfacc (OccGridEstimator), whose
names are used here:

    occs            largest density observed in each cell, decaying by `ema_decay` a step
    binaries        whether a cell is occupied, i.e. not empty: here `density_bound` >= 0
    alpha_thre      a cell is empty if a sample in it would stop less than this share of light
    early_stop_eps  a sample is hidden if less than this share of the ray's light reaches it

nerfacc stops a ray by the densities of the samples before the current one. Here no field is
queried before the selection, so the grid also tracks the smallest density observed in each cell
(`min_density`): light that even the smallest densities stop never arrives.

A skipped sample counts as empty space. Nothing is skipped before the first update of the bounds.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn

from nerf.model.contraction import contract

WARMUP_STEPS = 48
"""Training steps, after the learning rate's warm-up, before samples may be skipped."""

UPDATE_INTERVAL = 16
"""Training steps between two updates of the density bounds."""

EMA_DECAY = 0.95
"""Factor by which `occs` of a cell falls in each step that queried the cell."""

ALPHA_THRE = 0.01
"""Largest share of light that a coarse sample may stop in a cell that counts as empty."""

EARLY_STOP_EPS = 1e-3
"""Share of a ray's light below which the samples behind are hidden."""

MAX_OPTICAL_DEPTH = -math.log(EARLY_STOP_EPS)
"""The optical depth (sum of density x length) at which that share is reached."""

SIZE_BUCKETS = 32
"""Number of sizes that a batch of selected samples can have; a power of two."""

_EMPTY = -1.0
"""`density_bound` of an empty cell."""

_CHECKPOINT_NAMES = {
    "occs": "densest",
    "min_density": "thinnest",
    "density_bound": "known",
    "max_visible": "wanted",
}
"""Names of the buffers in checkpoints, which keep those of the first version."""


class OccupancyGrid(nn.Module):
    """`cells`^3 cells over `box`, for rays of `samples` samples that lie about `delta` apart.

    `delta` is None if distances between samples differ; `occs` then holds densities times the
    lengths of the samples' intervals, and its unit of length is 1. With a `radius`, the box holds
    contracted positions (nerf.model.contraction).

    Has buffers but no parameters. `capacity` is the fixed number of samples that a training step
    queries, or None as long as the number may vary.
    """

    box: Tensor
    occs: Tensor
    min_density: Tensor
    density_bound: Tensor
    max_visible: Tensor

    def __init__(
        self,
        cells: int,
        box: Float[Tensor, "2 3"],
        samples: int,
        delta: float | None,
        radius: float | None = None,
    ) -> None:
        super().__init__()
        self.cells = cells
        self.set_samples(samples, delta)
        self.radius = radius
        self.ema_decay = EMA_DECAY
        self.capacity: int | None = None
        count = cells**3 + 1  # the last cell stands for everything outside the box
        self.register_buffer("box", box.clone())
        # Infinite until the cell has been observed.
        self.register_buffer("occs", torch.full((count,), math.inf))
        self.register_buffer("min_density", torch.full((count,), math.inf))
        # Lower bound of the density in a cell, or _EMPTY, as of the last update.
        self.register_buffer("density_bound", torch.zeros(count))
        # Largest number of visible samples in a training batch since the last `fit_capacity`.
        self.register_buffer("max_visible", torch.zeros((), dtype=torch.int64))
        self.register_state_dict_post_hook(_rename_saved_buffers)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_rename_loaded_buffers)  # type: ignore[no-untyped-call]

    def set_samples(self, samples: int, delta: float | None) -> None:
        """Selects from rays of so many samples, about `delta` apart, from now on."""
        self.samples = samples
        self.delta = 1.0 if delta is None else delta
        self.equal_lengths = delta is not None

    def cell_of(
        self,
        origins: Float[Tensor, "rays 3"],
        directions: Float[Tensor, "rays 3"],
        t: Float[Tensor, "rays samples"],
    ) -> Int[Tensor, "rays samples"]:
        """Index of the cell that contains each sample; `cells`^3 outside the box."""
        if self.radius is None:
            return cell_of(self.box, self.cells, origins, directions, t)
        return contracted_cell_of(self.box, self.cells, self.radius, origins, directions, t)

    def select(
        self,
        visible: Bool[Tensor, "rays samples"],
        step: Tensor | None = None,
    ) -> Int[Tensor, " points"]:
        """Distinct indices into rays x samples of the samples to query, visible ones first.

        Filled up with other samples to one of `SIZE_BUCKETS` sizes, because libraries compile
        kernels for every size they meet. Which others are taken rotates with the training `step`,
        so that cells which count as empty are still observed. A training step selects exactly
        `capacity` samples once that is set, and need not wait for the device to count them.
        """
        visible = visible.flatten()
        rank = rank_samples(visible, 0 if step is None else step)
        count = visible.sum()
        size = None
        if step is not None:
            torch.maximum(self.max_visible, count, out=self.max_visible)
            size = self.capacity
        if size is None:
            size = padded_size(int(count), len(visible))  # int() waits for the device
            # All of them are selected: in their own order, with a full grid as without one.
            rank = rank.masked_fill_(visible, 0)
        return rank.argsort(stable=True)[:size]

    def visibility(
        self, cell: Int[Tensor, "rays samples"], deltas: Float[Tensor, "rays samples"]
    ) -> Bool[Tensor, "rays samples"]:
        """Which samples lie in an occupied cell and are not hidden by those before them."""
        return is_visible(self.density_bound.take(cell), deltas)

    def observe(
        self,
        cell: Int[Tensor, " points"],
        density: Float[Tensor, " points"],
        occs: Float[Tensor, " points"],
    ) -> None:
        """Updates `occs` and `min_density` of the cells with densities queried in them.

        `occs` are the densities as well if `equal_lengths`, else times the samples' lengths.
        """
        observe(self.occs, self.min_density, cell, density.detach(), occs.detach(), self.ema_decay)

    def update_bounds(self) -> None:
        """Recomputes which cells are empty, and the density bounds of the others."""
        self.density_bound.copy_(density_bounds(self.occs, self.min_density, self.delta))
        self.density_bound[-1].fill_(0.0)  # assigned, the number would be copied from the host

    def fit_capacity(self, rays: int) -> None:
        """Sets `capacity` for training steps of `rays` rays from the samples visible lately."""
        total = rays * self.samples
        self.capacity = fitting_capacity(self.capacity, int(self.max_visible), total)
        self.max_visible.zero_()

    def get_extra_state(self) -> dict[str, int | None]:
        """The capacity, which `state_dict` saves with the buffers."""
        return {"room": self.capacity}

    def set_extra_state(self, state: dict[str, int | None]) -> None:
        self.capacity = state["room"]


def cell_of(
    box: Float[Tensor, "*batch 2 3"],
    cells: int,
    origins: Float[Tensor, "*batch rays 3"],
    directions: Float[Tensor, "*batch rays 3"],
    t: Float[Tensor, "*batch rays samples"],
) -> Int[Tensor, "*batch rays samples"]:
    """Index of the cell of each sample among the `cells`^3 of the box; `cells`^3 outside of it."""
    low, high = box[..., :1, :], box[..., 1:, :]
    scale = cells / (high - low)
    # The ray in units of cells: a sample's coordinates are start + t * slope.
    start, slope = (origins - low) * scale, directions * scale
    index = torch.zeros_like(t, dtype=torch.int64)
    inside = torch.ones_like(t, dtype=torch.bool)
    for axis in range(3):  # one axis at a time: (rays, samples, 3) would be three times as big
        coordinate = torch.addcmul(start[..., axis, None], slope[..., axis, None], t)
        inside.logical_and_(coordinate >= 0).logical_and_(coordinate < cells)
        index.mul_(cells).add_(coordinate.long())  # row-major: (x * cells + y) * cells + z
    return index.masked_fill_(~inside, cells**3)


def contracted_cell_of(
    box: Float[Tensor, "*batch 2 3"],
    cells: int,
    radius: float | Tensor,
    origins: Float[Tensor, "*batch rays 3"],
    directions: Float[Tensor, "*batch rays 3"],
    t: Float[Tensor, "*batch rays samples"],
) -> Int[Tensor, "*batch rays samples"]:
    """`cell_of` the contracted samples, which do not lie on a line."""
    positions = origins[..., None, :] + t[..., None] * directions[..., None, :]
    low, high = box[..., None, :1, :], box[..., None, 1:, :]
    coordinates = (contract(positions, radius) - low) * (cells / (high - low))
    inside = ((coordinates >= 0) & (coordinates < cells)).all(-1)
    x, y, z = coordinates.long().unbind(-1)
    return ((x * cells + y) * cells + z).masked_fill_(~inside, cells**3)


def is_visible(
    bound: Float[Tensor, "*rays samples"], deltas: Float[Tensor, "*rays samples"]
) -> Bool[Tensor, "*rays samples"]:
    """Which samples are visible, given the density bounds of the cells that they lie in."""
    # Exclusive cumulative sum: least optical depth between the origin and each sample.
    optical_depth = bound.clamp(min=0).mul_(deltas)
    before = torch.cumsum(optical_depth, -1).sub_(optical_depth)
    return (bound >= 0).logical_and_(before < MAX_OPTICAL_DEPTH)


def rank_samples(
    visible: Bool[Tensor, "*batch samples"], step: Tensor | int
) -> UInt8[Tensor, "*batch samples"]:
    """0..31 for visible samples, 32..63 for the others: those of a low rank are queried first."""
    index = torch.arange(visible.shape[-1], device=visible.device)
    # A hash of (index, step) in 0..SIZE_BUCKETS-1. As 37 and 53 are odd, i.e. coprime to the
    # power of two, every residue is equally frequent and each sample meets each of them once
    # in SIZE_BUCKETS steps.
    shuffled = (index * 37 + step * 53) & (SIZE_BUCKETS - 1)
    # Visible samples are shuffled too, so that a capacity too small for them drops some from all
    # rays, not all from the last rays.
    return torch.where(visible, shuffled, SIZE_BUCKETS + shuffled).to(torch.uint8)


def observe(
    occs: Float[Tensor, " cells"],
    min_density: Float[Tensor, " cells"],
    cell: Int[Tensor, " points"],
    density: Float[Tensor, " points"],
    new_occs: Float[Tensor, " points"],
    ema_decay: float,
) -> None:
    """Updates `occs` and `min_density` in place with densities queried in the cells.

    `new_occs` are the densities as well, or these times the lengths of the samples.
    """
    old_occs, old_min = occs.take(cell), min_density.take(cell)
    # First decay the old values, then reduce the new ones into them. A cell with several points
    # decays once: each of them writes the same number.
    occs.scatter_(0, cell, torch.where(old_occs.isinf(), 0.0, ema_decay * old_occs))
    occs.scatter_reduce_(0, cell, new_occs, "amax")
    min_density.scatter_(0, cell, old_min / ema_decay)
    min_density.scatter_reduce_(0, cell, density, "amin")


def density_bounds(
    occs: Float[Tensor, "*batch cells"],
    min_density: Float[Tensor, "*batch cells"],
    delta: Tensor | float,
) -> Float[Tensor, "*batch cells"]:
    """Lower bound of the density in each cell, or _EMPTY; 0 for cells never observed.

    As in nerfacc the threshold is at most the mean of `occs`, so that a field that is thin
    everywhere is not taken for empty.
    """
    observed = occs.isfinite()
    # Two sums at once: a single one would be divided among the threads, and its last bits differ.
    both = torch.stack((torch.where(observed, occs, 0.0), observed.to(occs.dtype)))
    total, count = both.sum(-1, keepdim=True)
    mean = total / count.clamp(min=1)
    # The density at which 1 - exp(-density * delta) = ALPHA_THRE.
    threshold = mean.clamp(max=-math.log1p(-ALPHA_THRE) / delta)
    bound = torch.where(occs < threshold, _EMPTY, min_density)
    return torch.where(observed, bound, 0.0)


def fitting_capacity(capacity: int | None, max_visible: int, total: int) -> int:
    """The capacity for `max_visible` of `total` samples: one bucket above it.

    The old `capacity` stays if it is at most two buckets above that, as a new one costs another
    capture of the CUDA graph.
    """
    bucket = -(-total // SIZE_BUCKETS)
    fitting = min(padded_size(max_visible, total) + bucket, total)
    if capacity is None or not fitting <= capacity <= fitting + 2 * bucket:
        return fitting
    return capacity


def padded_size(count: int, total: int) -> int:
    """The smallest multiple of a bucket, `total` / `SIZE_BUCKETS`, above `count`; at most `total`.

    Strictly above, so that a batch has room for at least one sample that is not visible.
    """
    bucket = -(-total // SIZE_BUCKETS)
    return min((count // bucket + 1) * bucket, total)


def _rename_saved_buffers(_: nn.Module, state: dict[str, Any], prefix: str, *__: Any) -> None:
    for name, saved in _CHECKPOINT_NAMES.items():
        state[prefix + saved] = state.pop(prefix + name)


def _rename_loaded_buffers(_: nn.Module, state: dict[str, Any], prefix: str, *__: Any) -> None:
    for name, saved in _CHECKPOINT_NAMES.items():
        if prefix + saved in state:
            state[prefix + name] = state.pop(prefix + saved)
