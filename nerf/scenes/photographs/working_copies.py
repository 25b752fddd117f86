"""Working copies of photographs for COLMAP: upright, shrunk, RGB, with names without spaces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.progress import progress_bar
from nerf.scenes.formats.image_files import open_image

LONGEST_SIDE = 1000
"""Pixels: larger pictures are shrunk to it. Details finer than that place cameras no better."""

_ORIENTATION, _EXIF_FOLDER, _FOCAL_35MM = 0x0112, 0x8769, 0xA405  # tags
_SWAPPING = (5, 6, 7, 8)  # orientations that swap width and height
_DIAGONAL_35MM = math.hypot(36, 24)  # millimetres of a 35 mm film's frame


@dataclass(frozen=True)
class WorkingCopy:
    """A picture's copy, `name` in the folder of copies, and what is known of its camera."""

    original: Path
    name: str
    width: int  # pixels of the copy
    height: int
    full_size: tuple[int, int]  # pixels of the original, width and height
    focal: float | None = None  # pixels of the copy, from EXIF

    @property
    def camera(self) -> tuple[object, ...]:
        """Pictures for which this is equal are taken to come from one camera."""
        return self.full_size, self.focal


def write_copies(files: Sequence[Path], folder: Path) -> tuple[list[WorkingCopy], list[Path]]:
    """Writes copies to `folder`; returns them, and the files that cannot be read."""
    copies, unreadable = [], []
    with progress_bar("shrinking pictures", len(files)) as advance:
        for index, file in enumerate(files):
            try:
                copies.append(_write_copy(file, folder, f"{index:05d}.png"))
            except (OSError, ValueError, SyntaxError):  # Pillow's, and those of `open_image`
                unreadable.append(file)
            advance(1)
    return copies, unreadable


def _write_copy(file: Path, folder: Path, name: str) -> WorkingCopy:
    from PIL import ImageOps

    with open_image(file) as image:
        full_size = image.size
        exif = image.getexif()
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # large JPEGs decode faster
        pixels = _to_rgb(image)
    # Only as the scene's reader turns them: where the size of the camera shows it.
    if exif.get(_ORIENTATION) in _SWAPPING and full_size[0] != full_size[1]:
        pixels.getexif()[_ORIENTATION] = exif[_ORIENTATION]
        pixels = ImageOps.exif_transpose(pixels)
        full_size = full_size[::-1]
    pixels.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    pixels.save(folder / name, compress_level=1)
    return WorkingCopy(
        original=file,
        name=name,
        width=pixels.width,
        height=pixels.height,
        full_size=full_size,
        focal=_focal_in_pixels(exif.get_ifd(_EXIF_FOLDER).get(_FOCAL_35MM), pixels.size),
    )


def _to_rgb(image: Any) -> Any:
    """RGB pixels; what is transparent becomes white, and 16 bits become 8."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits, which convert() would clip
        image = image.point(lambda value: value / 256).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")


def _focal_in_pixels(focal_35mm: object, size: tuple[int, int]) -> float | None:
    """The focal length that EXIF gives as its equivalent for 35 mm film, or None."""
    if not isinstance(focal_35mm, int | float) or not focal_35mm > 0:
        return None
    return focal_35mm / _DIAGONAL_35MM * math.hypot(*size)
