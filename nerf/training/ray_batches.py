"""All training rays on the device, a batch of them drawn with one gather."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Generator, Tensor

from nerf.common.errors import InputError
from nerf.config.schema import TrainingBackground
from nerf.scenes.cameras.pixel_rays import view_directions
from nerf.scenes.scene import Scene

CROP_SHARE = 0.5
"""Share of height and width that the first, cropped steps see (nerf-pytorch's precrop_frac)."""


@dataclass(frozen=True)
class Batch:
    """Rays with the colours they should show, before the background that they are shown on."""

    origins: Float[Tensor, "rays 3"]
    directions: Float[Tensor, "rays 3"]
    rgb: Float[Tensor, "rays 3"]
    background: Float[Tensor, "*each 3"]

    def split(self, rays: int) -> Iterator[Batch]:
        """The same rays, at most so many at once."""
        for start in range(0, len(self.rgb), rays):
            part = slice(start, start + rays)
            background = self.background[part] if self.background.ndim > 1 else self.background
            yield Batch(self.origins[part], self.directions[part], self.rgb[part], background)


@dataclass(frozen=True)
class TrainingRays:
    """The rays of every training pixel: views x height x width, flattened."""

    origins: Float[Tensor, "views 3"]
    directions: Float[Tensor, "pixels 3"]
    rgb: Float[Tensor, "pixels 3"]
    """Over `background`."""
    beyond: Float[Tensor, " pixels"] | None
    """The share of each pixel that shows the background, where the scene knows it."""
    background: Float[Tensor, " 3"]
    height: int
    width: int
    random_background: bool

    @staticmethod
    def of(
        scene: Scene,
        behind: TrainingBackground = "scene",
        device: torch.device | str = "cpu",
        count: int = 0,
    ) -> TrainingRays:
        """The rays of `count` of a scene's training views, or of all for 0.

        Raises `InputError` where `behind` needs alphas, and where the scene has fewer views.
        """
        if behind in ("white", "black"):
            scene = scene.with_background(behind)
        if behind == "random":
            scene.require_alphas(behind)
        views = spread_views(scene, count)
        directions = np.stack([view_directions(scene, view) for view in views])
        beyond = None if scene.alphas is None else 1 - scene.alphas[views].reshape(-1)

        def tensor(array: NDArray[np.float32]) -> Tensor:
            return torch.tensor(array, device=device)

        return TrainingRays(
            origins=tensor(scene.world_from_camera[views, :3, 3]),
            directions=tensor(directions.reshape(-1, 3)),
            rgb=tensor(scene.images[views].reshape(-1, 3)),
            beyond=None if beyond is None else tensor(beyond),
            background=tensor(scene.background),
            height=scene.height,
            width=scene.width,
            random_background=behind == "random",
        )

    def draw(self, rays: int, generator: Generator, cropped: bool = False) -> Batch:
        """Pixels drawn uniformly, with replacement."""
        pixel = self._pixels(rays, generator, cropped)
        view = pixel // (self.height * self.width)
        rgb, background = self.rgb[pixel], self.background
        if self.random_background and self.beyond is not None:
            background = torch.rand(rays, 3, generator=generator, device=rgb.device)
            rgb = rgb + self.beyond[pixel, None] * (background - self.background)
        return Batch(self.origins[view], self.directions[pixel], rgb, background)

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


def spread_views(scene: Scene, count: int) -> list[int]:
    """`count` of the training views, evenly apart in their order; all of them for 0.

    Raises `InputError` where the scene has fewer.
    """
    available = len(scene.train)
    if count > available:
        raise InputError(
            f"optimisation.views={count}, but {scene.name} has {available} training views; "
            "lower it, or leave it at 0 for all of them"
        )
    count = count or available
    return [scene.train[number * available // count] for number in range(count)]


def seen_box(rays: TrainingRays, near: float, far: float) -> Float[Tensor, "2 3"]:
    """Lowest and highest corner, on the CPU, of all that the rays cross between near and far."""
    directions = rays.directions.view(len(rays.origins), -1, 3)
    ends = [
        rays.origins + distance * extreme
        for distance in (near, far)
        for extreme in (directions.amin(1), directions.amax(1))
    ]
    return torch.stack((torch.cat(ends).amin(0), torch.cat(ends).amax(0))).cpu()
