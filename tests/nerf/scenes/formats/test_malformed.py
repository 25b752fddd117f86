"""Scenes damaged in one way each: loading each fails with one line that names the reason."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerf.common.errors import InputError
from nerf.scenes import load
from tests.nerf.scenes import scene_writers
from tests.nerf.scenes.formats.damage import (
    CAMERAS,
    GIT_LFS_POINTER,
    HUGE,
    IMAGES,
    JSON,
    POINTS,
    TRAIN,
    Damage,
    add_squeezed_images,
    black_masks,
    changed_poses,
    claim_huge_images,
    delete,
    delete_images_named,
    endless_name,
    forged_header,
    frame_pose,
    frame_pose_of,
    images_with_pixel,
    json_frame,
    json_keys,
    link_outside,
    link_to_itself,
    llff_rows,
    overwrite,
    png_header,
    replace_image,
    replace_text,
    same_name_twice,
    set_at,
    sparse_file,
    tiff_bytes,
    tiny_arrays,
    torn_archive,
    truncate,
    write_text,
    zipped_text,
)
from tests.nerf.scenes.scene_writers import WRITERS

NAN, INF = float("nan"), float("inf")

TINY: dict[str, tuple[Damage, str]] = {
    "no images": (tiny_arrays(images=None), "no array `images`"),
    "no poses": (tiny_arrays(poses=None), "no array `poses`"),
    "no focal length": (tiny_arrays(focal=None), "no array `focal`"),
    "pickled": (tiny_arrays(images=np.array([{"a": 1}], object)), "float or uint8, got object"),
    "three axes": (
        tiny_arrays(images=scene_writers.pixels()[..., 0]),
        r"must be \(views, height, width, 3\)",
    ),
    "alpha": (tiny_arrays(images=scene_writers.pixels()), r"got \(8, 10, 12, 4\)"),
    "more images than poses": (
        tiny_arrays(poses=scene_writers.poses()[:5]),
        r"`poses` must be \(8, 4, 4\)",
    ),
    "poses of whole numbers": (tiny_arrays(poses=np.ones((8, 4, 4), int)), "`poses` must be float"),
    "focal length is text": (tiny_arrays(focal=np.array("15")), "`focal` must be a number"),
    "focal length a list": (tiny_arrays(focal=np.ones(5)), r"one number.*array of shape \(5,\)"),
    "focal length negative": (tiny_arrays(focal=np.array(-15.0)), "must be positive, got -15"),
    "focal length NaN": (tiny_arrays(focal=np.array(NAN)), "must be positive, got nan"),
    "focal length absurd": (tiny_arrays(focal=np.array(1e9)), "absurd for images 12 pixels wide"),
    "NaN pixel": (tiny_arrays(images=images_with_pixel(NAN)), "image 3 has NaN or infinite pixels"),
    "pixel of 255": (tiny_arrays(images=images_with_pixel(255.0)), r"must lie in \[0, 1\]"),
    "NaN pose": (
        tiny_arrays(poses=changed_poses(2, lambda p: set_at(p, (0, 3), NAN))),
        "pose of view 2 has NaN",
    ),
    "scaled": (
        tiny_arrays(poses=changed_poses(2, lambda p: set_at(p, 0, p[0] * 1.05))),
        "not orthonormal",
    ),
    "mirrored": (
        tiny_arrays(poses=changed_poses(2, lambda p: set_at(p, np.s_[:3, 0], -p[:3, 0]))),
        "mirrors",
    ),
    "far away": (
        tiny_arrays(poses=changed_poses(2, lambda p: set_at(p, (0, 3), 1e30))),
        "a camera is farther than",
    ),
    "transposed": (
        tiny_arrays(poses=scene_writers.poses().swapaxes(1, 2)),
        "the pose of view 0 must end in the row 0 0 0 1; transpose",
    ),
    "channels first": (
        tiny_arrays(images=scene_writers.pixels()[..., :3].transpose(0, 3, 1, 2)),
        r"got \(8, 3, 10, 12\); transpose the array",
    ),
    "a zipped folder": (zipped_text, "is an archive without arrays; unpack it"),
    "last row": (
        tiny_arrays(poses=changed_poses(2, lambda p: set_at(p, (3, 2), 1.0))),
        "end in the row 0 0 0 1",
    ),
    "one place": (
        tiny_arrays(poses=changed_poses(0, lambda p: None)[[0] * 8]),
        "all cameras are at one place",
    ),
    "two views": (
        tiny_arrays(images=scene_writers.pixels()[:2, ..., :3], poses=scene_writers.poses()[:2]),
        "at least 3 views, got 2",
    ),
    "one pixel": (
        tiny_arrays(images=scene_writers.pixels()[:, :1, :1, :3]),
        "2 to 16384 pixels a side",
    ),
    "promises terabytes": (forged_header, "at most 10000 views, got 500000"),
    "torn": (torn_archive, "cannot be read"),
    "cut short": (
        lambda f: truncate("scene.npz", 900)(scene_writers.write_tiny_nerf(f).parent),
        "is not a scene",
    ),
}
BLENDER: dict[str, tuple[Damage, str]] = {
    "no JSON": (write_text(TRAIN, "{"), "cannot be read as JSON"),
    "a list": (write_text(TRAIN, "[]"), "holds a list"),
    "nested without end": (write_text(TRAIN, "[" * 200_000), "nested too deeply"),
    "camera file of 65 MiB": (sparse_file(TRAIN, 65 * 2**20), "larger than 64 MiB"),
    "angle beyond floats": (json_keys(TRAIN, camera_angle_x=10**400), "finite number, got '1000"),
    "matrix beyond floats": (frame_pose_of(10**400), "has absurd numbers"),
    "camera file elsewhere": (link_outside(TRAIN), "transforms_train.json: is a symbolic link"),
    "no angle": (json_keys(TRAIN, camera_angle_x=None), "gives no focal length; add `fl_x`"),
    "angle over pi": (json_keys(TRAIN, camera_angle_x=4), "between 0 and pi, got 4"),
    "angle is text": (json_keys(TRAIN, camera_angle_x="0.7"), "finite number, got '0.7'"),
    "fetched without Git LFS": (write_text(TRAIN, GIT_LFS_POINTER), "pointer of Git LFS; fetch"),
    "no frames": (json_keys(TRAIN, frames=[]), "has no `frames`"),
    "frame without file": (json_frame(TRAIN, file_path=None), "frame 0 has no `file_path`"),
    "file name a number": (json_frame(TRAIN, file_path=7), "must be text, got 7"),
    "matrix of two rows": (
        json_frame(TRAIN, transform_matrix=scene_writers.poses()[0, :2].tolist()),
        "no 3 x 4 or 4 x 4 `transform_matrix`",
    ),
    "matrix of words": (json_frame(TRAIN, transform_matrix=[["a"] * 4] * 4), "must hold numbers"),
    "NaN in a matrix": (
        frame_pose(TRAIN, lambda p: set_at(p, (1, 1), NAN)),
        r"pose of \./all/00 has NaN",
    ),
    "sheared": (
        frame_pose(TRAIN, lambda p: set_at(p, (0, 1), 0.5)),
        r"rotation of \./all/00 is not",
    ),
    "absolute path": (json_frame(TRAIN, file_path="/etc/passwd"), "absolute path '/etc/passwd'"),
    "Windows path": (json_frame(TRAIN, file_path="C:\\x.png"), "absolute path 'C:"),
    "dots": (json_frame(TRAIN, file_path="../x/00"), "`..` may leave"),
    "link out": (link_outside("all/00.png"), "symbolic link out of"),
    "no image there": (
        lambda f: delete(*(f"all/{name}" for name in scene_writers.NAMES))(f),
        "transforms_train.json: none of its 6 images exists, the first that is missing is ./all/00",
    ),
    "text for an image": (replace_image(b"hello"), "not an image of PNG, JPEG, WEBP, BMP, TIFF"),
    "image cut short": (truncate("all/02.png", 120), "cannot be decoded"),
    "image bomb": (claim_huge_images, "has 9000 x 9000 pixels, over 67 megapixels"),
    "one huge image": (replace_image(png_header(60_000, 60_000)), "02.png: claims more than"),
    "a large image": (
        replace_image(png_header(10_000, 10_000), "all/01.png"),
        "01.png: claims more",
    ),
    "floats": (replace_image(tiff_bytes(Image.new("F", (12, 10)))), "colour mode F"),
    "32 bits": (
        replace_image(tiff_bytes(Image.new("I", (12, 10), 70_000))),
        "grey values from 70000 to 70000",
    ),
    "trained on the test view": (
        json_frame("transforms_test.json", file_path="./all/03"),
        "uses 03.png twice",
    ),
}
INSTANT_NGP: dict[str, tuple[Damage, str]] = {
    "focal length in image widths": (
        json_keys(JSON, fl_x=0.5, fl_y=0.5),
        "a focal length of 0.5 pixels is absurd for images 12 pixels wide; give it in pixels",
    ),
    "a link to itself": (link_to_itself("images/02.png"), "'images/02.png' is a link to itself"),
    "a name with control characters": (
        delete_images_named("images/a\nb\x1b[31m.png"),
        r"is images/a\\nb\\x1b\[31m\.png; copy",
    ),
    "image fetched without Git LFS": (
        write_text("images/02.png", GIT_LFS_POINTER),
        r"02\.png: is a pointer of Git LFS",
    ),
    "empty image": (write_text("images/03.png", ""), r"03\.png: is empty"),
    "masks of nothing": (black_masks, "its masks leave no pixel of any image; black pixels"),
    "orthographic": (json_keys(JSON, camera_model="ORTHOPHOTO"), "model ORTHOPHOTO, which is not"),
    "a fisheye of which little shows": (
        json_keys(JSON, camera_model="OPENCV_FISHEYE", k1=-9.0),
        "folds over within the image",
    ),
    "no image there": (
        lambda f: delete(*(f"images/{name}" for name in scene_writers.NAMES))(f),
        "none of its 8 images",
    ),
    "two images there": (
        lambda f: delete(*(f"images/{name}" for name in scene_writers.NAMES[2:]))(f),
        "only 2 of its 8 images exist, the first that is missing is images/02.png",
    ),
    "listed twice": (
        json_frame(JSON, 1, file_path="images/00.png"),
        "transforms.json: uses 00.png twice",
    ),
    "made for other images": (json_keys(JSON, w=1080.0, h=600.0), "images of 1080 x 600 pixels"),
    "folding lens": (json_keys(JSON, k1=-5.0), "folds over within the image"),
    "infinite lens": (json_keys(JSON, k2=INF), "`k2` must be a finite number, got 'inf'"),
    "principal point outside": (json_keys(JSON, cx=4000.0), "principal point .* far outside"),
    "no focal length": (json_keys(JSON, fl_x=0), "positive, got 0 pixels"),
    "nothing to train on": (
        json_keys(
            JSON,
            train_filenames=["images/00.png"],
            val_filenames=["images/01.png"],
            test_filenames=["images/00.png"],
        ),
        "split leaves 0 training",
    ),
    "split of nothing": (
        json_keys(JSON, train_filenames=["x"], val_filenames=[], test_filenames=[]),
        "train list names none of the images, it begins with 'x'",
    ),
    "split is text": (
        json_keys(JSON, train_filenames="images", val_filenames=[], test_filenames=[]),
        "must be a list of file names",
    ),
    "link in a chain": (link_outside("images"), "'images/00.png' is a symbolic link"),
}
COLMAP: dict[str, tuple[Damage, str]] = {
    "unknown model": (overwrite(CAMERAS, 12, struct.pack("<i", 7)), "camera model FOV, which"),
    "cameras without end": (overwrite(CAMERAS, 0, HUGE), r"cameras.bin: is truncated"),
    "images cut short": (truncate(IMAGES, 300), r"images.bin: is truncated"),
    "images without end": (overwrite(IMAGES, 0, HUGE), "images.bin: is truncated: 3366"),
    "points cut short": (truncate(POINTS, 500), r"points3D.bin: is truncated"),
    "track without end": (overwrite(POINTS, 51, HUGE), "points3D.bin: is truncated: 3689"),
    "name without end": (endless_name, "a file name without an end"),
    "no images.bin": (delete(IMAGES), "images.bin: is missing or not a regular"),
    "camera missing": (overwrite(IMAGES, 68, struct.pack("<i", 3)), "camera 3, which is missing"),
    "quaternion": (overwrite(IMAGES, 12, struct.pack("<d", 3.0)), "of '00.png' has length"),
    "NaN translation": (overwrite(IMAGES, 44, struct.pack("<d", NAN)), r"pose of 00\.png has NaN"),
    "NaN point": (overwrite(POINTS, 16, struct.pack("<d", NAN)), "point of the reconstruction"),
    "nothing registered": (
        lambda f: (f / IMAGES).write_bytes(struct.pack("<Q", 0)),
        "registers no image",
    ),
    "a photograph used twice": (same_name_twice, "sparse/0: uses 00.png twice"),
    "name that climbs": (overwrite(IMAGES, 72, b"../.."), r"`\.\.` may leave"),
    "no photographs": (lambda f: (f / "images").rename(f.parent / "x"), "no folder `images`"),
    "no photograph there": (
        lambda f: delete(*(f"images/{name}" for name in scene_writers.NAMES))(f),
        "has none of the 8 images",
    ),
    "photographs elsewhere": (link_outside("images"), "'images' is a symbolic link"),
}
COLMAP_TEXT: dict[str, tuple[Damage, str]] = {
    "word": (write_text("sparse/0/points3D.txt", "1 half 0 0 1 2 3 0.5\n"), "has 'half' where"),
    "NaN": (replace_text("sparse/0/cameras.txt", "15.0", "nan"), "'nan' where a finite"),
    "short line": (write_text("sparse/0/cameras.txt", "7 OPENCV 12\n"), "a line of 3 words"),
    "unknown model": (replace_text("sparse/0/cameras.txt", "OPENCV", "FOV"), "camera model FOV"),
}
LLFF: dict[str, tuple[Damage, str]] = {
    "pickled": (
        lambda f: np.save(f / "poses_bounds.npy", np.array([{}], object), allow_pickle=True),
        "poses_bounds.npy: cannot be read",
    ),
    "an archive": (
        lambda f: (f / "poses_bounds.npy").write_bytes(
            scene_writers.write_tiny_nerf(f / "x").read_bytes()
        ),
        "is an archive",
    ),
    "columns": (lambda f: np.save(f / "poses_bounds.npy", np.ones((8, 15))), r"floats \(views, 17"),
    "cut short": (truncate("poses_bounds.npy", 400), "poses_bounds.npy: cannot be read"),
    "another number of images": (delete("images/05.png"), "has 8 poses, images has 7 images"),
    "NaN": (llff_rows(lambda t: set_at(t, (1, 2), NAN)), "has NaN or numbers beyond"),
    "near beyond far": (llff_rows(lambda t: set_at(t, (1, 15), 9.0)), "needs 0 < near < far"),
    "no focal length": (llff_rows(lambda t: set_at(t, (1, 14), 0.0)), "focal length that is not"),
    "not rigid": (
        llff_rows(lambda t: set_at(t, (1, 0), 2.0)),
        r"rotation of 01\.png is not orthonormal",
    ),
}


CASES_BY_FORMAT = {
    "tiny-NeRF": TINY,
    "Blender": BLENDER,
    "instant-ngp": INSTANT_NGP,
    "COLMAP": COLMAP,
    "COLMAP text": COLMAP_TEXT,
    "LLFF": LLFF,
}
CASES = [(kind, name) for kind, cases in CASES_BY_FORMAT.items() for name in cases]


def refusal(tmp_path: Path, kind: str, name: str) -> str:
    """The error message for that scene, without the path of the temporary folder."""
    source = WRITERS[kind](tmp_path / "scene")
    damage, _ = CASES_BY_FORMAT[kind][name]
    damage(tmp_path / "scene")
    with pytest.raises(InputError) as error:
        load(str(source))
    return str(error.value).replace(str(tmp_path), "")


@pytest.mark.parametrize("kind", CASES_BY_FORMAT)
def test_undamaged_scenes_load(tmp_path: Path, kind: str) -> None:
    assert load(str(WRITERS[kind](tmp_path / "scene"))).images.shape == (8, 10, 12, 3)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_each_damage_is_named(tmp_path: Path, kind: str, name: str) -> None:
    message = refusal(tmp_path, kind, name)
    _, expected = CASES_BY_FORMAT[kind][name]
    assert re.search(expected, message), message
    assert "\n" not in message
    assert len(message) < 300


def test_the_corpus_is_large_and_its_messages_differ(tmp_path: Path) -> None:
    messages = {}
    for index, (kind, name) in enumerate(CASES):
        (tmp_path / str(index)).mkdir()
        messages[kind, name] = refusal(tmp_path / str(index), kind, name)
    assert len(messages) >= 80
    by_message: dict[str, list[tuple[str, str]]] = {}
    for case, message in messages.items():
        by_message.setdefault(message, []).append(case)
    assert [cases for cases in by_message.values() if len(cases) > 1] == []


@pytest.mark.parametrize(
    ("downscale", "reason"), [(0, "at least 1, got 0"), (11, "leaves nothing")]
)
def test_an_absurd_downscale_is_rejected(tmp_path: Path, downscale: int, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        load(str(scene_writers.write_instant_ngp(tmp_path / "scene")), downscale=downscale)


def test_downscaled_images_must_have_the_aspect_ratio_of_the_cameras(tmp_path: Path) -> None:
    folder = scene_writers.write_colmap(tmp_path / "scene")
    add_squeezed_images(folder)
    with pytest.raises(InputError, match=r"images of 12 x 10 pixels, 00\.png has 6 x 9"):
        load(str(folder), downscale=2)


def test_an_edit_changes_nothing_else(tmp_path: Path) -> None:
    """So that each case of the corpus is damaged in one way only."""
    file = scene_writers.write_instant_ngp(tmp_path / "scene") / JSON
    before = json.loads(file.read_text())
    scene_writers.edit_json(file, k3=0.1)
    assert json.loads(file.read_text()) == {**before, "k3": 0.1}
