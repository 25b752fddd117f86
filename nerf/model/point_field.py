"""What a radiance field is to those who render and watch it: density and colour of points."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from nerf.config.schema import NerfConfig
from nerf.model.activations import colour_activation, density_activation, initial_raw_density


class PointField(nn.Module, ABC):
    """A field with the activations that `config` names.

    Only the colour depends on the direction, so a point has the same density from every side.
    """

    def __init__(self, config: NerfConfig) -> None:
        super().__init__()
        self.config = config.field
        self.density_activation = density_activation(config)
        self.colour_activation = colour_activation(config)
        self.initial_raw_density = (
            initial_raw_density(config) if self.config.initial_density else 0.0
        )
        """The raw density that gives `initial_density`; 0 where that is 0."""

    def forward(
        self, positions: Float[Tensor, "rays samples 3"], directions: Float[Tensor, "rays 3"]
    ) -> tuple[Float[Tensor, "rays samples"], Float[Tensor, "rays samples 3"]]:
        """Raw density (before its activation) and colour in [0, 1] of every sample of every ray."""
        rays, samples, _ = positions.shape
        ray = torch.arange(rays, device=positions.device).repeat_interleave(samples)
        raw_density, rgb = self.query_points(positions.flatten(0, 1), directions, ray)
        return raw_density.view(rays, samples), rgb.view(rays, samples, 3)

    @abstractmethod
    def query_points(
        self,
        positions: Float[Tensor, "points 3"],
        directions: Float[Tensor, "rays 3"],
        ray: Int[Tensor, " points"],
    ) -> tuple[Float[Tensor, " points"], Float[Tensor, "points 3"]]:
        """Raw density and colour of single points, each with the direction of its ray."""

    @abstractmethod
    def watched_gradients(self) -> dict[str, list[Tensor]]:
        """The gradients of each part ("density", "position") that it needs to learn a shape.

        A part is alive if any of its gradients is.
        """
