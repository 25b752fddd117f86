"""A dense grid of learnt features over a box, interpolated trilinearly between its points.

Unlike the tables of a hash encoding, each point of the grid has its own entry. A run may replace
the grid by a finer one over a smaller box (`regrid`), which starts from the values of the old one:
coarse to fine, as in Plenoxels (arXiv:2112.05131) and DVGO (arXiv:2111.11215).
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from nerf.model.interpolation import combine_ends, interpolate

Shape = tuple[int, int, int]


class DenseGrid(nn.Module):
    """`features` at each point of a grid of about `cells`^3 equal cubes over `box`; zero at first.

    The table's rows are the grid's points, the last axis running fastest.
    """

    box: Tensor

    def __init__(self, cells: int, features: int, box: Float[Tensor, "2 3"]) -> None:
        super().__init__()
        self.features = features
        self.register_buffer("box", box.clone())
        self.shape = grid_shape(box, cells)
        self.table = nn.Parameter(torch.zeros(math.prod(self.shape), features))
        self.register_load_state_dict_pre_hook(_make_room)  # type: ignore[no-untyped-call]

    def forward(
        self, positions: Float[Tensor, "points 3"]
    ) -> tuple[Float[Tensor, "points features"], Bool[Tensor, " points"]]:
        """The features at each position, and whether it lies in the box.

        Outside, the features are those of the nearest point of the box.
        """
        low, high = self.box
        steps = [count - 1 for count in self.shape]
        unit = (positions - low) / (high - low)
        inside = ((unit >= 0) & (unit <= 1)).all(-1)
        entry: Tensor | None = None
        shares = []
        for coordinate, count in zip(unit.unbind(-1), steps, strict=True):
            scaled = (coordinate * count).clamp_(0, count)
            cell = scaled.to(torch.int32).clamp_(max=count - 1)  # the box's end is in the last cell
            entry = cell if entry is None else entry * (count + 1) + cell
            upper = scaled - cell
            shares.append(torch.stack((1 - upper, upper)))
        assert entry is not None
        weights = combine_ends(torch.mul, *shares)
        return interpolate(self.table, entry[:, None] + self._corner_offsets(), weights), inside

    def _corner_offsets(self) -> Int[Tensor, " 8"]:
        """What the rows of a cell's eight corners are more than that of its lowest one."""
        _, y, z = self.shape
        ends = torch.arange(2, device=self.table.device, dtype=torch.int32)
        offsets = ends[:, None, None] * (y * z) + ends[:, None] * z + ends
        return offsets.flatten()

    @torch.no_grad()
    def regrid(self, cells: int, box: Float[Tensor, "2 3"]) -> None:
        """Replaces the grid by one of about `cells`^3 cubes over `box`, interpolated from it."""
        shape = grid_shape(box, cells)
        points = _grid_points(shape, box)
        low, high = self.box
        # grid_sample has the coordinates of an image, -1 to 1, the fastest axis first.
        where = ((points - low) / (high - low) * 2 - 1).flip(-1)
        values = self.table.T.reshape(1, self.features, *self.shape)
        values = F.grid_sample(values, where[None], padding_mode="border", align_corners=True)
        self.box.copy_(box)
        self.shape = shape
        # The parameter stays the same object, which its optimiser knows.
        self.table.data = values[0].reshape(self.features, -1).T.contiguous()
        self.table.grad = None

    @torch.no_grad()
    def add_variation_gradient(self, weight: float) -> None:
        """Adds the gradient of the grid's total variation (Eq. 3 of arXiv:2112.05131), squared.

        That is `weight` times the mean over the grid's points, and the sum over the features, of
        the squared differences to the next point along each axis. To be called after `backward`.
        """
        assert self.table.grad is not None
        values = self.table.view(*self.shape, self.features)
        gradient = self.table.grad.view(*self.shape, self.features)
        scale = 2 * weight / len(self.table)
        for axis, count in enumerate(self.shape):
            difference = values.diff(dim=axis).mul_(scale)
            gradient.narrow(axis, 1, count - 1).add_(difference)
            gradient.narrow(axis, 0, count - 1).sub_(difference)

    def get_extra_state(self) -> dict[str, list[int]]:
        """The grid's shape, which `state_dict` saves with the table."""
        return {"shape": list(self.shape)}

    def set_extra_state(self, state: dict[str, list[int]]) -> None:
        x, y, z = state["shape"]
        self.shape = (x, y, z)


def grid_shape(box: Float[Tensor, "2 3"], cells: int) -> Shape:
    """Points along each axis of a grid of cubes over the box, of which `cells`^3 fill it."""
    extent = (box[1] - box[0]).double()
    side = float(extent.prod()) ** (1 / 3) / cells
    x, y, z = (max(round(length / side), 1) + 1 for length in extent.tolist())
    return x, y, z


def _grid_points(shape: Shape, box: Float[Tensor, "2 3"]) -> Float[Tensor, "x y z 3"]:
    low, high = box
    axes = [
        low[axis] + (high[axis] - low[axis]) * torch.linspace(0, 1, count, device=box.device)
        for axis, count in enumerate(shape)
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)


def _make_room(module: DenseGrid, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Lets a checkpoint with a finer grid be loaded: the table takes its size."""
    saved = state.get(prefix + "table")
    if saved is not None and saved.shape != module.table.shape:
        module.table.data = module.table.new_zeros(saved.shape)
