"""A scene: photographs, the cameras that took them, and which of them training may see.

Camera frame: x right, y up, looking along -z (OpenGL). `world_from_camera` maps it into the
world; distances are in the source's own scene units. Pixel centres lie at +0.5: column i of an
image is at i + 0.5 in the units of `focal` and `centre`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "val", "test"]
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """Images with their cameras and three disjoint lists of views; equal content, equal hash.

    images: (views, height, width, 3) float32 in [0, 1], composited over `background`
    world_from_camera: (views, 4, 4) float32, rotation orthonormal with determinant +1
    focal: (views, 2) float32, pixels, horizontally and vertically
    centre: (views, 2) float32, pixels, the principal point from the left and from the top
    background: (3,) float32, what a ray shows that meets nothing
    """

    name: str
    source: str
    images: Float32
    world_from_camera: Float32
    focal: Float32
    centre: Float32
    background: Float32
    train: tuple[int, ...]
    val: tuple[int, ...]
    test: tuple[int, ...]

    @property
    def height(self) -> int:
        return int(self.images.shape[1])

    @property
    def width(self) -> int:
        return int(self.images.shape[2])

    def views(self, split: Split) -> tuple[int, ...]:
        return {"train": self.train, "val": self.val, "test": self.test}[split]

    def content_hash(self) -> str:
        """SHA-256 of everything a training run can see, in hexadecimal."""
        digest = hashlib.sha256()
        for array in (
            self.images,
            self.world_from_camera,
            self.focal,
            self.centre,
            self.background,
        ):
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
        digest.update(repr((self.train, self.val, self.test)).encode())
        return digest.hexdigest()


def split_views(count: int) -> dict[Split, tuple[int, ...]]:
    """Every 8th view for test, every 8th from the 5th on for validation, the rest for training."""
    test = tuple(range(0, count, 8))
    val = tuple(range(4, count, 8))
    held_out = {*test, *val}
    train = tuple(view for view in range(count) if view not in held_out)
    return {"train": train, "val": val, "test": test}
