"""Random batches of training rays: all rays are on the device, a batch is one gather.

view     index of an image among those that are trained on
pixel    index into all their pixels, (view * height + row) * width + column
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from weakref import WeakValueDictionary

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Generator, Tensor

from nerf.common.errors import InputError
from nerf.config.schema import Crop, Optimisation
from nerf.scenes.backdrop import Windows, content_windows
from nerf.scenes.cameras.pixel_rays import view_directions
from nerf.scenes.scene import Scene

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


@dataclass(frozen=True, eq=False)
class Pixels:
    """The ray and colour of every training pixel: views x height x width, flattened."""

    origins: Float[Tensor, "views 3"]
    directions: Float[Tensor, "pixels 3"]
    rgb: Float[Tensor, "pixels 3"]
    """Colours composited over `background`."""
    background_share: Float[Tensor, " pixels"] | None
    """1 - alpha, or None if the scene has no alphas."""
    background: Float[Tensor, " 3"]
    height: int
    width: int


_SHARED: WeakValueDictionary[Hashable, Pixels] = WeakValueDictionary()
"""The pixels in use, which the runs of one process share: they may take much of a GPU's memory."""


@dataclass(frozen=True)
class TrainingRays:
    """The pixels that a run is trained on, and which of them it draws."""

    pixels: Pixels
    crop: Crop
    windows: Int[Tensor, "views 4"]
    """Top, left, height and width of the box of each view that holds its content."""
    random_background: bool
    """Replace the background by a random colour for each ray drawn."""

    @staticmethod
    def of(
        scene: Scene, config: Optimisation | None = None, device: torch.device | str = "cpu"
    ) -> TrainingRays:
        """The rays of the training views that `config` uses, by default of all, on `device`.

        Raises `InputError` if `config.background` needs alphas that the scene does not have, or if
        it has fewer than `config.views`.
        """
        config = config or Optimisation()
        background = config.background
        if background in ("white", "black"):
            scene = scene.with_background(background)
        if background == "random":
            scene.require_alphas(background)
        views = spread_views(scene, config.views)
        key = (scene.content_hash, *views, str(device))
        pixels = _SHARED.get(key)
        if pixels is None:
            pixels = _SHARED[key] = _load_pixels(scene, views, device)
        return TrainingRays(
            pixels=pixels,
            crop=config.crop,
            windows=torch.tensor(_crop_windows(scene, views, config), device=device),
            random_background=background == "random",
        )

    @property
    def origins(self) -> Float[Tensor, "views 3"]:
        return self.pixels.origins

    @property
    def directions(self) -> Float[Tensor, "pixels 3"]:
        return self.pixels.directions

    @property
    def rgb(self) -> Float[Tensor, "pixels 3"]:
        return self.pixels.rgb

    def draw(self, rays: int, generator: Generator, cropped: bool = False) -> Batch:
        """Draws rays uniformly, with replacement; `cropped` ones from the part in `crop`."""
        pixel = self.draw_pixels(rays, generator, cropped)
        pixels = self.pixels
        view = pixel // (pixels.height * pixels.width)
        rgb, background = self.rgb[pixel], pixels.background
        if self.random_background and pixels.background_share is not None:
            background = torch.rand(rays, 3, generator=generator, device=rgb.device)
            # rgb = alpha c + (1 - alpha) old, so this is alpha c + (1 - alpha) new.
            rgb = rgb + pixels.background_share[pixel, None] * (background - pixels.background)
        return Batch(self.origins[view], self.directions[pixel], rgb, background)

    def draw_pixels(self, rays: int, generator: Generator, cropped: bool) -> Int[Tensor, " rays"]:
        """Draws indices of pixels, as `draw` does."""
        device = self.rgb.device
        if not cropped:
            return torch.randint(len(self.rgb), (rays,), generator=generator, device=device)

        height, width = self.pixels.height, self.pixels.width
        view = torch.randint(len(self.origins), (rays,), generator=generator, device=device)
        if self.crop == "centre":  # all windows are equal; draws are those of earlier versions
            (top, left), (rows, columns) = _centre_window(height, width)
            row = top + torch.randint(rows, (rays,), generator=generator, device=device)
            column = left + torch.randint(columns, (rays,), generator=generator, device=device)
            return (view * height + row) * width + column
        first_row, first_column, window_rows, window_columns = self.windows.index_select(
            0, view
        ).unbind(-1)
        # In [0, 1), so that rounding down never gives the first row or column past the window.
        across = torch.rand(2, rays, generator=generator, device=device, dtype=torch.float64)
        row = first_row + (across[0] * window_rows).long()
        column = first_column + (across[1] * window_columns).long()
        return (view * height + row) * width + column


def _load_pixels(scene: Scene, views: list[int], device: torch.device | str) -> Pixels:
    """The pixels of the training `views`, copied to `device`."""
    directions = np.stack([view_directions(scene, view) for view in views])
    background_share = None if scene.alphas is None else 1 - scene.alphas[views].reshape(-1)

    def tensor(array: NDArray[np.float32]) -> Tensor:
        return torch.tensor(array, device=device)

    return Pixels(
        origins=tensor(scene.world_from_camera[views, :3, 3]),
        directions=tensor(directions.reshape(-1, 3)),
        rgb=tensor(scene.images[views].reshape(-1, 3)),
        background_share=None if background_share is None else tensor(background_share),
        background=tensor(scene.background),
        height=scene.height,
        width=scene.width,
    )


def _crop_windows(scene: Scene, views: list[int], config: Optimisation) -> Windows:
    """The box of each view that steps cropped to the content draw from; unused, the whole image."""
    if config.crop == "content" and config.crop_steps:
        return content_windows(scene, views)
    return np.tile([0, 0, scene.height, scene.width], (len(views), 1))


def _centre_window(height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Top and left, height and width of the middle of an image."""
    cropped = max(int(height * CENTRE_SHARE), 1), max(int(width * CENTRE_SHARE), 1)
    return ((height - cropped[0]) // 2, (width - cropped[1]) // 2), cropped


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
    directions = rays.directions.view(len(rays.origins), -1, 3)
    # A coordinate is origin + t * direction, so it is extreme at near or far and at the extreme
    # direction of the view.
    ends = [
        rays.origins + distance * extreme
        for distance in (near, far)
        for extreme in (directions.amin(1), directions.amax(1))
    ]
    return torch.stack((torch.cat(ends).amin(0), torch.cat(ends).amax(0))).cpu()
