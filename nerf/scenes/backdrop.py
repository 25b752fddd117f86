"""Finds the uniform backdrop of images and the part of each image that shows something else.

A backdrop is what most photographs of one object have: the black or white around a rendered model,
a sheet behind a figure. Images of a room or a garden have none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.images import Float32, Images, Mask, to_unit
from nerf.scenes.scene import Scene

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

    def is_shown(self, colours: Float32) -> Mask:
        """Whether each channel (..., 3) of colours is the backdrop's, but for noise."""
        return np.asarray(np.abs(colours - self.colour) <= _TOLERANCE)


def find_backdrop(images: Images) -> Backdrop | None:
    """The backdrop of images without alphas, or None if they have none."""
    pixels = _sample(images)
    if not len(pixels):
        return None
    levels = (pixels * _LEVELS).astype(np.int64).clip(0, _LEVELS - 1)
    codes = levels @ np.array([_LEVELS**2, _LEVELS, 1])
    most_frequent = np.bincount(codes).argmax()
    # The median is exact for rendered images, and between noisy pixels for photographs.
    colour = np.median(pixels[codes == most_frequent], axis=0).astype(np.float32)
    backdrop = Backdrop(colour)
    enough = backdrop.is_shown(pixels).all(-1).mean() >= MIN_BACKDROP_SHARE
    return backdrop if enough and _rim_share(backdrop, images) >= MIN_RIM_SHARE else None


def _sample(images: Images) -> Float32:
    """Colours (n, 3) of about a million valid pixels, spread over all views."""
    stored = images.colours.reshape(-1, 3)
    step = max(len(stored) // _SAMPLED_PIXELS, 1)
    sampled = to_unit(stored[::step])
    return sampled if images.valid is None else sampled[images.valid.reshape(-1)[::step]]


def _rim_share(backdrop: Backdrop, images: Images) -> float:
    """Share of the pixels along the edges of the median view that show the backdrop."""
    shares = []
    for view in range(len(images)):
        top, left, height, width = images.frame(view)
        inside = view, slice(top, top + height), slice(left, left + width)
        edges = [images[edge] for edge in _edges(inside)]
        shown = np.concatenate([backdrop.is_shown(edge).all(-1) for edge in edges])
        if images.valid is not None:
            shown = shown[np.concatenate([images.valid[edge] for edge in _edges(inside)])]
        if len(shown):
            shares.append(shown.mean())
    return float(np.median(shares))


def _edges(inside: tuple[int, slice, slice]) -> list[tuple[int, int | slice, int | slice]]:
    """Indices of the pixels along the four edges of a part of a view."""
    view, rows, columns = inside
    return [
        (view, rows.start, columns),
        (view, rows.stop - 1, columns),
        (view, rows, columns.start),
        (view, rows, columns.stop - 1),
    ]


def backdrop_colour(images: Images) -> Float32:
    """Colour (3,) of a ray that hits nothing: the backdrop's, or black if there is none."""
    backdrop = find_backdrop(images)
    return np.zeros(3, np.float32) if backdrop is None else backdrop.colour


def content_windows(scene: Scene, views: list[int]) -> Windows:
    """The box of each view that holds its content: (views, 4) top, left, height, width, pixels.

    Content is what the alphas cover, or what differs from the backdrop. The box is the whole image
    where there is no backdrop, and where hardly a pixel differs from it.
    """
    return scene.once(f"content windows of {views}", lambda: _content_windows(scene, views))


def _content_windows(scene: Scene, views: list[int]) -> Windows:
    windows = np.array([scene.images.frame(view) for view in views])
    masks = content_masks(scene, views)
    if masks is not None:
        for window, mask in zip(windows, masks, strict=True):
            if mask.sum() >= _MIN_CONTENT_PIXELS:
                (top, bottom), (left, right) = (_middle_range(mask.sum(axis)) for axis in (1, 0))
                window[:] = top, left, bottom - top, right - left
    return windows


def content_masks(scene: Scene, views: list[int]) -> Mask | None:
    """Which valid pixels of the views are not backdrop; None without a backdrop."""
    images = scene.images.of_views(views)
    if images.alphas is not None:
        masks = np.stack([images.alpha(view) > _MIN_ALPHA for view in range(len(images))])
        if 1 - masks.mean() < MIN_BACKDROP_SHARE:
            return None
    else:
        backdrop = find_backdrop(images)
        if backdrop is None:
            return None
        masks = np.stack([~images.matches(i, backdrop.is_shown) for i in range(len(images))])
    return masks if images.valid is None else masks & images.valid


def _middle_range(counts: NDArray[np.int64]) -> tuple[int, int]:
    """First index, and one past the last, of all but the outliers; `counts` is of each index."""
    total = np.cumsum(counts)
    first, last = (_percentile(total, share) for share in (_OUTLIERS, 100 - _OUTLIERS))
    return int(first), int(last) + 1


def _percentile(total: NDArray[np.int64], percentage: float) -> float:
    """A percentile of indices, by linear interpolation; `total` counts those up to each index."""
    place = percentage / 100 * (total[-1] - 1)
    lower, upper = (
        np.searchsorted(total, rank, "right") for rank in (int(place), -int(-place // 1))
    )
    return float(lower + (upper - lower) * (place - int(place)))
