"""Rays to renderings: samples, field and compositing put together, in one pass or two."""

from __future__ import annotations

from typing import cast

import torch
from torch import Generator, Tensor, nn

from nerf.common.shapes import Float
from nerf.config.schema import NerfConfig
from nerf.model.field import RadianceField
from nerf.model.hash_encoding import UNIT_BOX
from nerf.model.occupancy import Occupancy
from nerf.model.rendering import Rendering, composite
from nerf.model.sampling import edges_around, refined_samples, stratified_samples


class Nerf(nn.Module):
    """A coarse field and, where `sampling.fine` asks for one, a fine field beside it (Sec. 5.2).

    `box` holds all that the training rays cross between near and far; a model that is to take up
    a checkpoint finds it there.
    """

    def __init__(
        self, config: NerfConfig, generator: Generator, box: Float[Tensor, "2 3"] = UNIT_BOX
    ) -> None:
        super().__init__()
        self.config = config

        def field() -> RadianceField:
            precision = config.compute.precision
            return RadianceField(config.field, config.encoding, precision, generator, box)

        self.coarse = field()
        self.fine = field() if config.sampling.fine else None
        sampling, cells = config.sampling, config.compute.occupancy
        samples = {"only": sampling.coarse, "coarse": sampling.coarse}
        samples["fine"] = sampling.coarse + sampling.fine
        delta = sampling.span / sampling.coarse
        self.grids = nn.ModuleDict(
            {name: Occupancy(cells, box, samples[name], delta) for name in self.passes()}
            if cells
            else {}
        )

    def passes(self) -> dict[str, RadianceField]:
        """The field of each pass by its name, in the order in which they run."""
        if self.fine is None:
            return {"only": self.coarse}
        return {"coarse": self.coarse, "fine": self.fine}

    def forward(
        self,
        origins: Float[Tensor, "rays 3"],
        directions: Float[Tensor, "rays 3"],
        background: Float[Tensor, "*each 3"],
        generator: Generator | None = None,
        turn: Tensor | None = None,
    ) -> tuple[Rendering, ...]:
        """The coarse rendering and, with fine samples, the fine one after it.

        With a `generator` the samples are jittered and the density noised as the config asks for
        training; without one nothing is random. `turn`, a scalar, counts the training steps:
        with it the grids of empty space learn.
        """
        sampling = self.config.sampling
        jitter = generator if sampling.jitter else None
        names = list(self.passes())
        t = stratified_samples(
            sampling.near, sampling.far, len(origins), sampling.coarse, jitter, origins.device
        )
        coarse = self._render(names[0], origins, directions, t, background, generator, turn)
        if len(names) == 1:
            return (coarse,)
        t = refined_samples(t, coarse.weights.detach(), sampling.fine, jitter)
        fine = self._render(names[1], origins, directions, t, background, generator, turn)
        return coarse, fine

    def occupancies(self) -> list[Occupancy]:
        """The grid of each pass, in their order; none where the config wants none."""
        return [cast(Occupancy, grid) for grid in self.grids.values()]

    def _render(
        self,
        name: str,
        origins: Tensor,
        directions: Tensor,
        t: Tensor,
        background: Tensor,
        generator: Generator | None,
        turn: Tensor | None,
    ) -> Rendering:
        field, noise = self.passes()[name], self._noise(t, generator)
        edges = edges_around(t, self.config.sampling.near, self.config.sampling.far)
        if name not in self.grids:
            positions = origins[:, None] + t[..., None] * directions[:, None]
            raw_density, rgb = field(positions, directions)
            density = field.density_activation(raw_density + noise)
            return composite(density, rgb, t, edges, background)
        grid = cast(Occupancy, self.grids[name])
        cell = grid.cell_of(origins, directions, t)
        asked = grid.chosen(cell, edges.diff(dim=-1), turn)
        ray = asked // t.shape[1]
        along = t.flatten().index_select(0, asked)[:, None]
        positions = origins.index_select(0, ray) + along * directions.index_select(0, ray)
        raw_density, rgb = field.at(positions, directions, ray)
        noise = noise.expand_as(t).flatten().index_select(0, asked)
        density = field.density_activation(raw_density + noise)
        if turn is not None:
            grid.learn(cell.flatten().index_select(0, asked), density)
        density = density.new_zeros(t.numel()).index_copy(0, asked, density).view(t.shape)
        rgb = rgb.new_zeros(t.numel(), 3).index_copy(0, asked, rgb).view(*t.shape, 3)
        return composite(density, rgb, t, edges, background)

    def _noise(self, t: Tensor, generator: Generator | None) -> Tensor:
        """What is added to the raw density of training samples; a zero where nothing is."""
        scale = self.config.optimisation.density_noise
        if generator is None or not scale:
            return t.new_zeros(1, 1)
        return scale * torch.randn(t.shape, generator=generator, device=t.device)
