"""What a format's reader knows of one picture: its file, its camera and its mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.cameras.lens import Lens

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """An image file and its camera, in pixels of images of `size`."""

    file: Path
    pose: Float64  # world_from_camera, OpenGL
    focal: tuple[float, float]
    centre: tuple[float, float]
    lens: Lens = Lens()  # noqa: RUF009 - frozen
    mask: Path | None = None  # an image whose black pixels neither train nor count
    mask_is_inverted: bool = False  # its black pixels do, and all others do not
    size: tuple[int, int] | None = None  # width and height; None: those of the image
