"""Reads image files: sizes are checked before pixels are decoded, downscaling averages areas."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nerf.common.progress import progress_bar
from nerf.scenes.formats.scene_checks import MAX_SIDE, check_sizes, scene_error
from nerf.scenes.scene import Float32

_MODES = {"1": "L", "L": "L", "P": "RGBA", "RGB": "RGB", "LA": "RGBA", "RGBA": "RGBA"}
"""Pillow's colour modes that are read, and the mode that each is converted to."""

_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    EOFError,
    MemoryError,
    ValueError,
    struct.error,
    zlib.error,
)

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


def read_images(
    where: object, files: Sequence[Path], downscale: int
) -> tuple[Float32, Float32 | None]:
    """Premultiplied colours (views, h, w, 3) and, if any image has them, alphas (views, h, w).

    Both in [0, 1], the means of blocks of `downscale` x `downscale` pixels; incomplete blocks at
    the right and lower edges are dropped. Raises `InputError` for files that are not PNG or JPEG,
    for sizes that differ, and for images that are too small or too large.
    """
    width, height = _common_size(files)
    if min(width, height) // downscale < 1:
        raise scene_error(
            where, f"--downscale {downscale} leaves nothing of {width} x {height} pixels"
        )
    small = (height // downscale, width // downscale)
    check_sizes(where, len(files), *small)
    check_sizes(where, len(files), height, width, all_in_memory=False)
    rgb = np.empty((len(files), *small, 3), np.float32)
    alphas = np.ones((len(files), *small), np.float32)
    with progress_bar("reading images", len(files)) as advance:
        for view, file in enumerate(files):
            rgb[view], alphas[view] = _downscale(_decode(file), downscale)
            advance(1)
    return rgb, (alphas if alphas.min() < 1 else None)


def image_size(file: Path) -> tuple[int, int]:
    """Width and height, from the file's header alone."""
    with _open(file) as image:
        width, height = image.size
    return width, height


def _common_size(files: Sequence[Path]) -> tuple[int, int]:
    """Width and height of all images, from their headers; raises `InputError` if they differ."""
    sizes = []
    for file in files:
        sizes.append(image_size(file))
        if sizes[-1] != sizes[0]:
            size, first = (f"{w} x {h}" for w, h in (sizes[-1], sizes[0]))
            raise scene_error(
                file, f"is {size} pixels, {files[0].name} is {first}; all must be the same size"
            )
    return sizes[0]


def _open(file: Path) -> Any:
    """Opens a PNG or JPEG file with Pillow, without decoding its pixels."""
    from PIL import Image, UnidentifiedImageError

    if not file.is_file():
        raise scene_error(file, "is missing or not a regular file")
    try:
        with file.open("rb") as head:
            if head.read(8)[:3] not in (b"\x89PN", b"\xff\xd8\xff"):
                raise scene_error(file, "is neither PNG nor JPEG")
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=("PNG", "JPEG"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise scene_error(
            file, f"claims more than {MAX_SIDE} x {MAX_SIDE} pixels, the most that are read"
        ) from None
    except (UnidentifiedImageError, *_DECODING_ERRORS) as error:
        raise _decoding_error(file, error) from None
    if image.mode not in _MODES:
        raise scene_error(
            file, f"has the colour mode {image.mode}; save it with 8 bits, RGB or RGBA"
        )
    return image


def _decoding_error(file: Path, error: Exception) -> Exception:
    return scene_error(file, f"cannot be decoded ({error})")


def _decode(file: Path) -> Bytes:
    """The pixels as bytes (height, width, 3 or 4)."""
    with _open(file) as image:
        try:
            mode = "RGBA" if "transparency" in image.info else _MODES[image.mode]
            return np.asarray(image.convert("RGB" if mode == "L" else mode))
        except _DECODING_ERRORS as error:
            raise _decoding_error(file, error) from None


def _downscale(pixels: Bytes, factor: int) -> tuple[Float32, Float32 | float]:
    """Premultiplied colours and alphas in [0, 1], each the mean of a block."""
    values: Float32 = pixels.astype(np.float32)
    values /= 255
    if pixels.shape[2] == 4:
        values[..., :3] *= values[..., 3:]
    height, width = (size // factor for size in pixels.shape[:2])
    blocks = values[: height * factor, : width * factor].reshape(height, factor, width, factor, -1)
    means: Float32 = blocks.mean((1, 3), dtype=np.float32) if factor > 1 else values
    return means[..., :3], means[..., 3] if pixels.shape[2] == 4 else 1.0
