"""Random numbers of a step: each member's own, from its own generator, as if it trained alone.

They are written to tensors that stay where they are, one row a slot, which the step of the batch
reads. Their order is that of TrainingRays.draw and Nerf.forward: pixels, background; then for each
chunk of rays jitter, noise, and of a fine pass the arguments of the inverse CDF and noise again.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from nerf.training.run import TrainingRun


class Draws:
    """The random numbers of all slots for one step."""

    def __init__(self, run: TrainingRun, slots: int, chunk_rays: int) -> None:
        """For members like `run`, whose steps are split into chunks of `chunk_rays` rays."""
        sampling, rays = run.config.sampling, run.config.optimisation.rays
        self._chunk_rays = chunk_rays
        self.rays = rays
        device = run.rays.device

        def zeros(*size: int) -> Tensor:
            return torch.zeros(slots, rays, *size, device=device)

        self.pixel = torch.zeros(slots, rays, dtype=torch.int64, device=device)
        self.background = zeros(3)
        self.jitter = zeros(sampling.coarse)
        """Place of each coarse sample within its stratum, in [0, 1)."""
        self.u = zeros(sampling.fine)
        """Arguments of the inverse CDF for the fine samples, in [0, 1]."""
        samples = (sampling.coarse, sampling.coarse + sampling.fine)
        self.noise = [zeros(samples[number]) for number in range(len(run.model.passes()))]
        """Added to the raw density in each pass."""

    def load(self, slot: int, run: TrainingRun) -> None:
        """Fills a slot with what its new member does not draw."""
        self.background[slot].copy_(run.rays.pixels.background.expand(self.rays, 3))
        self.jitter[slot].fill_(0.5)
        even = torch.linspace(0.0, 1.0, self.u.shape[-1], device=self.u.device)
        self.u[slot].copy_(even.expand_as(self.u[slot]))
        for noise in self.noise:
            noise[slot].zero_()

    def draw(self, slot: int, run: TrainingRun, generator: Generator) -> None:
        """Draws the numbers of the run's next step into a slot; never waits for the device."""
        pixel = run.rays.draw_pixels(self.rays, generator, run.step.is_cropped())
        self.pixel[slot].copy_(pixel)
        if run.rays.random_background:
            self.background[slot].uniform_(generator=generator)
        scale = run.config.optimisation.density_noise
        for part in self.chunks():
            if run.config.sampling.jitter:
                self.jitter[slot, part].uniform_(generator=generator)
            for number, noise in enumerate(self.noise):
                if number and run.config.sampling.jitter:
                    self.u[slot, part].uniform_(generator=generator)
                if scale:
                    noise[slot, part].normal_(generator=generator).mul_(scale)

    def chunks(self) -> Iterator[slice]:
        """The rays that are rendered at once, as parts of a slot's."""
        for start in range(0, self.rays, self._chunk_rays):
            yield slice(start, min(start + self._chunk_rays, self.rays))
