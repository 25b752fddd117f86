"""Contact sheet of a run: the field after each evaluation, all images in `progress.png`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from nerf.common.files import replace_atomically
from nerf.evaluation.evaluate import RenderedImage

COLUMNS = 6
"""Images in a row of the sheet, at most."""


class ContactSheet:
    """Saves images to `folder/progress/` and shows all of them in `folder/progress.png`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, step: int, render: Callable[[], RenderedImage]) -> None:
        """Renders and saves the image of `step`; a resumed run continues the same sheet."""
        # A diverged field renders NaN, shown as black.
        pixels = (np.nan_to_num(render().rgb.numpy()) * 255 + 0.5).astype(np.uint8)
        replace_atomically(
            self._folder / "progress" / f"{step:08d}.png", lambda path: iio.imwrite(path, pixels)
        )
        files = sorted((self._folder / "progress").glob("[0-9]*.png"))
        sheet = tile([np.asarray(iio.imread(file)) for file in files])
        replace_atomically(self._folder / "progress.png", lambda path: iio.imwrite(path, sheet))


def tile(images: list[np.ndarray]) -> np.ndarray:
    """Arranges images of one size, (height, width, 3) uint8, in rows of `COLUMNS`."""
    height, width, _ = images[0].shape
    rows = math.ceil(len(images) / COLUMNS)
    columns = min(len(images), COLUMNS)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for index, image in enumerate(images):
        row, column = divmod(index, COLUMNS)
        sheet[row * height :, column * width :][:height, :width] = image
    return sheet
