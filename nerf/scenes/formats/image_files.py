"""Opens and decodes image files; headers are checked before pixels are decoded."""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.formats.scene_checks import MAX_IMAGE_PIXELS, MEGAPIXELS, scene_error
from nerf.scenes.formats.untrusted_files import check_downloaded

Bytes = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
"""Pillow's names of the formats that are read."""

_CONVERSIONS = {
    "1": "L",
    "L": "L",
    "P": "RGBA",
    "PA": "RGBA",
    "RGB": "RGB",
    "LA": "RGBA",
    "RGBA": "RGBA",
    "RGBX": "RGB",
    "CMYK": "RGB",
    "YCbCr": "RGB",
}
"""Pillow's colour modes that are read, and the mode that each is converted to."""

_16_BITS = ("I;16", "I;16B", "I;16L", "I")
_TURNED = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""

_ORIENTATION = 0x0112  # EXIF tag
_DECODING_ERRORS = (
    OSError,
    SyntaxError,
    EOFError,
    MemoryError,
    ValueError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Header:
    """What an image file says of itself before its pixels are decoded."""

    size: tuple[int, int]
    """Width and height as the pixels lie in the file."""
    is_turned: bool
    """Whether its EXIF orientation says to swap width and height."""
    has_alpha: bool

    @property
    def turned_size(self) -> tuple[int, int]:
        """Width and height as its EXIF orientation says to show it."""
        width, height = self.size
        return (height, width) if self.is_turned else (width, height)


def read_header(file: Path) -> Header:
    """Reads a header; raises `InputError` unless this is an image that `decode` reads."""
    with open_image(file) as image:
        try:
            orientation = image.getexif().get(_ORIENTATION)
        except _DECODING_ERRORS:
            orientation = None  # damaged EXIF does not matter to the pixels
        width, height = image.size
        has_alpha = _CONVERSIONS.get(image.mode) == "RGBA" or "transparency" in image.info
        return Header((width, height), orientation in _TURNED, has_alpha)


def image_size(file: Path) -> tuple[int, int]:
    """Width and height as the pixels lie in the file, from its header alone."""
    return read_header(file).size


def decode(file: Path, turn: bool = False) -> Bytes:
    """The pixels (height, width, 3 or 4), turned by their EXIF orientation with `turn`.

    16 bits are rounded to 8.
    """
    from PIL import ImageOps

    with open_image(file) as image:
        try:
            shown = ImageOps.exif_transpose(image) if turn else image
            if image.mode in _16_BITS:
                return _from_16_bits(file, np.asarray(shown))
            mode = "RGBA" if "transparency" in image.info else _CONVERSIONS[image.mode]
            return np.asarray(shown.convert("RGB" if mode == "L" else mode))
        except _DECODING_ERRORS as error:
            raise _decoding_error(file, error) from None


def _from_16_bits(file: Path, values: NDArray[Any]) -> Bytes:
    """Grey values 0 to 65535 as bytes (height, width, 3)."""
    if values.min() < 0 or values.max() > 65535:
        raise scene_error(
            file, f"has grey values from {values.min()} to {values.max()}; save it with 16 bits"
        )
    grey = np.rint(values / 257).astype(np.uint8)  # 65535 = 257 * 255
    return np.repeat(grey[..., None], 3, axis=2)


def open_image(file: Path) -> Any:
    """Opens an image file with Pillow, without decoding its pixels.

    Raises `InputError` for other files, and for images with more pixels than are read.
    """
    from PIL import Image, UnidentifiedImageError

    if not file.is_file():
        raise scene_error(file, "is missing or not a regular file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise scene_error(
            file, f"claims more than {MEGAPIXELS} megapixels, the most that are read; resize it"
        ) from None
    except UnidentifiedImageError:
        names = ", ".join(FORMATS)
        check_downloaded(file)
        if not file.stat().st_size:
            raise scene_error(file, "is empty; copy it again") from None
        raise scene_error(file, f"is not an image of {names}; convert it to one") from None
    except _DECODING_ERRORS as error:
        raise _decoding_error(file, error) from None
    if math.prod(image.size) > MAX_IMAGE_PIXELS:
        width, height = image.size
        raise scene_error(
            file, f"has {width} x {height} pixels, over {MEGAPIXELS} megapixels; resize it"
        )
    if image.mode not in (*_CONVERSIONS, *_16_BITS):
        raise scene_error(
            file, f"has the colour mode {image.mode}; save it with 8 bits, RGB or RGBA"
        )
    return image


def _decoding_error(file: Path, error: Exception) -> Exception:
    return scene_error(file, f"cannot be decoded ({error}); export or copy it again")
