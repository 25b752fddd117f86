"""The pixels of all views, kept as bytes wherever that loses nothing.

A photograph is bytes on disk; as float32 it takes four times the memory, and an image with an alpha
channel, composited over a background, is no multiple of 1/255 any more. So the pixels are kept as
they were read, and colours are computed when they are asked for. numpy arrays and torch tensors go
through the same formulas, operation by operation, so that both give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Stored = NDArray[np.uint8] | Float32

UNIT_VALUES: Float32 = np.arange(256, dtype=np.float32) / np.float32(255)
"""The value in [0, 1] of each byte: what `to_unit` gives, for tensors."""

BLACK: Float32 = np.zeros(3, np.float32)


@dataclass(frozen=True)
class Images:
    """Colours of all views; `images[view]` and other indices of pixels give float32 in [0, 1].

    colours: (views, height, width, 3), bytes or float32 in [0, 1]
    alphas: (views, height, width), the object's coverage of each pixel, in the type of `colours`
    premultiplied: whether `colours` are multiplied by the alphas already
    backgrounds: what they are composited over, (3,) each; one replaces the one before it
    valid: (views, height, width), the pixels that are trained on and count; None: all
    """

    colours: Stored
    alphas: Stored | None = None
    premultiplied: bool = True
    backgrounds: tuple[Float32, ...] = ()
    valid: Mask | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        views, height, width, channels = self.colours.shape
        return views, height, width, channels

    def __len__(self) -> int:
        return len(self.colours)

    def __iter__(self) -> Iterator[Float32]:
        return (self[view] for view in range(len(self)))

    def __getitem__(self, pixels: Any) -> Float32:
        """Composited colours (..., 3); `pixels` indexes views, rows and columns as an array's."""
        colours = to_unit(self.colours[pixels])
        if self.alphas is None:
            return colours
        composited: Float32 = self.composite(colours, to_unit(self.alphas[pixels]))
        return composited

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All composited colours (views, height, width, 3)."""
        return np.asarray(self[:], dtype)

    def matches(self, view: int, test: Callable[[Float32], Mask]) -> Mask:
        """Where all channels of a view pass `test`: (height, width), of images without alphas.

        `test` maps values (n, 3) to bools; bytes are looked up, as they have few values.
        """
        colours = self.colours[view]
        if colours.dtype != np.uint8:
            return np.asarray(test(colours).all(-1))
        passing = test(np.repeat(UNIT_VALUES[:, None], 3, axis=1))  # (256, 3)
        red, green, blue = (passing[colours[..., channel], channel] for channel in range(3))
        return np.asarray(red & green & blue)

    def alpha(self, pixels: Any) -> Float32:
        """The alphas (...) of pixels, which must have some."""
        assert self.alphas is not None
        return to_unit(self.alphas[pixels])

    def valid_in(self, pixels: Any) -> Mask | None:
        """Which of the pixels (...) are trained on and count; None if every pixel of all views."""
        return None if self.valid is None else self.valid[pixels]

    def frame(self, view: int) -> tuple[int, int, int, int]:
        """Top, left, height and width of the box around the valid pixels of a view."""
        return (0, 0, *self.shape[1:3]) if self.valid is None else box_of(self.valid[view])

    def of_views(self, views: list[int]) -> Images:
        """Copies the images of some views."""
        return replace(
            self,
            colours=self.colours[views],
            alphas=None if self.alphas is None else self.alphas[views],
            valid=self.valid_in(views),
        )

    def over(self, background: Float32) -> Images:
        """The same images over another background, which needs alphas."""
        return replace(self, backgrounds=(*self.backgrounds, background))

    def composite(self, colours: Any, alphas: Any, backgrounds: Any = None) -> Any:
        """Colours (..., 3) over the last background; arrays, or tensors with `backgrounds` as one.

        Compositing over a background b adds (1 - alpha) b. To replace b by c, (1 - alpha) (c - b)
        is added: what was kept is not needed again.
        """
        if not self.premultiplied:
            colours = colours * alphas[..., None]
        transmittance = (1 - alphas)[..., None]
        layers = (0.0, *(self.backgrounds if backgrounds is None else backgrounds))
        for before, after in pairwise(layers):
            colours = (colours + transmittance * (after - before)).clip(0, 1)
        return colours


def box_of(mask: Mask) -> tuple[int, int, int, int]:
    """Top, left, height and width of the box around all that is set; the whole if nothing is."""
    if not mask.any():
        return 0, 0, *mask.shape
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    return top, left, int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left


def split_channels(rgba: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colours (..., 3) and alphas (...) of RGBA, each with its values side by side in memory."""
    return np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3])


def to_unit(stored: Stored) -> Float32:
    """Values in [0, 1] as float32: of bytes, or as they are."""
    return np.asarray(stored / np.float32(255) if stored.dtype == np.uint8 else stored, np.float32)
