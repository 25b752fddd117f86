"""Rays to renderings: samples, field and compositing put together, in one pass or two."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from nerf.config import NerfConfig
from nerf.field import RadianceField
from nerf.rendering import Rendering, composite
from nerf.sampling import edges_around, refined_samples, stratified_samples
from nerf.shapes import Float


class Nerf(nn.Module):
    """A coarse field and, where `sampling.fine` asks for one, a fine field beside it (Sec. 5.2)."""

    def __init__(self, config: NerfConfig, generator: Generator) -> None:
        super().__init__()
        self.config = config

        def field() -> RadianceField:
            return RadianceField(config.field, config.encoding, config.compute.precision, generator)

        self.coarse = field()
        self.fine = field() if config.sampling.fine else None

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
    ) -> tuple[Rendering, ...]:
        """The coarse rendering and, with fine samples, the fine one after it.

        With a `generator` the samples are jittered and the density noised as the config asks for
        training; without one nothing is random.
        """
        sampling = self.config.sampling
        jitter = generator if sampling.jitter else None
        t = stratified_samples(
            sampling.near, sampling.far, len(origins), sampling.coarse, jitter, origins.device
        )
        coarse = self._render(self.coarse, origins, directions, t, background, generator)
        if self.fine is None:
            return (coarse,)
        t = refined_samples(t, coarse.weights.detach(), sampling.fine, jitter)
        return coarse, self._render(self.fine, origins, directions, t, background, generator)

    def _render(
        self,
        field: RadianceField,
        origins: Tensor,
        directions: Tensor,
        t: Tensor,
        background: Tensor,
        generator: Generator | None,
    ) -> Rendering:
        positions = origins[:, None] + t[..., None] * directions[:, None]
        raw_density, rgb = field(positions, directions)
        noise = self.config.optimisation.density_noise
        if generator is not None and noise:
            raw_density = raw_density + noise * torch.randn(
                raw_density.shape, generator=generator, device=raw_density.device
            )
        edges = edges_around(t, self.config.sampling.near, self.config.sampling.far)
        return composite(field.density_activation(raw_density), rgb, t, edges, background)
