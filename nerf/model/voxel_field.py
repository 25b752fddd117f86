"""A radiance field without a network: a grid of densities and of spherical harmonics of colour.

After Plenoxels (arXiv:2112.05131) and DVGO (arXiv:2111.11215). A point's raw density and its
coefficients c_k of each colour channel are interpolated from the grid; the colour seen from the
direction d is the activation of sum_k c_k Y_k(d), with Y_k the spherical harmonics. The activation
of density follows the interpolation, so that a surface may lie within a cell (DVGO, Sec. 4).
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nerf.config.schema import NerfConfig
from nerf.model.contraction import contract, contraction_radius
from nerf.model.dense_grid import DenseGrid
from nerf.model.point_field import PointField
from nerf.model.spherical_harmonics import harmonics_count, spherical_harmonics

EMPTY_RAW_DENSITY = -20.0
"""Raw density outside the grid: at most 2e-9 per scene unit, whatever the activation."""


class VoxelField(PointField):
    """A grid of `cells` that covers `box`, of contracted positions if the config says so."""

    def __init__(
        self,
        config: NerfConfig,
        cells: int,
        box: Float[Tensor, "2 3"],
    ) -> None:
        super().__init__(config)
        self.degree = config.grid.degree
        self.contraction_radius = contraction_radius(config.encoding)
        self.harmonics = harmonics_count(self.degree)
        self.grid = DenseGrid(cells, 1 + 3 * self.harmonics, box)

    def query_points(
        self,
        positions: Float[Tensor, "points 3"],
        directions: Float[Tensor, "rays 3"],
        ray: Int[Tensor, " points"],
    ) -> tuple[Float[Tensor, " points"], Float[Tensor, "points 3"]]:
        if self.contraction_radius is not None:
            positions = contract(positions, self.contraction_radius)
        features, inside = self.grid(positions)
        # The grid holds differences to the initial density.
        raw_density = features[:, 0] + self.initial_raw_density
        raw_density = torch.where(inside, raw_density, EMPTY_RAW_DENSITY)
        # Repeated for the channels: the product is then one of whole rows, which is faster.
        basis = spherical_harmonics(directions, self.degree).repeat(1, 3).index_select(0, ray)
        terms = (features[:, 1:] * basis).view(-1, 3, self.harmonics)
        return raw_density, self.colour_activation(terms.sum(-1))

    def watched_gradients(self) -> dict[str, list[Tensor]]:
        gradient = self.grid.table.grad
        return {} if gradient is None else {"density": [gradient[:, 0]]}
