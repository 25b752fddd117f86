"""Every kind of source gives the same cameras and pictures, in its own way of writing them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerf.common.errors import InputError
from nerf.scenes import Scene, load
from nerf.scenes.cameras.pixel_rays import project
from nerf.scenes.formats.colmap_files import MODELS, read_reconstruction
from tests.nerf.scenes import scene_writers

DATA = os.environ.get("NERF_STUDY_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="NERF_STUDY_DATA names no folder of real scenes")

KINDS: dict[str, Callable[[Path], Path]] = {
    "tiny-NeRF": scene_writers.write_tiny_nerf,
    "Blender": scene_writers.write_blender,
    "transforms": scene_writers.write_instant_ngp,
    "COLMAP": scene_writers.write_colmap,
    "COLMAP text": lambda folder: scene_writers.write_colmap(folder, text=True),
    "LLFF": scene_writers.write_llff,
}


@pytest.fixture(params=KINDS)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    return load(str(KINDS[request.param](tmp_path / "scene")))


def test_cameras_are_the_same_up_to_a_similarity(scene: Scene) -> None:
    """Angles between cameras, ratios of distances, and left-handedness all survive."""
    wanted, found = scene_writers.poses(), scene.world_from_camera.astype(np.float64)
    between = [p[:, None, :3, :3].swapaxes(-1, -2) @ p[None, :, :3, :3] for p in (wanted, found)]
    np.testing.assert_allclose(*between, atol=1e-5)
    steps = [
        np.einsum("vji,vwj->vwi", p[:, :3, :3], p[None, :, :3, 3] - p[:, None, :3, 3])
        for p in (wanted, found)
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


def test_parts_are_disjoint_and_the_summary_is_one_line(scene: Scene) -> None:
    parts = [*scene.train, *scene.val, *scene.test]
    assert sorted(parts) == list(range(8))
    assert "\n" not in scene.summary
    for said in ("8 views of 12 x 10", f"{len(scene.val)} val", "near", "far", scene.description):
        assert said in scene.summary


@pytest.mark.parametrize("kind", ["COLMAP", "LLFF", "transforms"])
def test_photographs_arrive_in_order(tmp_path: Path, kind: str) -> None:
    scene = load(str(KINDS[kind](tmp_path / "scene")))
    np.testing.assert_allclose(scene.images, scene_writers.pixels()[..., :3] / 255, atol=1e-6)


def test_blender_is_composited_premultiplied(tmp_path: Path) -> None:
    folder = scene_writers.write_blender(tmp_path / "scene")
    alphas = scene_writers.pixels()[..., 3:] / 255
    for background, behind in (("white", 1.0), ("black", 0.0)):
        scene = load(str(folder), background=background)
        wanted = alphas * scene_writers.pixels()[..., :3] / 255 + (1 - alphas) * behind
        np.testing.assert_allclose(scene.images, wanted, atol=1e-6)
        np.testing.assert_array_equal(scene.background, behind)
        assert scene.alphas is not None
        np.testing.assert_allclose(scene.alphas, alphas[..., 0], atol=1e-6)
    np.testing.assert_allclose(
        scene.with_background("white").images, load(str(folder)).images, atol=1e-6
    )
    assert scene.with_background("white").content_hash != scene.content_hash


def test_downscale_averages_premultiplied_blocks(tmp_path: Path) -> None:
    folder = scene_writers.write_blender(tmp_path / "scene")
    whole, small = load(str(folder)), load(str(folder), downscale=3)
    assert small.images.shape == (8, 3, 4, 3)  # ten rows leave one over
    wanted = whole.images[:, :9].reshape(8, 3, 3, 4, 3, 3).mean((2, 4))
    np.testing.assert_allclose(small.images, wanted, atol=1e-6)
    np.testing.assert_allclose(small.focal, whole.focal / 3)
    np.testing.assert_allclose(small.centre, whole.centre / 3)


def test_opaque_scenes_keep_their_background(tmp_path: Path) -> None:
    scene = load(str(scene_writers.write_instant_ngp(tmp_path / "scene")))
    assert scene.with_background("black") is scene
    with pytest.raises(InputError, match="no alpha channel"):
        scene.with_background("white")


def test_transforms_keep_each_frames_own_lens(tmp_path: Path) -> None:
    folder = scene_writers.write_instant_ngp(tmp_path / "scene")
    scene_writers.edit_frame(folder / "transforms.json", 2, fl_x=20.0, k1=0.1)
    scene = load(str(folder))
    np.testing.assert_allclose(scene.focal[[0, 2]], [[15, 16], [20, 16]])
    np.testing.assert_allclose(scene.centre[0], [6.5, 4.75])
    assert scene.distortion is not None
    np.testing.assert_allclose(scene.distortion[0], scene_writers.LENS)
    np.testing.assert_allclose(scene.distortion[2], (0.1, *scene_writers.LENS[1:]))


def test_transforms_without_lens_have_no_distortion(tmp_path: Path) -> None:
    assert (
        load(str(scene_writers.write_instant_ngp(tmp_path / "scene", (0, 0, 0, 0)))).distortion
        is None
    )


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


def test_nerfstudios_split_is_kept(tmp_path: Path) -> None:
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


def test_blenders_split_is_kept_and_completed(tmp_path: Path) -> None:
    folder = scene_writers.write_blender(tmp_path / "scene")
    scene = load(str(folder))
    assert (scene.train, scene.val, scene.test) == ((0, 1, 2, 3, 4, 5), (6,), (7,))
    (folder / "transforms_val.json").unlink()
    scene = load(str(folder))
    assert (scene.train, scene.val, scene.test) == ((0, 1, 2, 3, 5), (4,), (6,))


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_colmap_projects_its_points_where_the_model_says(
    tmp_path: Path, model: str, text: bool
) -> None:
    """Through the canonical frame and back: the pixel is the one that COLMAP's formulas give."""
    scene = load(str(scene_writers.write_colmap(tmp_path / "scene", model, text)))
    assert scene.points is not None
    values = scene_writers.parameters(model)
    two = model in ("PINHOLE", "OPENCV")
    focal, rest = (values[:2], values[4:]) if two else ((values[0],) * 2, values[3:])
    k1, k2, p1, p2 = (*rest, 0.0, 0.0, 0.0, 0.0)[:4]
    for view, (turn, shift) in enumerate(scene_writers.extrinsics()):
        w, *vector = turn
        for index, point in enumerate(scene_writers.points()):
            # A quaternion turns a point by q p q*, written with cross products.
            across = 2 * np.cross(vector, point)
            x, y, z = point + w * across + np.cross(vector, across) + shift
            x, y = x / z, y / z
            r2 = x * x + y * y
            radial = 1 + k1 * r2 + k2 * r2 * r2
            u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
            v = y * radial + 2 * p2 * x * y + p1 * (r2 + 2 * y * y)
            column, row, depth = project(scene, view, scene.points[index : index + 1])
            assert column[0] == pytest.approx(focal[0] * u + scene_writers.WIDTH / 2, abs=1e-3)
            assert row[0] == pytest.approx(focal[1] * v + scene_writers.HEIGHT / 2, abs=1e-3)
            assert depth[0] > 0


def test_colmap_takes_smaller_photographs_that_are_there(tmp_path: Path) -> None:
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
    scale = 4 / 4.0311  # of the makers' cameras to the canonical ones
    assert scene.bounds.near == pytest.approx(0.9 * 3 * scale, rel=1e-2)
    assert scene.bounds.far == pytest.approx(1.1 * 5 * slant * scale, rel=1e-2)


@pytest.mark.parametrize("text", [False, True])
def test_reconstruction_agrees_with_colmaps_own_reader(tmp_path: Path, text: bool) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    _agrees(pycolmap, scene_writers.write_colmap(tmp_path / "scene", text=text) / "sparse" / "0")


@needs_data
def test_real_reconstruction_agrees_with_colmaps_own_reader(tmp_path: Path) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    sparse = Path(DATA) / "cup_colmap" / "sparse" / "0"
    _agrees(pycolmap, sparse)
    pycolmap.Reconstruction(str(sparse)).write_text(str(tmp_path))
    _agrees(pycolmap, tmp_path)


def _agrees(pycolmap: object, sparse: Path) -> None:
    ours, theirs = read_reconstruction(sparse), pycolmap.Reconstruction(str(sparse))  # type: ignore[attr-defined]
    assert ours.cameras.keys() == set(theirs.cameras.keys())
    for key, camera in theirs.cameras.items():
        mine = ours.cameras[key]
        assert (mine.model, mine.width, mine.height) == (
            camera.model.name,
            camera.width,
            camera.height,
        )
        np.testing.assert_allclose(mine.parameters, camera.params)
    assert ours.images.keys() == set(theirs.images.keys())
    for key, image in theirs.images.items():
        mine_too, pose = ours.images[key], image.cam_from_world()
        assert (mine_too.name, mine_too.camera) == (image.name, image.camera_id)
        x, y, z, w = pose.rotation.quat
        both = np.abs(np.dot(mine_too.rotation, (w, x, y, z)))
        assert both == pytest.approx(1, abs=1e-9)
        np.testing.assert_allclose(mine_too.translation, pose.translation, atol=1e-9)
    places = np.array([p.xyz for p in theirs.points3D.values()])
    np.testing.assert_allclose(np.sort(ours.points, 0), np.sort(places, 0), atol=1e-9)
    tracks = sum(p.track.length() for p in theirs.points3D.values())
    assert len(ours.observations) == tracks


@needs_data
@pytest.mark.parametrize(
    ("name", "views", "size", "found"),
    [
        ("lego_200", 100, (100, 100), "Blender"),
        ("fox", 50, (67, 120), "17 frames without image"),
        ("cup_colmap", 77, (400, 300), "COLMAP reconstruction with 9262 points"),
    ],
)
def test_real_scenes(name: str, views: int, size: tuple[int, int], found: str) -> None:
    scene = load(f"{DATA}/{name}", downscale=2)
    assert (len(scene.images), scene.width, scene.height) == (views, *size)
    assert found in scene.summary
    assert 0.5 < scene.bounds.near < 3.0
    assert 5.0 < scene.bounds.far < 12.0


@needs_data
def test_colmap_and_llff_agree_about_the_same_capture(tmp_path: Path) -> None:
    """Two writers of one reconstruction: the same cameras, up to scale, in the same order."""
    (tmp_path / "images").mkdir()
    for file in (Path(DATA) / "cup_colmap" / "images").iterdir():
        (tmp_path / "images" / file.name).write_bytes(file.read_bytes())
    table = Path(DATA) / "cup_colmap" / "poses_bounds.npy"
    (tmp_path / "poses_bounds.npy").write_bytes(table.read_bytes())
    llff = load(str(tmp_path), downscale=8)
    colmap = load(f"{DATA}/cup_colmap", downscale=8)
    np.testing.assert_array_equal(llff.images, colmap.images)
    between = [
        s.world_from_camera[0, :3, :3].T @ s.world_from_camera[:, :3, :3] for s in (llff, colmap)
    ]
    np.testing.assert_allclose(*between, atol=1e-4)
    # Whoever wrote this table gave every view the first one's focal length.
    np.testing.assert_allclose(llff.focal, np.tile(colmap.focal[:1], (77, 1)), rtol=1e-6)
