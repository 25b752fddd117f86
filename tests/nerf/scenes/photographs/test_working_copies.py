from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerf.scenes.photographs.working_copies import LONGEST_SIDE, write_copies
from tests.nerf.scenes.formats.damage import png_header


def exif(orientation: int | None = None, focal_35mm: int | None = None) -> Image.Exif:
    tags = Image.Exif()
    if orientation is not None:
        tags[0x0112] = orientation
    if focal_35mm is not None:
        tags.get_ifd(0x8769)[0xA405] = focal_35mm
    return tags


def test_large_pictures_are_turned_upright_and_shrunk(tmp_path: Path) -> None:
    Image.new("RGB", (2400, 1200)).save(tmp_path / "phone.jpg", exif=exif(orientation=6))
    (copy,), _ = write_copies([tmp_path / "phone.jpg"], tmp_path)
    assert copy.full_size == (1200, 2400)
    assert (copy.width, copy.height) == (LONGEST_SIDE // 2, LONGEST_SIDE)
    assert Image.open(tmp_path / copy.name).size == (copy.width, copy.height)


def test_only_turns_that_the_size_shows_are_made(tmp_path: Path) -> None:
    upside_down = np.zeros((40, 60, 3), np.uint8)
    upside_down[:20] = 255
    Image.fromarray(upside_down).save(tmp_path / "phone.jpg", exif=exif(orientation=3))
    (copy,), _ = write_copies([tmp_path / "phone.jpg"], tmp_path)
    assert np.asarray(Image.open(tmp_path / copy.name))[:10].min() > 200


def test_the_focal_length_is_read_from_exif(tmp_path: Path) -> None:
    # 36 mm on 36 mm x 24 mm film: as far from the image as that is wide.
    Image.new("RGB", (600, 400)).save(tmp_path / "known.jpg", exif=exif(focal_35mm=36))
    Image.new("RGB", (600, 400)).save(tmp_path / "unknown.jpg")
    copies, _ = write_copies([tmp_path / "known.jpg", tmp_path / "unknown.jpg"], tmp_path)
    assert copies[0].focal == pytest.approx(600)
    assert copies[1].focal is None
    assert copies[0].camera != copies[1].camera


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "I;16"])
def test_every_colour_mode_becomes_rgb(mode: str, tmp_path: Path) -> None:
    grey = np.full((20, 30), 100, np.uint8)
    wide = grey.astype(np.uint16) * 257
    image = Image.fromarray(wide) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    image.save(tmp_path / "grey.png")
    (copy,), _ = write_copies([tmp_path / "grey.png"], tmp_path)
    np.testing.assert_allclose(np.asarray(Image.open(tmp_path / copy.name)), 100, atol=3)


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 30), (200, 0, 0, 0)).save(tmp_path / "clear.png")
    (copy,), _ = write_copies([tmp_path / "clear.png"], tmp_path)
    assert np.asarray(Image.open(tmp_path / copy.name)).min() == 255


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe0 and no more", png_header(30_000, 30_000)])
def test_damaged_and_huge_files_are_returned_apart(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert write_copies([tmp_path / "a.jpg"], tmp_path) == ([], [tmp_path / "a.jpg"])
