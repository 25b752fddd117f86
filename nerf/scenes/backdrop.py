"""Finds the uniform backdrop of images and the part of each image that shows something else.

A backdrop is what most photographs of one object have: the black or white around a rendered model,
a sheet behind a figure. Images of a room or a garden have none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.scene import Float32, Scene

Mask = NDArray[np.bool_]
Windows = NDArray[np.int64]

MIN_BACKDROP_SHARE = 0.3
"""Share of all pixels that one colour must have to be a backdrop.

The most frequent colour of five scenes with a backdrop has 0.50 to 0.79 of their pixels, that of
three without one 0.01 to 0.12."""

MIN_RIM_SHARE = 0.7
"""Share of an image's rim that a backdrop fills in the median view: it surrounds the object. A sky
or a white wall beside other things does not."""

_LEVELS = 16
"""Levels per channel of the histogram that finds the most frequent colour."""

_TOLERANCE = 1 / _LEVELS
"""Largest difference of a channel from the backdrop's colour, for noise and compression."""

_SAMPLED_PIXELS = 1_000_000
_MIN_ALPHA = 4 / 255
_OUTLIERS = 1.0
"""Percentage of an image's content, at either end of each axis, that a window may leave out."""

_MIN_CONTENT_PIXELS = 16


@dataclass(frozen=True)
class Backdrop:
    """One colour that surrounds the object in most images."""

    colour: Float32

    def shows_in(self, images: Float32) -> Mask:
        """Where the backdrop shows in images (..., 3): a mask (...)."""
        return np.asarray((np.abs(images - self.colour) <= _TOLERANCE).all(-1))


def find_backdrop(images: Float32) -> Backdrop | None:
    """The backdrop of images (views, height, width, 3) in [0, 1], or None if they have none."""
    pixels = images.reshape(-1, 3)
    pixels = pixels[:: max(len(pixels) // _SAMPLED_PIXELS, 1)]
    levels = (pixels * _LEVELS).astype(np.int64).clip(0, _LEVELS - 1)
    codes = levels @ np.array([_LEVELS**2, _LEVELS, 1])
    most_frequent = np.bincount(codes).argmax()
    # The median is exact for rendered images, and between noisy pixels for photographs.
    colour = np.median(pixels[codes == most_frequent], axis=0).astype(np.float32)
    backdrop = Backdrop(colour)
    enough = backdrop.shows_in(pixels).mean() >= MIN_BACKDROP_SHARE
    return backdrop if enough and _rim_share(backdrop, images) >= MIN_RIM_SHARE else None


def _rim_share(backdrop: Backdrop, images: Float32) -> float:
    """Share of the pixels along the edges of the median view that show the backdrop."""
    edges = (images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1])
    rims = np.concatenate([backdrop.shows_in(edge) for edge in edges], axis=1)
    return float(np.median(rims.mean(axis=1)))


def backdrop_colour(images: Float32) -> Float32:
    """Colour (3,) of a ray that hits nothing: the backdrop's, or black if there is none."""
    backdrop = find_backdrop(images)
    return np.zeros(3, np.float32) if backdrop is None else backdrop.colour


def content_windows(scene: Scene, views: list[int]) -> Windows:
    """The box of each view that holds its content: (views, 4) top, left, height, width, pixels.

    Content is what the alphas cover, or what differs from the backdrop. The box is the whole image
    where there is no backdrop, and where hardly a pixel differs from it.
    """
    masks = content_masks(scene, views)
    windows = np.tile([0, 0, scene.height, scene.width], (len(views), 1))
    if masks is not None:
        for window, mask in zip(windows, masks, strict=True):
            if mask.sum() >= _MIN_CONTENT_PIXELS:
                (top, bottom), (left, right) = (_middle_range(i) for i in np.nonzero(mask))
                window[:] = top, left, bottom - top, right - left
    return windows


def content_masks(scene: Scene, views: list[int]) -> Mask | None:
    """Which pixels of the views are not backdrop; None without a backdrop."""
    if scene.alphas is not None:
        mask = scene.alphas[views] > _MIN_ALPHA
        return mask if 1 - mask.mean() >= MIN_BACKDROP_SHARE else None
    backdrop = find_backdrop(scene.images[views])
    if backdrop is None:
        return None
    return np.stack([~backdrop.shows_in(scene.images[view]) for view in views])


def _middle_range(indices: NDArray[np.int64]) -> tuple[int, int]:
    """First index, and one past the last, of all but the outliers."""
    first, last = np.percentile(indices, [_OUTLIERS, 100 - _OUTLIERS])
    return int(first), int(last) + 1
