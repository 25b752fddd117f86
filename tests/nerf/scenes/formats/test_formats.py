"""One scene written in every format loads with the same cameras and images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerf.common.errors import InputError
from nerf.scenes import Scene, load
from nerf.scenes.cameras.pixel_rays import project
from nerf.scenes.formats.camera_models import COLMAP_MODELS
from tests.nerf.scenes import scene_writers
from tests.nerf.scenes.real_scenes import REAL_SCENES, needs_real_scenes
from tests.nerf.scenes.scene_writers import WRITERS


@pytest.fixture(params=WRITERS)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    return load(str(WRITERS[request.param](tmp_path / "scene")))


def test_cameras_are_the_same_up_to_a_similarity(scene: Scene) -> None:
    """Angles between cameras, ratios of distances, and left-handedness all survive."""
    poses = scene_writers.poses(), scene.world_from_camera.astype(np.float64)
    between = [p[:, None, :3, :3].swapaxes(-1, -2) @ p[None, :, :3, :3] for p in poses]
    np.testing.assert_allclose(*between, atol=1e-5)
    steps = [
        np.einsum("vji,vwj->vwi", p[:, :3, :3], p[None, :, :3, 3] - p[:, None, :3, 3])
        for p in poses
    ]
    scale = np.linalg.norm(steps[1]) / np.linalg.norm(steps[0])
    np.testing.assert_allclose(steps[1], scale * steps[0], atol=1e-4)


def test_the_frame_is_canonical(scene: Scene) -> None:
    eyes = scene.world_from_camera[:, :3, 3]
    assert np.linalg.norm(eyes, axis=1).mean() == pytest.approx(4.0, abs=0.05)
    np.testing.assert_allclose(eyes - 4 * scene.world_from_camera[:, :3, 2], 0, atol=0.1)


def test_bounds_lie_around_the_object(scene: Scene) -> None:
    assert 0.3 < scene.bounds.near < 3.7  # the lower end is the guess where nothing matches
    assert 4.3 < scene.bounds.far < 12.1
    assert scene.bounds.basis


def test_splits_are_disjoint_and_the_summary_is_one_line(scene: Scene) -> None:
    views = [*scene.train, *scene.val, *scene.test]
    assert sorted(views) == list(range(8))
    assert "\n" not in scene.summary
    for part in ("8 views of 12 x 10", f"{len(scene.val)} val", "near", "far", scene.description):
        assert part in scene.summary


@pytest.mark.parametrize("kind", ["COLMAP", "LLFF", "instant-ngp"])
def test_images_are_in_order(tmp_path: Path, kind: str) -> None:
    scene = load(str(WRITERS[kind](tmp_path / "scene")))
    np.testing.assert_allclose(scene.images, scene_writers.pixels()[..., :3] / 255, atol=1e-6)


def test_blender_is_composited_premultiplied(tmp_path: Path) -> None:
    folder = scene_writers.write_blender(tmp_path / "scene")
    alphas = scene_writers.pixels()[..., 3:] / 255
    for background, colour in (("white", 1.0), ("black", 0.0)):
        scene = load(str(folder), background=background)
        expected = alphas * scene_writers.pixels()[..., :3] / 255 + (1 - alphas) * colour
        np.testing.assert_allclose(scene.images, expected, atol=1e-6)
        np.testing.assert_array_equal(scene.background, colour)
        np.testing.assert_allclose(scene.images.alpha(np.s_[:]), alphas[..., 0], atol=1e-6)
    np.testing.assert_allclose(
        scene.with_background("white").images, load(str(folder)).images, atol=1e-6
    )
    assert scene.with_background("white").content_hash != scene.content_hash


def write_before_a_white_sheet(folder: Path) -> Path:
    """Writes photographs of a small object before a white sheet."""
    scene_writers.write_instant_ngp(folder)
    for image in (folder / "images").iterdir():
        pixels = np.array(Image.open(image))
        object_pixels = pixels[3:7, 4:9].copy()
        pixels[:] = 255
        pixels[3:7, 4:9] = object_pixels
        Image.fromarray(pixels).save(image)
    return folder


def test_a_photograph_before_a_white_sheet_has_a_white_background(tmp_path: Path) -> None:
    without = scene_writers.write_instant_ngp(tmp_path / "without")
    assert (load(str(without)).background == 0).all()
    scene = load(str(write_before_a_white_sheet(tmp_path / "scene")))
    assert (scene.background == 1).all()
    assert "before a backdrop of #ffffff" in scene.summary


def test_background_none_recognises_no_backdrop(tmp_path: Path) -> None:
    folder = write_before_a_white_sheet(tmp_path / "scene")
    scene = load(str(folder), background="none")
    assert (scene.background == 0).all()
    assert "backdrop" not in scene.summary
    np.testing.assert_array_equal(scene.images, load(str(folder)).images)


def test_background_none_is_for_photographs(tmp_path: Path) -> None:
    folder = scene_writers.write_blender(tmp_path / "scene")
    with pytest.raises(InputError, match="alpha channel, which --background none does not fit"):
        load(str(folder), background="none")
    with pytest.raises(InputError, match="bricks is not a folder"):
        load("bricks", background="none")


@pytest.mark.usefixtures("unchecked_shapes")
def test_an_unknown_background_is_refused(tmp_path: Path) -> None:
    folder = scene_writers.write_blender(tmp_path / "scene")
    with pytest.raises(InputError, match="one of auto, white, black, none, got 'grey'"):
        load(str(folder), background="grey")  # type: ignore[arg-type]


def test_downscale_averages_premultiplied_blocks(tmp_path: Path) -> None:
    folder = scene_writers.write_blender(tmp_path / "scene")
    whole, small = load(str(folder)), load(str(folder), downscale=3)
    assert small.images.shape == (8, 3, 4, 3)  # ten rows leave one over
    means = whole.images[:, :9].reshape(8, 3, 3, 4, 3, 3).mean((2, 4))
    np.testing.assert_allclose(small.images, means, atol=1e-6)
    np.testing.assert_allclose(small.focal, whole.focal / 3)
    np.testing.assert_allclose(small.centre, whole.centre / 3)


def test_photographs_stay_as_they_are_over_any_background(tmp_path: Path) -> None:
    folder = str(scene_writers.write_instant_ngp(tmp_path / "scene"))
    scene = load(folder)
    assert scene.with_background("black") is scene
    for white in (scene.with_background("white"), load(folder, background="white")):
        assert (white.background == 1).all()
        np.testing.assert_array_equal(white.images, scene.images)


def test_each_frame_may_have_its_own_lens(tmp_path: Path) -> None:
    folder = scene_writers.write_instant_ngp(tmp_path / "scene")
    scene_writers.edit_frame(folder / "transforms.json", 2, fl_x=20.0, k1=0.1)
    scene = load(str(folder))
    np.testing.assert_allclose(scene.focal[[0, 2]], [[15, 16], [20, 16]])
    np.testing.assert_allclose(scene.centre[0], [6.5, 4.75])
    assert scene.distortion is not None
    np.testing.assert_allclose(scene.distortion[0], scene_writers.LENS)
    np.testing.assert_allclose(scene.distortion[2], (0.1, *scene_writers.LENS[1:]))


def test_zero_coefficients_mean_no_distortion(tmp_path: Path) -> None:
    folder = scene_writers.write_instant_ngp(tmp_path / "scene", (0, 0, 0, 0))
    assert load(str(folder)).distortion is None


def test_frames_without_image_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = scene_writers.write_instant_ngp(tmp_path / "scene")
    for name in ("01", "04", "05"):
        (folder / "images" / f"{name}.png").unlink()
    scene = load(str(folder))
    assert len(scene.images) == 5
    assert "3 frames without image left out" in scene.summary


def test_frames_may_leave_out_the_png(tmp_path: Path) -> None:
    folder = scene_writers.write_instant_ngp(tmp_path / "scene")
    whole = load(str(folder)).content_hash
    for view in range(scene_writers.VIEWS):
        scene_writers.edit_frame(folder / "transforms.json", view, file_path=f"./images/{view:02d}")
    assert load(str(folder)).content_hash == whole


def test_nerfstudios_split_is_used(tmp_path: Path) -> None:
    folder = scene_writers.write_instant_ngp(tmp_path / "scene")
    names = [f"images/{name}" for name in scene_writers.NAMES]
    scene_writers.edit_json(
        folder / "transforms.json",
        train_filenames=names[:5],
        val_filenames=names[5:6],
        test_filenames=names[6:],
    )
    scene = load(str(folder))
    assert (scene.train, scene.val, scene.test) == ((0, 1, 2, 3, 4), (5,), (6, 7))


def test_blenders_split_is_used_and_completed(tmp_path: Path) -> None:
    folder = scene_writers.write_blender(tmp_path / "scene")
    scene = load(str(folder))
    assert (scene.train, scene.val, scene.test) == ((0, 1, 2, 3, 4, 5), (6,), (7,))
    (folder / "transforms_val.json").unlink()
    scene = load(str(folder))
    assert (scene.train, scene.val, scene.test) == ((0, 1, 2, 3, 5), (4,), (6,))


@pytest.mark.parametrize("model", COLMAP_MODELS)
def test_colmap_projects_its_points_where_colmap_does(tmp_path: Path, model: str) -> None:
    """Through the canonical frame and back: the pixel is the one that COLMAP itself computes."""
    pycolmap = pytest.importorskip("pycolmap")
    text = model.startswith("SIMPLE")
    folder = scene_writers.write_colmap(tmp_path / "scene", model, text)
    scene, theirs = load(str(folder)), pycolmap.Reconstruction(str(folder / "sparse" / "0"))
    assert scene.points is not None
    for view, image in enumerate(theirs.images[key] for key in sorted(theirs.images)):
        column, row, depth = project(scene, view, scene.points)
        for index, point in enumerate(scene_writers.points()):
            assert image.project_point(point) == pytest.approx(
                (column[index], row[index]), abs=1e-3
            )
        assert (depth > 0).all()


def test_colmap_uses_downscaled_images_if_they_exist(tmp_path: Path) -> None:
    folder = scene_writers.write_colmap(tmp_path / "scene")
    whole = load(str(folder))
    (folder / "images_2").mkdir()
    for name in scene_writers.NAMES:
        Image.new("RGB", (6, 5), (255, 0, 0)).save(folder / "images_2" / name)
    small = load(str(folder), downscale=2)
    np.testing.assert_allclose(small.images, np.broadcast_to([1.0, 0, 0], (8, 5, 6, 3)))
    np.testing.assert_allclose(small.focal, whole.focal / 2)
    np.testing.assert_allclose(small.centre, whole.centre / 2)


def test_llffs_depths_become_distances_with_a_margin(tmp_path: Path) -> None:
    scene = load(str(scene_writers.write_llff(tmp_path / "scene")))
    corner = np.sqrt(scene_writers.WIDTH**2 + scene_writers.HEIGHT**2) / 2
    slant = np.sqrt(corner**2 + scene_writers.FOCAL**2) / scene_writers.FOCAL
    scale = 4 / 4.0311  # of the written cameras to the canonical ones
    assert scene.bounds.near == pytest.approx(0.9 * 3 * scale, rel=1e-2)
    assert scene.bounds.far == pytest.approx(1.1 * 5 * slant * scale, rel=1e-2)


@needs_real_scenes
@pytest.mark.parametrize(
    ("name", "views", "size", "description"),
    [
        ("lego_200", 100, (100, 100), "Blender"),
        ("fox", 50, (67, 120), "17 frames without image"),
        ("cup_colmap", 77, (400, 300), "COLMAP reconstruction with 9262 points"),
    ],
)
def test_real_scenes(name: str, views: int, size: tuple[int, int], description: str) -> None:
    scene = load(f"{REAL_SCENES}/{name}", downscale=2)
    assert (len(scene.images), scene.width, scene.height) == (views, *size)
    assert description in scene.summary
    assert 0.5 < scene.bounds.near < 3.0
    assert 5.0 < scene.bounds.far < 12.0


@needs_real_scenes
def test_colmap_and_llff_agree_about_the_same_capture(tmp_path: Path) -> None:
    """Two writers of one reconstruction: the same cameras, up to scale, in the same order."""
    (tmp_path / "images").mkdir()
    for file in (Path(REAL_SCENES) / "cup_colmap" / "images").iterdir():
        (tmp_path / "images" / file.name).write_bytes(file.read_bytes())
    table = Path(REAL_SCENES) / "cup_colmap" / "poses_bounds.npy"
    (tmp_path / "poses_bounds.npy").write_bytes(table.read_bytes())
    llff = load(str(tmp_path), downscale=8)
    colmap = load(f"{REAL_SCENES}/cup_colmap", downscale=8)
    np.testing.assert_array_equal(llff.images, colmap.images)
    between = [
        s.world_from_camera[0, :3, :3].T @ s.world_from_camera[:, :3, :3] for s in (llff, colmap)
    ]
    np.testing.assert_allclose(*between, atol=1e-4)
    # This table has the first view's focal length for every view.
    np.testing.assert_allclose(llff.focal, np.tile(colmap.focal[:1], (77, 1)), rtol=1e-6)
