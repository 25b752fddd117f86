"""All training rays on the device, a batch of them drawn with one gather."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from nerf.cameras import view_directions
from nerf.scenes.scene import Scene
from nerf.shapes import Float

CROP_SHARE = 0.5
"""Share of height and width that the first, cropped steps see (nerf-pytorch's precrop_frac)."""


@dataclass(frozen=True)
class TrainingRays:
    """The rays of every training pixel: views x height x width, flattened."""

    origins: Float[Tensor, "views 3"]
    directions: Float[Tensor, "pixels 3"]
    rgb: Float[Tensor, "pixels 3"]
    height: int
    width: int

    @staticmethod
    def of(scene: Scene, device: torch.device | str = "cpu") -> TrainingRays:
        views = list(scene.train)
        directions = np.stack([view_directions(scene, view) for view in views])
        return TrainingRays(
            torch.tensor(scene.world_from_camera[views, :3, 3], device=device),
            torch.tensor(directions.reshape(-1, 3), device=device),
            torch.tensor(scene.images[views].reshape(-1, 3), device=device),
            scene.height,
            scene.width,
        )

    def draw(
        self, rays: int, generator: Generator, cropped: bool = False
    ) -> tuple[Float[Tensor, "rays 3"], Float[Tensor, "rays 3"], Float[Tensor, "rays 3"]]:
        """Origins, directions and colours of pixels drawn uniformly, with replacement."""
        pixel = self._pixels(rays, generator, cropped)
        view = pixel // (self.height * self.width)
        return self.origins[view], self.directions[pixel], self.rgb[pixel]

    def _pixels(self, rays: int, generator: Generator, cropped: bool) -> Tensor:
        device = self.rgb.device
        if not cropped:
            return torch.randint(len(self.rgb), (rays,), generator=generator, device=device)

        def within(size: int) -> Tensor:
            kept = max(int(size * CROP_SHARE), 1)
            first = (size - kept) // 2
            return first + torch.randint(kept, (rays,), generator=generator, device=device)

        view = torch.randint(len(self.origins), (rays,), generator=generator, device=device)
        return (view * self.height + within(self.height)) * self.width + within(self.width)
