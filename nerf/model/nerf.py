"""Rays to renderings: samples, field and compositing put together, in one pass or two.

rays     origins and unit directions, (rays, 3), world coordinates
t        (rays, samples)      sorted distances of the samples along their rays, scene units
u        (rays, samples)      the same in the coordinate of sampling.spacing
t_edges  (rays, samples + 1)  ends of the intervals that the samples stand for
density  (rays, samples)      >= 0, per scene unit
rgb      (rays, samples, 3)   in [0, 1], of field.colour_space
"""

from __future__ import annotations

import dataclasses
from typing import cast

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from nerf.config.schema import NerfConfig
from nerf.model.colour_space import colour_space
from nerf.model.contraction import contraction_radius
from nerf.model.field import RadianceField
from nerf.model.grid_stages import grid_stages
from nerf.model.hash_encoding import UNIT_BOX
from nerf.model.occupancy import OccupancyGrid
from nerf.model.point_field import PointField
from nerf.model.rendering import Rendering, composite
from nerf.model.sampling import refined_samples
from nerf.model.spacing import coarse_samples, place_samples
from nerf.model.voxel_field import VoxelField


class Nerf(nn.Module):
    """A coarse field and, if `sampling.fine` > 0, a second, fine one (Sec. 5.2, arXiv:2003.08934).

    `box` holds its lowest and highest corner and encloses every training ray between near and
    far, contracted if the config says so. It is saved with the model, so a model about to load a
    checkpoint may leave it out.
    """

    def __init__(
        self, config: NerfConfig, generator: Generator, box: Float[Tensor, "2 3"] = UNIT_BOX
    ) -> None:
        super().__init__()
        self.config = config
        self.sampling = config.sampling
        """As configured, until `set_coarse_samples` or a viewer changes it."""
        self.colour_space = colour_space(config)
        self.coarse = _new_field(config, generator, box)
        self.fine = _new_field(config, generator, box) if config.sampling.fine else None
        cells, radius = config.compute.occupancy, contraction_radius(config.encoding)
        self.grids = nn.ModuleDict(
            {
                name: OccupancyGrid(cells, box, samples, self._distance(), radius)
                for name, samples in self._samples().items()
            }
            if cells
            else {}
        )

    def passes(self) -> dict[str, PointField]:
        """The field of each pass by the pass's name, in rendering order."""
        if self.fine is None:
            return {"only": self.coarse}
        return {"coarse": self.coarse, "fine": self.fine}

    def set_coarse_samples(self, coarse: int) -> None:
        """Places so many coarse samples on a ray from now on, instead of those of the config."""
        self.sampling = dataclasses.replace(self.sampling, coarse=coarse)
        for grid, samples in zip(self.occupancy_grids(), self._samples().values(), strict=False):
            grid.set_samples(samples, self._distance())

    def _samples(self) -> dict[str, int]:
        """Samples on a ray of each pass; the fine pass renders those of the coarse one, too."""
        coarse, fine = self.sampling.coarse, self.sampling.fine
        return dict(zip(self.passes(), (coarse, coarse + fine), strict=False))

    def _distance(self) -> float | None:
        """About the distance between coarse samples; None if it varies along a ray."""
        sampling = self.sampling
        return sampling.span / sampling.coarse if sampling.spacing == "linear" else None

    def voxel_fields(self) -> list[VoxelField]:
        """The fields that are voxels, in rendering order: all of them or none."""
        return [field for field in self.passes().values() if isinstance(field, VoxelField)]

    def occupancy_grids(self) -> list[OccupancyGrid]:
        """The grid of each pass, in rendering order; empty if `compute.occupancy` is 0."""
        return [cast(OccupancyGrid, grid) for grid in self.grids.values()]

    def forward(
        self,
        origins: Float[Tensor, "rays 3"],
        directions: Float[Tensor, "rays 3"],
        background: Float[Tensor, "*each 3"],
        generator: Generator | None = None,
        step: Tensor | None = None,
    ) -> tuple[Rendering, ...]:
        """The coarse rendering, followed by the fine one if the config has fine samples.

        A `generator` jitters the samples and adds density noise as configured for training;
        without one, rendering is deterministic. `step`, a scalar tensor, is the number of training
        steps done; passing it updates the occupancy grids.
        """
        sampling = self.sampling
        jitter = generator if sampling.jitter else None
        names = list(self.passes())
        u = coarse_samples(sampling, len(origins), jitter, origins.device)
        coarse = self._render(names[0], origins, directions, u, background, generator, step)
        if len(names) == 1:
            return (coarse,)
        # Detached: the fine pass does not train the coarse one through the sample positions.
        u = refined_samples(u, coarse.weights.detach(), sampling.fine, jitter)
        fine = self._render(names[1], origins, directions, u, background, generator, step)
        return coarse, fine

    def _render(
        self,
        name: str,
        origins: Tensor,
        directions: Tensor,
        u: Tensor,
        background: Tensor,
        generator: Generator | None,
        step: Tensor | None,
    ) -> Rendering:
        """One pass: queries its field at the samples `u` and composites them along each ray."""
        t, t_edges = place_samples(self.sampling, u)
        noise = self._density_noise(t, generator)
        if name in self.grids:
            density, rgb = self._query_occupied(name, origins, directions, t, t_edges, noise, step)
        else:
            density, rgb = self._query_all(name, origins, directions, t, noise)
        return composite(density, rgb, t, t_edges, background, self.colour_space)

    def _query_all(
        self, name: str, origins: Tensor, directions: Tensor, t: Tensor, noise: Tensor
    ) -> tuple[Float[Tensor, "rays samples"], Float[Tensor, "rays samples 3"]]:
        """Density and colour of every sample."""
        field = self.passes()[name]
        positions = origins[:, None] + t[..., None] * directions[:, None]
        raw_density, rgb = field(positions, directions)
        return field.density_activation(raw_density + noise), rgb

    def _query_occupied(
        self,
        name: str,
        origins: Tensor,
        directions: Tensor,
        t: Tensor,
        t_edges: Tensor,
        noise: Tensor,
        step: Tensor | None,
    ) -> tuple[Float[Tensor, "rays samples"], Float[Tensor, "rays samples 3"]]:
        """Density and colour of the samples that the occupancy grid selects; zeros elsewhere.

        In training (with `step`), the grid also observes the densities that come back.
        """
        field, grid = self.passes()[name], cast(OccupancyGrid, self.grids[name])
        cell = grid.cell_of(origins, directions, t)
        # Indices into the flattened (rays, samples) batch; points = len(selected) from here on.
        lengths = t_edges.diff(dim=-1)
        visible = grid.visibility(cell, lengths)
        selected = grid.select(visible, step)
        ray = selected // t.shape[1]

        # Gather the selected samples into a flat batch of points and query the field there.
        distance = t.flatten().index_select(0, selected)[:, None]
        positions = origins.index_select(0, ray) + distance * directions.index_select(0, ray)
        raw_density, rgb = field.query_points(positions, directions, ray)
        noise = noise.expand_as(t).flatten().index_select(0, selected)
        density = field.density_activation(raw_density + noise)
        if step is not None:
            occs = density
            if not grid.equal_lengths:
                occs = density * lengths.flatten().index_select(0, selected)
            grid.observe(cell.flatten().index_select(0, selected), density, occs)
        else:
            # What only fills up the batch counts as empty: an image is the same in any chunks.
            density = density * visible.flatten().index_select(0, selected)

        # Scatter the points back: a sample that was skipped counts as empty space.
        density = density.new_zeros(t.numel()).index_copy(0, selected, density).view(t.shape)
        rgb = rgb.new_zeros(t.numel(), 3).index_copy(0, selected, rgb).view(*t.shape, 3)
        return density, rgb

    def _density_noise(self, t: Tensor, generator: Generator | None) -> Tensor:
        """Gaussian noise for the raw density of training samples; one broadcastable zero if off."""
        scale = self.config.optimisation.density_noise
        if generator is None or not scale:
            return t.new_zeros(1, 1)
        return scale * torch.randn(t.shape, generator=generator, device=t.device)


def _new_field(config: NerfConfig, generator: Generator, box: Float[Tensor, "2 3"]) -> PointField:
    """A field of the configured kind; only a network draws from the generator."""
    if config.field.kind == "voxels":
        return VoxelField(config, grid_stages(config)[0].cells, box)
    return RadianceField(config, generator, box)
