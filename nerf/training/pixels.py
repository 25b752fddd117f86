"""The pixels that runs are trained on: their colours as the scene keeps them, and their cameras.

view     index of an image among those that are trained on
pixel    index into all their pixels, (view * height + row) * width + column

Colours stay bytes wherever the scene has bytes; on a CPU they stay in the scene's own memory, which
processes of a machine share. A ray's direction and colour are computed when it is drawn.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from numpy.typing import NDArray
from torch import Tensor

from nerf.config.schema import TrainingBackground
from nerf.scenes.cameras.drawn_rays import DirectionSource
from nerf.scenes.cameras.pixel_rays import view_directions
from nerf.scenes.images import UNIT_VALUES, Float32, Images
from nerf.scenes.scene import Scene

_IN_USE: WeakValueDictionary[Hashable, Pixels] = WeakValueDictionary()
"""The pixels in use, which the runs of one process share: they may take much of a GPU's memory."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """The training pixels of some views on a device."""

    images: Images
    cameras: DirectionSource
    origins: Float[Tensor, "views 3"]
    extremes: Float[Tensor, "views 2 3"]
    """Least and greatest direction of each view, by coordinate."""
    stored: Num[Tensor, "all_pixels 3"]
    """Colours of all views of the scene; `first` has the index of each view's first pixel."""
    stored_alphas: Num[Tensor, " all_pixels"] | None
    first: Int[Tensor, " views"]
    unit_values: Float[Tensor, " 256"]
    backgrounds: tuple[Float[Tensor, " 3"], ...]
    """What the colours are composited over, one after another."""
    background: Float[Tensor, " 3"]
    height: int
    width: int

    @staticmethod
    def of(
        scene: Scene, views: list[int], background: TrainingBackground, device: torch.device | str
    ) -> Pixels:
        """The pixels of training views over a background of `Optimisation`."""
        key = (scene.content_hash, *views, background, str(device))
        pixels = _IN_USE.get(key)
        if pixels is None:
            pixels = _IN_USE[key] = _load(scene, views, background, device)
        return pixels

    def __len__(self) -> int:
        return len(self.origins) * self.height * self.width

    def look_up(
        self, pixel: Int[Tensor, " rays"]
    ) -> tuple[
        Float[Tensor, "rays 3"],
        Float[Tensor, "rays 3"],
        Float[Tensor, "rays 3"],
        Float[Tensor, " rays"] | None,
    ]:
        """Origins, unit directions and colours of rays, and their background's share, 1 - alpha.

        The share is None if the scene has no alphas.
        """
        size = self.height * self.width
        view = pixel // size
        place = pixel - view * size
        row = place // self.width
        directions = self.cameras.directions(view, place - row * self.width, row).float()
        index = self.first[view] + place
        rgb = self._unit(self.stored[index])
        if self.stored_alphas is None:
            return self.origins[view], directions, rgb, None
        alpha = self._unit(self.stored_alphas[index])
        rgb = self.images.composite(rgb, alpha, self.backgrounds)
        return self.origins[view], directions, rgb, 1 - alpha

    def _unit(self, stored: Tensor) -> Tensor:
        """Values in [0, 1], with the bits of `nerf.scenes.images.to_unit` on every device."""
        return self.unit_values[stored.long()] if stored.dtype == torch.uint8 else stored


def direction_extremes(scene: Scene) -> Float32:
    """Least and greatest direction of each training view, by coordinate: (views, 2, 3).

    Computed once per scene.
    """

    def compute() -> Float32:
        extremes = []
        for view in scene.train:
            directions = view_directions(scene, view).reshape(-1, 3)
            extremes.append((directions.min(0), directions.max(0)))
        return np.array(extremes)

    return scene.once("direction extremes", compute)


def _load(
    scene: Scene, views: list[int], background: TrainingBackground, device: torch.device | str
) -> Pixels:
    extremes = direction_extremes(scene)[[scene.train.index(view) for view in views]]
    if background in ("white", "black"):
        scene = scene.with_background(background)
    images = scene.images

    def tensor(array: NDArray[Any]) -> Tensor:
        return torch.tensor(array, device=device)

    return Pixels(
        images=images,
        cameras=DirectionSource.of(scene, views).map(tensor),
        origins=tensor(scene.world_from_camera[views, :3, 3]),
        extremes=tensor(extremes),
        stored=_place(images.colours.reshape(-1, 3), device),
        stored_alphas=(
            None if images.alphas is None else _place(images.alphas.reshape(-1), device)
        ),
        first=tensor(np.array(views) * scene.height * scene.width),
        unit_values=tensor(UNIT_VALUES),
        backgrounds=tuple(map(tensor, images.backgrounds)),
        background=tensor(scene.background),
        height=scene.height,
        width=scene.width,
    )


def _place(array: NDArray[Any], device: torch.device | str) -> Tensor:
    """Copies an array to a GPU; on a CPU, a tensor in the array's own memory, not to be written."""
    if torch.device(device).type != "cpu":
        return torch.tensor(array, device=device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch warns of arrays that are read-only
        return torch.from_numpy(array)
