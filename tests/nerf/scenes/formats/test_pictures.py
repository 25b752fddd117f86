"""Pictures as people have them: other formats and sizes, turned, shrunk, masked, too many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nerf.common.errors import InputError
from nerf.scenes import Scene, load, load_saved
from nerf.scenes.cameras.pixel_rays import project
from nerf.scenes.formats import read_pictures
from nerf.scenes.formats.image_files import decode, read_header
from nerf.scenes.formats.mask_files import read_mask
from tests.nerf.scenes import scene_writers
from tests.nerf.scenes.formats.damage import png_header
from tests.nerf.scenes.scene_writers import HEIGHT, NAMES, VIEWS, WIDTH

JSON = "transforms.json"
TURN_RIGHT = 6  # EXIF: the picture is shown after a quarter turn clockwise


def capture(tmp_path: Path) -> Path:
    return scene_writers.write_instant_ngp(tmp_path / "scene", lens=(0.0, 0.0, 0.0, 0.0))


def replace_picture(folder: Path, view: int, image: Image.Image, **options: Any) -> None:
    image.save(folder / "images" / NAMES[view], **options)


def picture(folder: Path, view: int) -> Image.Image:
    with Image.open(folder / "images" / NAMES[view]) as image:
        return image.copy()


def place_of_origin(scene: Scene, view: int) -> tuple[float, float]:
    column, row, _ = project(scene, view, np.zeros((1, 3)))
    return float(column[0]), float(row[0])


def test_a_picture_of_60_megapixels_is_one(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_header(9504, 6336))
    assert read_header(tmp_path / "a.png").size == (9504, 6336)


@pytest.mark.parametrize("suffix", [".webp", ".bmp", ".tiff", ".png"])
def test_lossless_formats_give_the_same_pixels(tmp_path: Path, suffix: str) -> None:
    pixels = scene_writers.pixels()[0, ..., :3]
    Image.fromarray(pixels).save(tmp_path / f"a{suffix}", lossless=True)
    np.testing.assert_array_equal(decode(tmp_path / f"a{suffix}"), pixels)


def test_grey_values_of_16_bits_become_the_nearest_bytes(tmp_path: Path) -> None:
    values = np.array([[0, 128, 129, 257 * 7, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png")[0].tolist() == [[v] * 3 for v in (0, 0, 1, 7, 255)]


def test_a_turned_picture_is_shown_upright_only_where_its_camera_is_for_that(
    tmp_path: Path,
) -> None:
    folder = capture(tmp_path)
    upright = load(str(folder))
    exif = Image.Exif()
    exif[0x0112] = TURN_RIGHT
    for view in range(VIEWS):
        on_its_side = picture(folder, view).transpose(Image.Transpose.ROTATE_90)
        replace_picture(folder, view, on_its_side, exif=exif)
    assert read_header(folder / "images" / NAMES[0]).size == (HEIGHT, WIDTH)
    scene = load(str(folder))
    np.testing.assert_array_equal(scene.images, upright.images)
    assert "8 images are turned by their EXIF orientation, as their cameras are" in scene.notes
    scene_writers.edit_json(folder / JSON, w=HEIGHT, h=WIDTH)
    assert (load(str(folder)).width, load(str(folder)).height) == (HEIGHT, WIDTH)


def test_a_camera_is_scaled_to_a_picture_that_was_shrunk_in_place(tmp_path: Path) -> None:
    folder = capture(tmp_path)
    whole = load(str(folder))
    for view in range(VIEWS):
        replace_picture(folder, view, picture(folder, view).resize((WIDTH // 2, HEIGHT // 2)))
    small = load(str(folder))
    assert f"8 cameras are for images of {WIDTH} x {HEIGHT}: scaled to 6 x 5" in small.notes
    for view in range(VIEWS):
        expected = np.array(place_of_origin(whole, view)) / 2
        np.testing.assert_allclose(place_of_origin(small, view), expected, atol=1e-5)


def test_a_picture_of_another_shape_than_its_camera_s_is_refused(tmp_path: Path) -> None:
    folder = capture(tmp_path)
    replace_picture(folder, 3, picture(folder, 3).transpose(Image.Transpose.ROTATE_90))
    with pytest.raises(InputError, match=r"12 x 10 pixels, 03.png has 10 x 12; turn the image"):
        load(str(folder))


def mix_sizes(folder: Path) -> dict[int, tuple[int, int]]:
    """Makes one picture portrait and another a column narrower, with cameras of those sizes."""
    sizes = {2: (8, 14), 5: (WIDTH - 1, HEIGHT)}
    for view, (width, height) in sizes.items():
        draw = np.random.default_rng(view).integers(0, 256, (height, width, 3), np.uint8)
        replace_picture(folder, view, Image.fromarray(draw))
        scene_writers.edit_frame(
            folder / JSON, view, w=width, h=height, cx=width / 2, cy=height / 2
        )
    return sizes


def test_pictures_of_several_sizes_are_padded_and_the_padding_is_not_valid(
    tmp_path: Path,
) -> None:
    folder = capture(tmp_path)
    sizes = mix_sizes(folder)
    scene = load(str(folder))
    assert (scene.width, scene.height) == (WIDTH, 14)
    assert scene.images.valid is not None
    for view in range(VIEWS):
        width, height = sizes.get(view, (WIDTH, HEIGHT))
        assert scene.images.frame(view) == (0, 0, height, width)
        assert scene.images.valid[view].sum() == width * height
        shown = np.asarray(picture(folder, view)) / np.float32(255)
        np.testing.assert_array_equal(scene.images[view, :height, :width], shown)
    assert any(note.startswith("images of 3 sizes (6 of 12 x 10") for note in scene.notes)
    small = load(str(folder), downscale=2)
    assert (small.width, small.height) == (WIDTH // 2, 7)
    assert [small.images.frame(view)[2:] for view in (0, 2, 5)] == [(5, 6), (7, 4), (5, 5)]


def add_masks(folder: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
    """Masks that leave out the left third of each picture."""
    mask = np.full(size[::-1], 255, np.uint8)
    mask[:, : size[0] // 3] = 0
    for view, name in enumerate(NAMES):
        Image.fromarray(mask).save(folder / f"mask_{name}")
        scene_writers.edit_frame(folder / JSON, view, mask_path=f"mask_{name}")


@pytest.mark.parametrize("scale", [1, 3])
def test_masks_leave_out_pixels_of_any_picture_size(tmp_path: Path, scale: int) -> None:
    folder = capture(tmp_path)
    plain = load(str(folder)).content_hash
    add_masks(folder, (scale * WIDTH, scale * HEIGHT))
    scene = load(str(folder))
    assert scene.images.valid is not None
    assert (scene.images.valid == (np.arange(WIDTH) >= WIDTH // 3)).all()
    assert "8 images have masks, which leave out 33.3 % of their pixels" in scene.notes
    assert scene.content_hash != plain
    small = load(str(folder), downscale=5)  # columns 0 to 4 and 5 to 9: the first is cut
    assert small.images.valid is not None
    assert small.images.valid[0].tolist() == [[False, True], [False, True]]


def test_a_mask_may_be_ones_inverted_or_an_alpha_channel(tmp_path: Path) -> None:
    ones = np.eye(4, dtype=np.uint8)
    Image.fromarray(ones).save(tmp_path / "ones.png")
    rgba = np.full((4, 4, 4), 255, np.uint8)
    rgba[..., 3] = 255 * ones
    Image.fromarray(rgba).save(tmp_path / "alpha.png")
    for name in ("ones.png", "alpha.png"):
        np.testing.assert_array_equal(read_mask(tmp_path / name, (4, 4)), ones == 1)
    inverted = read_mask(tmp_path / "ones.png", (4, 4), is_inverted=True)
    np.testing.assert_array_equal(inverted, ones == 0)
    with pytest.raises(InputError, match="mask of 4 x 4 pixels for an image of 8 x 4"):
        read_mask(tmp_path / "ones.png", (8, 4))


def test_pictures_that_are_too_large_together_are_shrunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = capture(tmp_path)
    expected = np.rint(255 * np.asarray(load(str(folder), downscale=3).images)).astype(int)
    monkeypatch.setattr(read_pictures, "MAX_VALUES", VIEWS * WIDTH * HEIGHT)
    monkeypatch.setattr(read_pictures, "MAX_SHRUNK_VALUES", VIEWS * WIDTH * HEIGHT // 2)
    scene = load(str(folder))
    assert (scene.width, scene.height) == (WIDTH // 3, HEIGHT // 3)
    assert scene.images.colours.dtype == np.uint8
    np.testing.assert_array_equal(scene.images.colours, expected)
    assert any("8 images of 12 x 10 are read 3 times smaller" in note for note in scene.notes)
    assert any("--downscale N" in note for note in scene.notes)


def test_a_study_of_an_earlier_version_finds_its_scene_again(tmp_path: Path) -> None:
    """Then "white" was what "auto" is now, for photographs."""
    folder = str(capture(tmp_path))
    earlier = load(folder).content_hash
    assert load(folder, background="white").content_hash != earlier
    again = load_saved(folder, earlier, downscale=1, background="white")
    assert again.content_hash == earlier
    changed = load_saved(folder, "another", downscale=1, background="white")
    assert changed.content_hash == load(folder, background="white").content_hash
