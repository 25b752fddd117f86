"""Reads the pictures of a capture: in parallel, downscaled by averaging areas, masked and padded.

Pixels stay bytes if they are not downscaled. A picture smaller than the largest is padded to the
right and below, which leaves its camera as it is; padding is not valid, nor what a mask leaves out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.common.progress import progress_bar
from nerf.scenes.formats.image_files import Bytes, Header, decode
from nerf.scenes.formats.mask_files import read_mask
from nerf.scenes.formats.scene_checks import MAX_VALUES, check_sizes, scene_error
from nerf.scenes.images import Float32, Images, Mask

MAX_SHRUNK_VALUES = 2**28
"""Pixels times channels, at most, of a scene that is shrunk to fit into memory."""

_MAX_THREADS = 8  # each holds an image as float32 while it downscales


@dataclass(frozen=True)
class Picture:
    """An image file whose header has been read."""

    file: Path
    header: Header
    turn: bool = False
    """Whether it is turned as its EXIF orientation says."""
    mask: Path | None = None
    mask_is_inverted: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height after turning."""
        return self.header.turned_size if self.turn else self.header.size


def choose_factor(pictures: Sequence[Picture], downscale: int) -> int:
    """The factor to shrink pictures by: `downscale`, or a multiple that fits into memory."""
    width, height = _largest(pictures)
    factor = downscale
    if 3 * len(pictures) * (width // factor) * (height // factor) > MAX_VALUES:
        while 3 * len(pictures) * (width // factor) * (height // factor) > MAX_SHRUNK_VALUES:
            factor += downscale
    return factor


def read_pictures(
    where: object, pictures: Sequence[Picture], factor: int, as_bytes: bool
) -> Images:
    """Colours, alphas and validity of pictures, shrunk by `factor`.

    Shrunk pixels are the means of blocks of factor x factor pixels, premultiplied by the alphas, as
    float32, or rounded to bytes with `as_bytes`; incomplete blocks at the right and lower edges are
    dropped. Raises `InputError` for files that cannot be decoded and for sizes out of bounds.
    """
    width, height = _largest(pictures)
    smallest = min(min(picture.size) for picture in pictures)
    if smallest // factor < 1:
        raise scene_error(where, f"--downscale {factor} leaves nothing of {smallest} pixels")
    small = (height // factor, width // factor)
    check_sizes(where, len(pictures), *small)
    check_sizes(where, len(pictures), height, width, all_in_memory=False)
    kind = np.dtype(np.uint8 if factor == 1 or as_bytes else np.float32)
    has_alphas = any(picture.header.has_alpha for picture in pictures)
    is_partly_valid = any(p.mask or p.size != pictures[0].size for p in pictures)
    views = len(pictures)
    target = _Target(
        colours=np.zeros((views, *small, 3), kind),
        alphas=np.zeros((views, *small), kind) if has_alphas else None,
        valid=np.zeros((views, *small), bool) if is_partly_valid else None,
    )
    threads = min(os.cpu_count() or 1, _MAX_THREADS)
    with progress_bar("reading images", views) as advance, ThreadPoolExecutor(threads) as pool:
        reading = [pool.submit(target.read, view, p, factor) for view, p in enumerate(pictures)]
        for done in reading:
            done.result()
            advance(1)
    return target.images(premultiplied=factor > 1)


@dataclass(frozen=True)
class _Target:
    """Arrays that pictures are read into, each thread into views of its own."""

    colours: NDArray[Any]  # bytes or float32
    alphas: NDArray[Any] | None
    valid: Mask | None

    def read(self, view: int, picture: Picture, factor: int) -> None:
        pixels = decode(picture.file, picture.turn)
        shrunk = pixels if factor == 1 else _shrink(pixels, factor)
        if self.colours.dtype == np.uint8 and shrunk.dtype != np.uint8:
            shrunk = np.rint(255 * shrunk).astype(np.uint8)
        height, width = shrunk.shape[:2]
        self.colours[view, :height, :width] = shrunk[..., :3]
        if self.alphas is not None:
            opaque = 255 if self.alphas.dtype == np.uint8 else 1
            self.alphas[view, :height, :width] = shrunk[..., 3] if shrunk.shape[2] == 4 else opaque
        if self.valid is not None:
            self.valid[view, :height, :width] = _read_valid(picture, factor)

    def images(self, premultiplied: bool) -> Images:
        alphas = self.alphas
        if alphas is not None:
            shown = alphas if self.valid is None else alphas[self.valid]
            if shown.min(initial=255) == (255 if alphas.dtype == np.uint8 else 1):
                alphas = None  # opaque everywhere
        valid = None if self.valid is None or self.valid.all() else self.valid
        return Images(self.colours, alphas, premultiplied, valid=valid)


def _shrink(pixels: Bytes, factor: int) -> Float32:
    """Premultiplied colours and alphas (h, w, 3 or 4) in [0, 1], each the mean of a block."""
    values: Float32 = pixels.astype(np.float32)
    values /= 255
    if pixels.shape[2] == 4:
        values[..., :3] *= values[..., 3:]
    height, width = (size // factor for size in pixels.shape[:2])
    blocks = values[: height * factor, : width * factor].reshape(height, factor, width, factor, -1)
    return np.asarray(blocks.mean((1, 3), dtype=np.float32))


def _read_valid(picture: Picture, factor: int) -> Mask | bool:
    """Which pixels (height, width) of a shrunk picture its mask leaves, every part of them."""
    if picture.mask is None:
        return True
    mask = read_mask(picture.mask, picture.size, picture.mask_is_inverted)
    height, width = (size // factor for size in mask.shape)
    blocks = mask[: height * factor, : width * factor].reshape(height, factor, width, factor)
    return np.asarray(blocks.all((1, 3)))


def _largest(pictures: Sequence[Picture]) -> tuple[int, int]:
    """The width and height that hold every picture."""
    return max(p.size[0] for p in pictures), max(p.size[1] for p in pictures)
