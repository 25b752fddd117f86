"""Contact sheet of a run: the field after each evaluation, all in `progress.png`, the truth last.

Each picture stands below its step and PSNR: colour, and below it depth, which is white at near and
black at far. The photograph stands beside the last one. torch is not needed to lay out the sheet.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nerf.common.files import replace_atomically

if TYPE_CHECKING:
    from nerf.config.schema import Sampling
    from nerf.evaluation.evaluate import RenderedImage
    from nerf.scenes.scene import Scene
    from nerf.training.run import Progress

COLUMNS = (5, 6, 7)
"""Pictures in a row of the sheet: what leaves the fewest places of the last row empty."""
_MIN_WIDTH = 120
"""Pixels of a picture on the sheet; smaller ones are enlarged by a whole number."""
_CAPTION, _MARGIN, _FONT = 36, 6, 13  # pixels
_PAPER, _INK = (255, 255, 255), (40, 44, 52)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class _Tile:
    """A picture of the sheet: its caption of two lines, colour above depth or colour alone."""

    caption: str
    pixels: Pixels


class ContactSheet:
    """Saves pictures to `folder/progress/` and shows all of them in `folder/progress.png`."""

    def __init__(self, folder: Path, scene: Scene, sampling: Sampling) -> None:
        self._folder = folder
        self._scene = scene
        self._sampling = sampling
        self._latest: Pixels | None = None

    def render(self, step: int, render: Callable[[], RenderedImage]) -> None:
        """Renders the picture of `step`, which `add` saves once its PSNR is known."""
        from nerf.model.spacing import nearness

        image = render()
        depth = nearness(image.depth, self._sampling)[..., None].expand(-1, -1, 3)
        # A diverged field renders NaN, shown as black.
        both = np.concatenate([np.nan_to_num(part.numpy()) for part in (image.rgb, depth)])
        self._latest = (both * 255 + 0.5).astype(np.uint8)

    def add(self, progress: Progress) -> None:
        """Saves the latest picture with its step and PSNR; a resumed run continues the sheet."""
        if self._latest is None:
            return
        pixels, folder = self._latest, self._folder / "progress"
        caption = f"step {progress.step}\n{progress.psnr:.2f} dB"
        replace_atomically(
            folder / f"{progress.step:08d}.png", lambda path: _write(path, pixels, caption)
        )
        tiles = [_read(file) for file in sorted(folder.glob("[0-9]*.png"))]
        tiles.append(_Tile("photograph\n", self._photograph(pixels.shape[0] // 2, pixels.shape[1])))
        sheet = draw_sheet(tiles)
        replace_atomically(self._folder / "progress.png", lambda path: sheet.save(path, "PNG"))

    def _photograph(self, height: int, width: int) -> Pixels:
        """The photograph of the view that is shown, in this size."""
        from PIL import Image

        truth = (self._scene.images[self._scene.val[0]] * 255 + 0.5).astype(np.uint8)
        return np.asarray(Image.fromarray(truth).resize((width, height), Image.Resampling.BOX))


def _write(path: Path, pixels: Pixels, caption: str) -> None:
    """Writes a picture with its caption, as text of the PNG."""
    from PIL import Image, PngImagePlugin

    text = PngImagePlugin.PngInfo()
    text.add_text("Description", caption)
    Image.fromarray(pixels).save(path, "PNG", pnginfo=text)


def _read(file: Path) -> _Tile:
    """Reads a picture; one of an earlier version is colour alone, and its caption its step."""
    from PIL import Image

    with Image.open(file) as image:
        caption = str(image.info.get("Description", f"step {int(file.stem)}\n"))
        return _Tile(caption, np.asarray(image.convert("RGB")))


def draw_sheet(tiles: list[_Tile]) -> Any:
    """The sheet, a Pillow image: tiles in rows, each below its caption."""
    from PIL import Image, ImageDraw, ImageFont

    scale = math.ceil(_MIN_WIDTH / max(tile.pixels.shape[1] for tile in tiles))
    height, width = (scale * max(tile.pixels.shape[axis] for tile in tiles) for axis in (0, 1))
    columns = min(len(tiles), min(COLUMNS, key=lambda columns: -len(tiles) % columns))
    rows = math.ceil(len(tiles) / columns)
    step = width + _MARGIN, height + _CAPTION + _MARGIN
    size = columns * step[0] + _MARGIN, rows * step[1] + _MARGIN
    sheet = Image.new("RGB", size, _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT)
    for index, tile in enumerate(tiles):
        left = _MARGIN + index % columns * step[0]
        top = _MARGIN + index // columns * step[1]
        draw.multiline_text((left, top), tile.caption, fill=_INK, font=font, spacing=2)
        picture = Image.fromarray(tile.pixels)
        larger = picture.width * scale, picture.height * scale
        sheet.paste(picture.resize(larger, Image.Resampling.NEAREST), (left, top + _CAPTION))
    return sheet
