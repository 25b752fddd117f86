"""Random batches of training rays: pixels are drawn, then their rays and colours looked up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from nerf.common.errors import InputError
from nerf.config.schema import Crop, Optimisation
from nerf.scenes.backdrop import Windows, content_windows
from nerf.scenes.scene import Scene
from nerf.training.pixels import Pixels
from nerf.training.valid_pixels import ValidPixels

CENTRE_SHARE = 0.5
"""Share of height and width of a crop to the centre (precrop_frac of nerf-pytorch)."""


@dataclass(frozen=True)
class Batch:
    """Rays with the colours that they should render to over `background`: one, or one a ray."""

    origins: Float[Tensor, "rays 3"]
    directions: Float[Tensor, "rays 3"]
    rgb: Float[Tensor, "rays 3"]
    background: Float[Tensor, "*each 3"]

    def split(self, rays: int) -> Iterator[Batch]:
        """Yields the same rays in parts of at most `rays`."""
        for start in range(0, len(self.rgb), rays):
            part = slice(start, start + rays)
            background = self.background[part] if self.background.ndim > 1 else self.background
            yield Batch(self.origins[part], self.directions[part], self.rgb[part], background)


@dataclass(frozen=True)
class TrainingRays:
    """The pixels that a run is trained on, and which of them it draws."""

    pixels: Pixels
    crop: Crop
    windows: Int[Tensor, "views 4"]
    """Top, left, height and width of the box of each view that holds its content."""
    valid: ValidPixels | None
    """Those that no mask leaves out; `valid_in_crop` are in the part in `crop`."""
    valid_in_crop: ValidPixels | None
    random_background: bool
    """Replace the background by a random colour for each ray drawn."""

    @staticmethod
    def of(
        scene: Scene, config: Optimisation | None = None, device: torch.device | str = "cpu"
    ) -> TrainingRays:
        """The rays of the training views that `config` uses, by default of all, on `device`.

        Raises `InputError` if `config.background` needs alphas that the scene does not have, if it
        has fewer than `config.views`, or if masks leave nothing of them.
        """
        config = config or Optimisation()
        if config.background == "random":
            scene.require_alphas(config.background)
        views = spread_views(scene, config.views)
        valid = ValidPixels.of(scene.images, views, device)
        if scene.images.valid is not None and valid is None:
            raise InputError(
                f"the masks of {scene.name} leave no pixel of {len(views)} training views; check "
                "which colour they leave out, or raise optimisation.views"
            )
        windows = _crop_windows(scene, views, config)
        return TrainingRays(
            pixels=Pixels.of(scene, views, config.background, device),
            crop=config.crop,
            windows=torch.tensor(windows, device=device),
            valid=valid,
            valid_in_crop=ValidPixels.of(scene.images, views, device, windows) or valid,
            random_background=config.background == "random",
        )

    @property
    def device(self) -> torch.device:
        return self.pixels.origins.device

    def draw(self, rays: int, generator: Generator, cropped: bool = False) -> Batch:
        """Draws rays uniformly, with replacement; `cropped` ones from the part in `crop`."""
        pixel = self.draw_pixels(rays, generator, cropped)
        origins, directions, rgb, share = self.pixels.look_up(pixel)
        background = self.pixels.background
        if self.random_background and share is not None:
            background = torch.rand(rays, 3, generator=generator, device=self.device)
            # rgb = alpha c + (1 - alpha) old, so this is alpha c + (1 - alpha) new.
            rgb = rgb + share[:, None] * (background - self.pixels.background)
        return Batch(origins, directions, rgb, background)

    def draw_pixels(self, rays: int, generator: Generator, cropped: bool) -> Int[Tensor, " rays"]:
        """Draws indices of pixels, as `draw` does."""
        device, pixels = self.device, self.pixels
        valid = self.valid_in_crop if cropped else self.valid
        if valid:
            return valid.draw(rays, generator)
        if not cropped:
            return torch.randint(len(pixels), (rays,), generator=generator, device=device)
        views = len(pixels.origins)
        view = torch.randint(views, (rays,), generator=generator, device=device)
        if self.crop == "centre":  # all windows are equal; draws are those of earlier versions
            top, left, height, width = _centre_window(pixels.height, pixels.width)
            row = top + torch.randint(height, (rays,), generator=generator, device=device)
            column = left + torch.randint(width, (rays,), generator=generator, device=device)
            return (view * pixels.height + row) * pixels.width + column
        first_row, first_column, rows, columns = self.windows.index_select(0, view).unbind(-1)
        # In [0, 1), so that rounding down never gives the first row or column past the window.
        across = torch.rand(2, rays, generator=generator, device=device, dtype=torch.float64)
        row = first_row + (across[0] * rows).long()
        column = first_column + (across[1] * columns).long()
        return (view * pixels.height + row) * pixels.width + column


def _crop_windows(scene: Scene, views: list[int], config: Optimisation) -> Windows:
    """The box of each view that cropped steps draw from; the whole image if there are none."""
    if config.crop == "content" and config.crop_steps:
        return content_windows(scene, views)
    window = (0, 0, scene.height, scene.width)
    if config.crop == "centre":
        window = _centre_window(scene.height, scene.width)
    return np.tile(window, (len(views), 1))


def _centre_window(height: int, width: int) -> tuple[int, int, int, int]:
    """Top, left, height and width of the middle of an image."""
    cropped = max(int(height * CENTRE_SHARE), 1), max(int(width * CENTRE_SHARE), 1)
    return (height - cropped[0]) // 2, (width - cropped[1]) // 2, *cropped


def spread_views(scene: Scene, count: int) -> list[int]:
    """`count` of the training views (0: all), spread evenly over their order.

    Raises `InputError` if the scene has fewer.
    """
    available = len(scene.train)
    if count > available:
        raise InputError(
            f"optimisation.views={count}, but {scene.name} has {available} training views; "
            "lower it, or set 0 for all of them"
        )
    count = count or available
    return [scene.train[number * available // count] for number in range(count)]


def bounding_box(rays: TrainingRays, near: float, far: float) -> Float[Tensor, "2 3"]:
    """A box around all rays between near and far: lowest and highest corner, on the CPU."""
    pixels = rays.pixels
    # A coordinate is origin + t * direction, so it is extreme at near or far and at the extreme
    # direction of the view.
    ends = [
        pixels.origins + distance * extreme
        for distance in (near, far)
        for extreme in pixels.extremes.unbind(1)
    ]
    return torch.stack((torch.cat(ends).amin(0), torch.cat(ends).amax(0))).cpu()
