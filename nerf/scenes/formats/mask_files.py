"""Finds and reads masks: which pixels of a picture are trained on and count."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from nerf.scenes.formats.find_images import ImageFinder, is_image_name
from nerf.scenes.formats.image_files import decode
from nerf.scenes.formats.scene_checks import scene_error
from nerf.scenes.images import Mask

FOLDER = "masks"
"""Where COLMAP and nerfstudio have the masks of a capture, beside its images."""


class MaskFolder:
    """The masks that lie in the folder `masks` of a capture.

    `where` is the file that the images' names come from, for errors.
    """

    def __init__(self, capture: Path, where: Path, follow_links: bool = False) -> None:
        self._folder = capture / FOLDER
        self._finder = ImageFinder(self._folder, where, follow_links)
        self._is_used = False

    def find(self, name: str) -> Path | None:
        """The mask of an image: NAME.png as COLMAP has it, or STEM.png as nerfstudio has it."""
        if not self._folder.is_dir():
            return None
        stem = str(PurePosixPath(name).with_suffix(".png"))
        mask = self._finder.find_exactly(f"{name}.png") or self._finder.find_exactly(stem)
        self._is_used |= mask is not None
        return mask

    def mark_used(self, mask: Path) -> None:
        """Notes that a camera file names this mask, which may lie in the folder."""
        self._is_used |= mask.is_relative_to(self._folder)

    def notes(self) -> list[str]:
        """A line if there are masks, but none is named in a file or has an image's name."""
        if self._is_used or not self._folder.is_dir():
            return []
        masks = sorted(p.name for p in self._folder.rglob("*") if is_image_name(p.name))
        if not masks:
            return []
        return [
            f"{FOLDER}/ is not used: none of its {len(masks)} files is named as an image and .png, "
            f"the first is {masks[0][:80]}"
        ]


def read_mask(file: Path, size: tuple[int, int], is_inverted: bool = False) -> Mask:
    """Which pixels (height, width) of a picture of this size its mask file leaves.

    Black is left out, or all else if the mask is inverted. A mask with an alpha channel that is not
    opaque has its values there. One of another size is taken for a scaled copy: a pixel is left out
    if any part of it is.
    """
    from PIL import Image

    pixels = decode(file)
    values = pixels[..., :3].max(-1)
    if pixels.shape[2] == 4 and pixels[..., 3].min() < 255:
        values = pixels[..., 3]
    set_here = values >= (128 if values.max() > 1 else 1)  # some tools write 0 and 1
    kept = ~set_here if is_inverted else set_here
    height, width = kept.shape
    if (width, height) == size:
        return np.asarray(kept)
    if abs(width * size[1] / size[0] - height) > max(1.0, 0.02 * height):
        raise scene_error(
            file,
            f"is a mask of {width} x {height} pixels for an image of {size[0]} x {size[1]}; "
            "it must be of the same shape",
        )
    scaled = Image.fromarray(255 * kept.astype(np.uint8)).resize(size, Image.Resampling.BOX)
    return np.asarray(np.asarray(scaled) == 255)
