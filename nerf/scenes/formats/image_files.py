"""Photographs from files: sizes known before anything is decoded, scaled down by area average."""

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
from nerf.scenes.formats.untrusted_files import inside
from nerf.scenes.scene import Float32

_MODES = {"1": "L", "L": "L", "P": "RGBA", "RGB": "RGB", "LA": "RGBA", "RGBA": "RGBA"}


def read_images(
    where: object, files: Sequence[Path], downscale: int
) -> tuple[Float32, Float32 | None]:
    """Premultiplied colours (views, h, w, 3) and, where any picture has them, alphas (views, h, w).

    Both in [0, 1], the mean over blocks of `downscale` x `downscale` pixels; an incomplete block
    at the right or lower end is left out. Raises `InputError` for what is no PNG or JPEG, for
    sizes that differ, and for absurd ones.
    """
    width, height = _common_size(files)
    if min(width, height) // downscale < 1:
        raise scene_error(where, f"--downscale {downscale} leaves nothing of {width} x {height} pixels")
    small = (height // downscale, width // downscale)
    check_sizes(where, len(files), *small)
    check_sizes(where, len(files), height, width, together=False)
    colours = np.empty((len(files), *small, 3), np.float32)
    alphas = np.ones((len(files), *small), np.float32)
    with progress_bar("reading images", len(files)) as advance:
        for view, file in enumerate(files):
            colours[view], alphas[view] = _shrink(_decode(file), downscale)
            advance(1)
    return colours, (alphas if alphas.min() < 1 else None)


def image_size(file: Path) -> tuple[int, int]:
    """Width and height from the file's header alone."""
    with _open(file) as picture:
        width, height = picture.size
    return width, height


def _common_size(files: Sequence[Path]) -> tuple[int, int]:
    """Width and height of every picture, from their headers alone."""
    sizes = []
    for file in files:
        sizes.append(image_size(file))
        if sizes[-1] != sizes[0]:
            ours, first = (f"{w} x {h}" for w, h in (sizes[-1], sizes[0]))
            raise scene_error(file, f"is {ours} pixels, {files[0].name} is {first}; all must be alike")
    return sizes[0]


def _open(file: Path) -> Any:
    from PIL import Image, UnidentifiedImageError

    if not file.is_file():
        raise scene_error(file, "is missing or no plain file")
    try:
        with file.open("rb") as head:
            if head.read(8)[:3] not in (b"\x89PN", b"\xff\xd8\xff"):
                raise scene_error(file, "is neither PNG nor JPEG")
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(file, formats=("PNG", "JPEG"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        most = f"{MAX_SIDE} x {MAX_SIDE}"
        raise scene_error(file, f"claims more than the {most} pixels that are read") from None
    except (UnidentifiedImageError, *_DECODING) as error:
        raise _broken(file, error) from None
    if picture.mode not in _MODES:
        raise scene_error(file, f"has the colour mode {picture.mode}; save it with 8 bits, RGB or RGBA")
    return picture


_DECODING = (OSError, SyntaxError, EOFError, MemoryError, ValueError, struct.error, zlib.error)


def _broken(file: Path, error: Exception) -> Exception:
    return scene_error(file, f"cannot be decoded ({error})")


def _decode(file: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with _open(file) as picture:
        try:
            mode = "RGBA" if "transparency" in picture.info else _MODES[picture.mode]
            return np.asarray(picture.convert("RGB" if mode == "L" else mode))
        except _DECODING as error:
            raise _broken(file, error) from None


def _shrink(
    pixels: np.ndarray[Any, np.dtype[np.uint8]], factor: int
) -> tuple[Float32, Float32 | float]:
    """Premultiplied colours and alphas, each block's mean."""
    values: Float32 = pixels.astype(np.float32)
    values /= 255
    if pixels.shape[2] == 4:
        values[..., :3] *= values[..., 3:]
    height, width = (size // factor for size in pixels.shape[:2])
    blocks = values[: height * factor, : width * factor].reshape(height, factor, width, factor, -1)
    means: Float32 = blocks.mean((1, 3), dtype=np.float32) if factor > 1 else values
    return means[..., :3], means[..., 3] if pixels.shape[2] == 4 else 1.0


def image_folder(folder: Path, downscale: int) -> tuple[Path, int]:
    """`images_N` where it is there for a downscale of N, else `images`; and N, or 1."""
    if downscale > 1 and (folder / f"images_{downscale}").is_dir():
        return inside(folder, f"images_{downscale}", folder), downscale
    if not (folder / "images").is_dir():
        raise scene_error(folder, "has no folder `images` with the photographs")
    return inside(folder, "images", folder), 1
