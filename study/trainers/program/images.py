"""An image file that a program names in its output."""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from nerf.common.errors import InputError

_MAX_BYTES = 2**26
_MAX_SIDE = 1024


def read_image(folder: Path, name: str) -> np.ndarray:
    """(height, width) or (height, width, 3): the pixels of an image file in `folder`.

    A large image is subsampled, and what is transparent is white. Raises `InputError` for a file
    outside the folder, and for one that is not an image.
    """
    try:
        file = (folder / name).resolve()
        if not file.is_relative_to(folder.resolve()):
            raise InputError(f"{name} is not in the trial's folder")
        if file.stat().st_size > _MAX_BYTES:
            raise InputError(f"{name} has more than {_MAX_BYTES >> 20} MiB")
        pixels = np.asarray(imageio.imread(file, plugin="pillow", index=0))
    except InputError:
        raise
    except Exception as error:  # each format raises others
        raise InputError(f"{name} cannot be read: {type(error).__name__}: {error}") from None
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise InputError(f"{name} is not an image: its shape is {pixels.shape}")
    stride = -(-max(pixels.shape[:2]) // _MAX_SIDE)  # rounded up
    return _on_white(_to_eight_bits(pixels[::stride, ::stride]))


def _to_eight_bits(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * 255
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = np.clip(np.nan_to_num(pixels), 0, 1) * 255
    elif pixels.dtype != np.uint8:
        highest = np.iinfo(pixels.dtype).max
        pixels = np.clip(pixels, 0, highest) / (highest / 255)
    return np.round(pixels).astype(np.uint8)


def _on_white(pixels: np.ndarray) -> np.ndarray:
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:] / 255
    blended: np.ndarray = pixels[..., :3] * alpha + 255 * (1 - alpha) + 0.5
    return blended.astype(np.uint8)
