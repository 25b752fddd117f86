"""A scene: images, their cameras, and the split into training, validation and test views.

Camera frame: x right, y up, looking along -z (OpenGL). `world_from_camera` maps it to the world.
Pixel centres lie at +0.5: column i of an image is at i + 0.5 in the units of `focal` and `centre`.

World frame: z is up, the origin is the point that the cameras look at, and a typical camera is 4
units from it. Captures of unknown scale (COLMAP, LLFF, instant-ngp) are transformed to it; Blender
and tiny-NeRF scenes have it already and keep their units. So near and far are comparable between
scenes. They are Euclidean distances from the camera, along a unit direction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from nerf.common.errors import InputError
from nerf.common.printable import printable
from nerf.scenes.images import Float32, Images

__all__ = ["PERSPECTIVE", "Bounds", "Float32", "Scene", "Split", "split_views"]

Split = Literal["train", "val", "test"]
PERSPECTIVE: Literal["perspective"] = "perspective"
T = TypeVar("T")


@dataclass(frozen=True)
class Bounds:
    """Suggested near and far of one scene; `basis` names what they were computed from."""

    near: float
    far: float
    basis: str
    certain: bool = False
    """Whether the whole object, and nothing else, is sure to lie between near and far."""


@dataclass(frozen=True)
class Scene:
    """Images with their cameras and three disjoint lists of views.

    images: colours of all views, composited over `background`, and which pixels are valid
    world_from_camera: (views, 4, 4) float32, rotation orthonormal with determinant +1
    focal: (views, 2) float32, pixels, horizontally and vertically
    centre: (views, 2) float32, pixels, the principal point from the left and from the top
    background: (3,) float32, the colour of a ray that hits nothing
    distortion: (views, n) float32, coefficients of each lens (cameras/lens.py), if any has some
    lens_models: the model of each view's lens (cameras/lens.py); None if all are perspective
    points: (n, 3) float32 on or in the object, from a reconstruction or from the images
    description: the kind of source and what was left out of it, for `summary`
    notes: lines to print, each on something that was changed, left out or looks wrong
    """

    name: str
    source: str
    images: Images
    world_from_camera: Float32
    focal: Float32
    centre: Float32
    background: Float32
    train: tuple[int, ...]
    val: tuple[int, ...]
    test: tuple[int, ...]
    distortion: Float32 | None = None
    lens_models: tuple[str, ...] | None = None
    bounds: Bounds = Bounds(2.0, 6.0, "the convention of synthetic scenes")
    points: Float32 | None = None
    description: str = ""
    notes: tuple[str, ...] = ()
    _computed: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def height(self) -> int:
        return self.images.shape[1]

    @property
    def width(self) -> int:
        return self.images.shape[2]

    @property
    def summary(self) -> str:
        """One line to print: the kind and size of the scene, and its suggested bounds."""
        split = ", ".join(f"{len(self.views(s))} {s}" for s in ("train", "val", "test"))
        near, far = f"{self.bounds.near:.2f}", f"{self.bounds.far:.2f}"
        return (
            f"{printable(self.name)}: {self.description or 'scene'}, {len(self.images)} views of "
            f"{self.width} x {self.height} ({split}); near {near}, far {far} "
            f"from {self.bounds.basis}"
        )

    def views(self, split: Split) -> tuple[int, ...]:
        return {"train": self.train, "val": self.val, "test": self.test}[split]

    def with_background(self, background: Literal["white", "black"]) -> Scene:
        """The scene with another colour of rays that hit nothing.

        Images with alphas are composited over it; photographs stay as they are.
        """
        colour = np.full(3, float(background == "white"), np.float32)
        if np.array_equal(colour, self.background):
            return self
        images = self.images if self.images.alphas is None else self.images.over(colour)
        return replace(self, images=images, background=colour)

    def require_alphas(self, background: str) -> None:
        """Raises `InputError` if the scene has no alphas to composite over `background` with."""
        if self.images.alphas is None:
            raise InputError(
                f"{self.name} has no alpha channel, so its background cannot be {background}; "
                "leave optimisation.background=scene"
            )

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """`compute()`, called only the first time for this name.

        The value travels with the scene to the processes that it is sent to.
        """
        if name not in self._computed:
            self._computed[name] = compute()
        value: T = self._computed[name]
        return value

    @property
    def content_hash(self) -> str:
        """SHA-256 in hexadecimal of all that training uses: images, cameras and split."""
        return self.once("content hash", self._hash)

    def _hash(self) -> str:
        digest = hashlib.sha256()
        images = self.images

        def add(shape: tuple[int, ...], parts: Iterable[NDArray[Any]]) -> None:
            digest.update(str(shape).encode())
            for part in parts:
                digest.update(np.ascontiguousarray(part, dtype="<f4").tobytes())

        add(images.shape, images)  # a view at a time: all of them as float32 may fill the memory
        for array in (self.world_from_camera, self.focal, self.centre, self.background):
            add(array.shape, [array])
        if images.alphas is not None:
            add(images.alphas.shape, (images.alpha(view) for view in range(len(images))))
        if self.distortion is not None:
            add(self.distortion.shape, [self.distortion])
        if self.lens_models is not None:
            digest.update(repr(self.lens_models).encode())
        if images.valid is not None:
            digest.update(np.packbits(images.valid).tobytes())
        digest.update(repr((self.train, self.val, self.test)).encode())
        return digest.hexdigest()


def split_views(count: int) -> dict[Split, tuple[int, ...]]:
    """Splits views: 0, 8, 16, ... to test, 4, 12, 20, ... to validation, the rest to training.

    With fewer than five views the last one is for validation.
    """
    test = tuple(range(0, count, 8))
    val = tuple(range(4, count, 8)) or (count - 1,)
    held_out = {*test, *val}
    train = tuple(view for view in range(count) if view not in held_out)
    return {"train": train, "val": val, "test": test}
