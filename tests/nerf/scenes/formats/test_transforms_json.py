"""Captures as instant-ngp, nerfstudio and Blender add-ons write them, in all their variety."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerf.common.errors import InputError
from nerf.scenes import Scene, load
from nerf.scenes.cameras.lens import Lens, lens_of
from tests.nerf.scenes.scene_writers import (
    FOCAL,
    HEIGHT,
    NAMES,
    VIEWS,
    WIDTH,
    edit_frame,
    edit_json,
    points,
    poses,
    write_blender,
    write_instant_ngp,
)

JSON, TRAIN = "transforms.json", "transforms_train.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_instant_ngp(tmp_path / "scene", (0, 0, 0, 0))


@pytest.fixture
def blender(tmp_path: Path) -> Path:
    return write_blender(tmp_path / "blender")


def notes(scene: Scene) -> str:
    return "\n".join(scene.notes)


def rename_images(folder: Path, change: str, suffix: str) -> None:
    """Gives image files another suffix, and their names in the JSON file yet another."""
    for index, name in enumerate(NAMES):
        file = folder / "images" / name
        Image.open(file).save(file.with_suffix(suffix))
        if suffix != ".png":
            file.unlink()
        edit_frame(folder / JSON, index, file_path=f"images/{file.stem}{change}")


@pytest.mark.parametrize(
    ("written", "on_disk", "note"),
    [
        ("", ".jpg", ""),
        (".jpg", ".JPG", "8 image names have another case"),
        (".jpg", ".png", "ext"),
    ],
)
def test_names_may_differ_in_extension_and_case(
    folder: Path, written: str, on_disk: str, note: str
) -> None:
    rename_images(folder, written, on_disk)
    scene = load(str(folder))
    assert len(scene.images) == VIEWS
    assert note in notes(scene)
    assert bool(note) == ("image names" in notes(scene))


def test_images_are_found_where_their_folder_was_moved_to(folder: Path) -> None:
    whole = load(str(folder))
    for index, name in enumerate(NAMES):
        edit_frame(folder / JSON, index, file_path=f"../photos/shots/{name}")
    with pytest.raises(InputError, match="--follow-links"):
        load(str(folder))
    for index, name in enumerate(NAMES):
        edit_frame(folder / JSON, index, file_path=f"/home/someone/capture/images/{name}")
    assert load(str(folder)).content_hash == whole.content_hash
    for index, name in enumerate(NAMES):
        edit_frame(folder / JSON, index, file_path=f"scene/images/{name}")
    scene = load(str(folder))
    assert scene.content_hash == whole.content_hash
    assert "8 image names have another folder" in notes(scene)


def test_links_and_neighbouring_folders_are_followed_if_they_are_trusted(folder: Path) -> None:
    whole = load(str(folder)).content_hash
    (folder / "images").rename(folder.parent / "photos")
    (folder / "images").symlink_to(folder.parent / "photos")
    with pytest.raises(InputError, match=r"symbolic link .* --follow-links"):
        load(str(folder))
    assert load(str(folder), follow_links=True).content_hash == whole
    for index, name in enumerate(NAMES):
        edit_frame(folder / JSON, index, file_path=f"../photos/{name}")
    assert load(str(folder), follow_links=True).content_hash == whole


@pytest.mark.parametrize("original_is_there", [True, False])
def test_shrunk_copies_are_used_for_their_downscale(folder: Path, original_is_there: bool) -> None:
    (folder / "images_2").mkdir()
    for name in NAMES:
        Image.new("RGB", (WIDTH // 2, HEIGHT // 2), (255, 0, 0)).save(folder / "images_2" / name)
    if not original_is_there:
        shutil.rmtree(folder / "images")
    scene = load(str(folder), downscale=2)
    assert (scene.width, scene.height) == (WIDTH // 2, HEIGHT // 2)
    np.testing.assert_allclose(scene.images[0, 0, 0], [1, 0, 0])
    np.testing.assert_allclose(scene.focal[0], [FOCAL / 2, (FOCAL + 1) / 2])
    if not original_is_there:
        assert "images_2/ is read" in notes(load(str(folder)))


def test_an_incomplete_shrunk_copy_is_not_used(folder: Path) -> None:
    (folder / "images_2").mkdir()
    Image.new("RGB", (WIDTH // 2, HEIGHT // 2)).save(folder / "images_2" / NAMES[0])
    scene = load(str(folder), downscale=2)
    assert len(scene.images) == VIEWS
    assert scene.width == WIDTH // 2
    assert "images_2/ has 1 of 8 images: those of images/ are shrunk" in notes(scene)


def test_images_may_be_smaller_than_the_camera_says(folder: Path) -> None:
    whole = load(str(folder))
    edit_json(
        folder / JSON,
        **{"w": 4 * WIDTH, "h": 4 * HEIGHT, "fl_x": 4 * FOCAL, "fl_y": 4 * (FOCAL + 1)},
        **{"cx": 4 * (WIDTH / 2 + 0.5), "cy": 4 * (HEIGHT / 2 - 0.25)},
    )
    scene = load(str(folder))
    np.testing.assert_allclose(scene.focal, whole.focal)
    np.testing.assert_allclose(scene.centre, whole.centre)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda pose: pose[:3], ""),
        (lambda pose: np.hstack((0.05 * pose[:, :3], pose[:, 3:])), "8 poses were scaled"),
        (lambda pose: pose.round(2), "poses were rounded"),
    ],
)
def test_poses_are_made_rigid(folder: Path, change: object, note: str) -> None:
    whole = load(str(folder))
    for index, pose in enumerate(poses()):
        matrix = change(pose)  # type: ignore[operator]
        if len(matrix) == 4:
            matrix[3] = 0, 0, 0, 1
        edit_frame(folder / JSON, index, transform_matrix=matrix.tolist())
    scene = load(str(folder))
    np.testing.assert_allclose(scene.world_from_camera, whole.world_from_camera, atol=0.02)
    rotation = scene.world_from_camera[:, :3, :3]
    np.testing.assert_allclose(
        rotation @ rotation.swapaxes(1, 2), np.tile(np.eye(3), (VIEWS, 1, 1)), atol=1e-3
    )
    assert note in notes(scene)


def test_what_is_null_is_taken_for_left_out(folder: Path) -> None:
    whole = load(str(folder)).content_hash
    document = json.loads((folder / JSON).read_text())
    document["k3"] = None
    for frame in document["frames"]:
        frame |= {"mask_path": None, "fl_x": None}
    (folder / JSON).write_text(json.dumps(document))
    scene = load(str(folder))
    assert scene.content_hash == whole
    assert "not used" not in notes(scene)


def test_uneven_scale_is_refused(folder: Path) -> None:
    pose = poses()[1]
    pose[:3, 0] *= 1.2
    edit_frame(folder / JSON, 1, transform_matrix=pose.tolist())
    with pytest.raises(InputError, match=r"rotation of images/01\.png is not orthonormal"):
        load(str(folder))


@pytest.mark.parametrize(
    ("keys", "focal"),
    [
        ({"fl_x": 20.0, "fl_y": None}, (20, 20)),
        ({"fl_x": None, "fl_y": None, "camera_angle_y": 2 * math.atan(0.25)}, (20, 20)),
        ({"fl_x": None, "fl_y": None, "camera_angle_x": 2 * math.atan(0.5)}, (12, 12)),
        ({"fl_x": None, "fl_y": None, "x_fov": 90.0, "y_fov": 90.0}, (6, 5)),
    ],
)
def test_focal_lengths_of_every_kind(
    folder: Path, keys: dict[str, float | None], focal: tuple[float, float]
) -> None:
    edit_json(folder / JSON, **keys)
    np.testing.assert_allclose(load(str(folder)).focal[0], focal, rtol=1e-6)


def test_focal_lengths_that_disagree_are_named(folder: Path) -> None:
    edit_json(folder / JSON, camera_angle_x=1.5)
    assert "fl_x is 15, camera_angle_x means 6.4" in notes(load(str(folder)))


@pytest.mark.parametrize(
    ("keys", "lens"),
    [
        ({"k1": 0.1, "k3": 0.03}, Lens(coefficients=(0.1, 0, 0, 0, 0.03, 0, 0, 0, 0))),
        ({"k4": 0.02}, Lens(coefficients=(0, 0, 0, 0, 0, 0, 0, 0, 0.02))),
        ({"camera_model": "FULL_OPENCV", "k4": 0.02}, Lens(coefficients=(0, 0, 0, 0, 0, 0.02))),
        ({"k4": 0.02, "k6": 0.01}, Lens(coefficients=(0, 0, 0, 0, 0, 0.02, 0, 0.01))),
        ({"camera_model": "SIMPLE_RADIAL", "k1": 0.1}, Lens(coefficients=(0.1,))),
        (
            {"distortion_params": [0.1, 0.2, 0.03, 0.0, 0.001, 0.002]},
            Lens(coefficients=(0.1, 0.2, 0.001, 0.002, 0.03)),
        ),
        ({"camera_model": "OPENCV_FISHEYE", "k3": 0.1}, Lens("fisheye", (0, 0, 0.1))),
        ({"is_fisheye": True, "k1": 0.1}, Lens("fisheye", (0.1,))),
    ],
)
def test_lenses_of_every_kind(folder: Path, keys: dict[str, object], lens: Lens) -> None:
    edit_json(folder / JSON, **keys)
    loaded = lens_of(load(str(folder)), 3)
    assert loaded.model == lens.model
    length = max(len(loaded.coefficients), len(lens.coefficients))
    padded = [
        tuple(one.coefficients) + (0.0,) * (9 - len(one.coefficients)) for one in (loaded, lens)
    ]
    np.testing.assert_allclose(*padded, rtol=1e-6)
    assert length <= 9


@pytest.mark.parametrize(
    "keys",
    [
        {"camera_model": "EQUIRECTANGULAR", "fl_x": WIDTH / 2, "fl_y": HEIGHT},
        {"equirectangular": True, "fl_x": None, "fl_y": None},
        {"camera_model": "EQUIRECTANGULAR", "fl_x": 500.0, "h": WIDTH / 2},
    ],
)
def test_a_panorama_spans_the_whole_sphere(folder: Path, keys: dict[str, object]) -> None:
    height = int(keys.get("h", HEIGHT))  # type: ignore[call-overload]
    for name in NAMES:
        Image.open(folder / "images" / name).resize((WIDTH, height)).save(folder / "images" / name)
    edit_json(folder / JSON, cx=None, cy=None, **keys)
    scene = load(str(folder))
    assert lens_of(scene, 0).model == "equirectangular"
    np.testing.assert_allclose(scene.focal[0] * (2 * np.pi, np.pi), (WIDTH, height), rtol=1e-6)
    assert ("whole panoramas" in notes(scene)) == (keys.get("fl_x") == 500)


def test_the_test_frames_of_scannetpp_are_held_out(folder: Path) -> None:
    frames = json.loads((folder / JSON).read_text())["frames"]
    edit_json(folder / JSON, frames=frames[:6], test_frames=frames[6:])
    scene = load(str(folder))
    assert scene.test == (6, 7)
    assert not scene.notes[0].startswith("keys")


def test_keys_that_are_not_used_are_listed_once(folder: Path) -> None:
    edit_json(folder / JSON, aabb_scale=16, rolling_shutter=[0, 0, 0, 0])
    edit_frame(folder / JSON, 2, sharpness=3.0)
    found = [note for note in load(str(folder)).notes if "not used" in note]
    assert found == ["keys that are not used: aabb_scale, rolling_shutter, frames.sharpness"]


def test_repeated_frames_are_used_once(folder: Path) -> None:
    document = json.loads((folder / JSON).read_text())
    edit_json(folder / JSON, frames=document["frames"] + document["frames"][:3])
    scene = load(str(folder))
    assert len(scene.images) == VIEWS
    assert "3 frames are there twice" in notes(scene)


@pytest.mark.parametrize(
    ("lists", "train", "held_out"),
    [
        ({"train": (0, 6), "val": (6, 8)}, 5, {6, 7}),
        ({"train": (0, 6), "val": (6, 8), "test": (6, 8)}, 5, {6, 7}),
        ({"test": (6, 8)}, 5, {6, 7}),
        ({"train": (0, 5)}, 4, {5, 6, 7}),
    ],
)
def test_what_the_author_held_out_is_not_trained_on(
    folder: Path, lists: dict[str, tuple[int, int]], train: int, held_out: set[int]
) -> None:
    for split, (first, last) in lists.items():
        names = [f"./images/{name}" for name in NAMES[first:last]]
        edit_json(folder / JSON, **{f"{split}_filenames": names})
    scene = load(str(folder))
    assert len(scene.train) == train
    assert held_out <= {*scene.val, *scene.test}


def test_the_points_of_a_ply_file_give_bounds(folder: Path) -> None:
    cloud = np.repeat(points(), 2, axis=0).astype("<f4")
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(cloud)}\n"
        "property float x\nproperty float y\nproperty float z\nproperty uchar red\nend_header\n"
    )
    table = np.zeros(len(cloud), [("x", "<f4", 3), ("red", "u1")])
    table["x"] = cloud
    (folder / "sparse_pc.ply").write_bytes(header.encode() + table.tobytes())
    binary = load(str(folder))
    assert "from the distances of 60 points" in binary.summary
    assert 2.0 < binary.bounds.near < binary.bounds.far < 6.0
    rows = "\n".join(f"{x} {y} {z} 7" for x, y, z in cloud)
    (folder / "sparse_pc.ply").unlink()
    (folder / "cloud.ply").write_text(header.replace("binary_little_endian", "ascii") + rows)
    edit_json(folder / JSON, ply_file_path="cloud.ply")
    np.testing.assert_allclose(load(str(folder)).points, binary.points, atol=1e-5)
    (folder / "cloud.ply").write_bytes(header.encode())
    with pytest.raises(InputError, match="is truncated: it promises 60 points"):
        load(str(folder))


def test_masks_are_named(folder: Path) -> None:
    edit_frame(folder / JSON, 0, mask_path="masks/00.png")
    with pytest.raises(InputError, match=r"the mask 'masks/00\.png' is missing"):
        load(str(folder))


def test_the_camera_file_itself_is_a_scene(folder: Path, blender: Path) -> None:
    assert load(str(folder / JSON)).content_hash == load(str(folder)).content_hash
    (folder / JSON).rename(folder / "cameras.json")
    with pytest.raises(InputError, match=r"if cameras\.json holds its cameras, give that file"):
        load(str(folder))
    assert len(load(str(folder / "cameras.json")).images) == VIEWS
    assert load(str(blender / TRAIN)).content_hash == load(str(blender)).content_hash


def test_blenders_layout_may_have_a_real_lens(blender: Path) -> None:
    for split in ("train", "val", "test"):
        edit_json(blender / f"transforms_{split}.json", fl_x=14.0, fl_y=14.5, cx=7.0, k1=0.1)
    scene = load(str(blender))
    np.testing.assert_allclose(scene.focal[0], (14, 14.5))
    np.testing.assert_allclose(scene.centre[0], (7, HEIGHT / 2))
    assert lens_of(scene, 0).coefficients[0] == pytest.approx(0.1)


def test_blenders_missing_images_are_left_out_and_counted(blender: Path) -> None:
    (blender / "all" / NAMES[2]).unlink()
    (blender / "all" / NAMES[7]).unlink()
    scene = load(str(blender))
    assert len(scene.images) == VIEWS - 2
    assert "1 train images are missing and left out, the first is ./all/02" in notes(scene)
    assert scene.test


def test_a_capture_in_metres_gets_the_usual_units(blender: Path) -> None:
    whole = load(str(blender))
    for split in ("train", "val", "test"):
        document = json.loads((blender / f"transforms_{split}.json").read_text())
        for frame in document["frames"]:
            matrix = np.array(frame["transform_matrix"])
            matrix[:3, 3] *= 100
            frame["transform_matrix"] = matrix.tolist()
        edit_json(blender / f"transforms_{split}.json", frames=document["frames"])
    scene = load(str(blender))
    assert "are 4" in notes(scene)
    assert scene.bounds.far == pytest.approx(whole.bounds.far, rel=0.1)
