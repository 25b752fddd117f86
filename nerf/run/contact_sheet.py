"""The field as it grows: one picture per evaluation, side by side in `progress.png`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from nerf.common.files import replace_atomically
from nerf.evaluation.evaluate import RenderedImage

COLUMNS = 6


class ContactSheet:
    """Keeps every picture in `folder/progress/` and all of them in `folder/progress.png`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, step: int, picture: Callable[[], RenderedImage]) -> None:
        """Puts one picture after those before it; a resumed run goes on with the same sheet."""
        pixels = (np.nan_to_num(picture().rgb.numpy()) * 255 + 0.5).astype(np.uint8)
        replace_atomically(
            self._folder / "progress" / f"{step:08d}.png", lambda path: iio.imwrite(path, pixels)
        )
        files = sorted((self._folder / "progress").glob("[0-9]*.png"))
        sheet = tile([np.asarray(iio.imread(file)) for file in files])
        replace_atomically(self._folder / "progress.png", lambda path: iio.imwrite(path, sheet))


def tile(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures of one size (h, w, 3) uint8 in rows of `COLUMNS`, read like a page."""
    height, width, _ = pictures[0].shape
    rows = math.ceil(len(pictures) / COLUMNS)
    columns = min(len(pictures), COLUMNS)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, COLUMNS)
        sheet[row * height :, column * width :][:height, :width] = picture
    return sheet
