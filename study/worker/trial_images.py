"""Images of a trial as one picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nerf.common.errors import InputError


def side_by_side(images: Mapping[str, np.ndarray | Callable[[], Any]]) -> np.ndarray:
    """(height, width, 3) uint8: the images beside one another, in order, aligned at the top.

    A function stands for the image that it returns. Raises `InputError` for what is no image.
    """
    parts = [_as_rgb(name, image() if callable(image) else image) for name, image in images.items()]
    height = max(part.shape[0] for part in parts)
    padded = [np.pad(part, ((0, height - part.shape[0]), (0, 0), (0, 0))) for part in parts]
    return np.concatenate(padded, axis=1)


def _as_rgb(name: str, image: Any) -> np.ndarray:
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise InputError(
            f"run.image({name!r}): an image has the shape (height, width) or (height, width, 3), "
            f"got {pixels.shape}"
        )
    if pixels.dtype == np.uint8:
        return pixels
    scaled: np.ndarray = np.clip(np.nan_to_num(pixels.astype(float)), 0, 1) * 255 + 0.5
    return scaled.astype(np.uint8)
