"""Scenes broken in one way each: every one is refused, in one line, for its own reason."""

from __future__ import annotations

import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nerf.common.errors import InputError
from nerf.scenes import load
from tests.nerf.scenes import scene_writers

Break = Callable[[Path], object]

NAN, INF = float("nan"), float("inf")


def turned(index: int, change: Callable[[np.ndarray], object]) -> np.ndarray:
    poses = scene_writers.poses()
    change(poses[index])
    return poses


def tiny(**changes: object) -> Break:
    return lambda folder: scene_writers.write_tiny_nerf(folder, **changes)


def bad_pixel(value: float) -> np.ndarray:
    images = scene_writers.pixels()[..., :3] / 255
    images[3, 2, 1, 0] = value
    return images


def announced(folder: Path) -> None:
    """An archive whose header promises 3 TB that are not there."""
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (500000, 800, 800, 3), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(scene_writers.write_tiny_nerf(folder), "a") as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["images.npy"] = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    with zipfile.ZipFile(folder / "scene.npz", "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def overwrite(name: str, at: int, content: bytes) -> Break:
    def act(folder: Path) -> None:
        whole = bytearray((folder / name).read_bytes())
        whole[at : at + len(content)] = content
        (folder / name).write_bytes(whole)

    return act


def cut(name: str, keep: int) -> Break:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:keep])


def torn_archive(folder: Path) -> None:
    """The directory at the end is whole, the compressed data are not."""
    scene_writers.write_tiny_nerf(folder)
    overwrite("scene.npz", 200, b"\xff" * 64)(folder)


def text(name: str, content: str) -> Break:
    return lambda folder: (folder / name).write_text(content)


def keys(name: str, **changes: object) -> Break:
    return lambda folder: scene_writers.edit_json(folder / name, **changes)


def frame(name: str, index: int = 0, **changes: object) -> Break:
    return lambda folder: scene_writers.edit_frame(folder / name, index, **changes)


def pose(name: str, change: Callable[[np.ndarray], object]) -> Break:
    return frame(name, 0, transform_matrix=turned(0, change)[0].tolist())


def pose_of(value: int) -> Break:
    return frame(TRAIN, 0, transform_matrix=[[value, 0, 0, 0]] * 4)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", b"x"))
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        content += struct.pack(">I", len(data)) + kind + data + checksum
    return content


def picture(content: bytes | Image.Image, name: str = "all/02.png") -> Break:
    def act(folder: Path) -> None:
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            content.save(folder / name)

    return act


def bomb(folder: Path) -> None:
    for file in (folder / "all").iterdir():
        file.write_bytes(png_header(9_000, 9_000))


def outside_link(name: str) -> Break:
    def act(folder: Path) -> None:
        elsewhere = folder.parent / "elsewhere"
        (folder / name).rename(elsewhere)
        (folder / name).symlink_to(elsewhere)

    return act


def sparse_file(name: str, size: int) -> Break:
    def act(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.truncate(size)

    return act


def lose(*names: str) -> Break:
    def act(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return act


def replace_text(name: str, old: str, new: str) -> Break:
    def act(folder: Path) -> None:
        whole = (folder / name).read_text()
        assert old in whole
        (folder / name).write_text(whole.replace(old, new, 1))

    return act


def table(change: Callable[[np.ndarray], object]) -> Break:
    def act(folder: Path) -> None:
        values = scene_writers.llff_table()
        change(values)
        np.save(folder / "poses_bounds.npy", values)

    return act


def set_at(array: np.ndarray, where: object, value: object) -> None:
    array[where] = value  # type: ignore[index]


def twice(folder: Path) -> None:
    """The second image's record under the first one's name."""
    whole = (folder / IMAGES).read_bytes()
    (folder / IMAGES).write_bytes(whole.replace(b"01.png", b"00.png"))


def two_sizes(folder: Path) -> None:
    file = folder / "sparse/0/cameras.txt"
    other = file.read_text().splitlines()[1].replace("7 ", "8 ", 1).replace("12 10", "24 20", 1)
    file.write_text(file.read_text() + other + "\n")
    replace_text("sparse/0/images.txt", " 7 01.png", " 8 01.png")(folder)


def shrunk_wrongly(folder: Path) -> None:
    scene_writers.write_images(folder / "images_2")
    for file in (folder / "images_2").iterdir():
        Image.new("RGB", (6, 9)).save(file)


TRAIN, JSON = "transforms_train.json", "transforms.json"
IMAGES, POINTS, CAMERAS = (f"sparse/0/{name}.bin" for name in ("images", "points3D", "cameras"))
HUGE = struct.pack("<Q", 2**62)

TINY: dict[str, tuple[Break, str]] = {
    "no images": (tiny(images=None), "no array `images`"),
    "no poses": (tiny(poses=None), "no array `poses`"),
    "no focal length": (tiny(focal=None), "no array `focal`"),
    "pickled": (tiny(images=np.array([{"a": 1}], object)), "float or uint8, got object"),
    "three axes": (
        tiny(images=scene_writers.pixels()[..., 0]),
        r"must be \(views, height, width, 3\)",
    ),
    "alpha": (tiny(images=scene_writers.pixels()), r"got \(8, 10, 12, 4\)"),
    "more images than poses": (
        tiny(poses=scene_writers.poses()[:5]),
        r"`poses` must be \(8, 4, 4\)",
    ),
    "poses of whole numbers": (tiny(poses=np.ones((8, 4, 4), int)), "`poses` must be float"),
    "focal length is text": (tiny(focal=np.array("15")), "`focal` must be a number"),
    "focal length a list": (tiny(focal=np.ones(8)), "must be one number, got an array"),
    "focal length negative": (tiny(focal=np.array(-15.0)), "must be positive, got -15"),
    "focal length NaN": (tiny(focal=np.array(NAN)), "must be positive, got nan"),
    "focal length absurd": (tiny(focal=np.array(1e9)), "absurd for images 12 pixels wide"),
    "NaN pixel": (tiny(images=bad_pixel(NAN)), "image 3 has NaN or infinite pixels"),
    "pixel of 255": (tiny(images=bad_pixel(255.0)), r"must lie in \[0, 1\]"),
    "NaN pose": (
        tiny(poses=turned(2, lambda p: set_at(p, (0, 3), NAN))),
        "pose of view 2 has NaN",
    ),
    "scaled": (tiny(poses=turned(2, lambda p: set_at(p, 0, p[0] * 1.01))), "not orthonormal"),
    "mirrored": (
        tiny(poses=turned(2, lambda p: set_at(p, np.s_[:3, 0], -p[:3, 0]))),
        "mirrors",
    ),
    "far away": (
        tiny(poses=turned(2, lambda p: set_at(p, (0, 3), 1e30))),
        "a camera is farther than",
    ),
    "last row": (tiny(poses=turned(2, lambda p: set_at(p, (3, 2), 1.0))), "end in the row 0 0 0 1"),
    "one place": (
        tiny(poses=turned(0, lambda p: None)[[0] * 8]),
        "all cameras are at one place",
    ),
    "two views": (
        tiny(images=scene_writers.pixels()[:2, ..., :3], poses=scene_writers.poses()[:2]),
        "at least 3 views, got 2",
    ),
    "one pixel": (tiny(images=scene_writers.pixels()[:, :1, :1, :3]), "2 to 8192 pixels a side"),
    "promises terabytes": (announced, "at most 10000 views, got 500000"),
    "torn": (torn_archive, "cannot be read"),
    "cut short": (
        lambda f: cut("scene.npz", 900)(scene_writers.write_tiny_nerf(f).parent),
        "is not a scene",
    ),
}
BLENDER: dict[str, tuple[Break, str]] = {
    "no JSON": (text(TRAIN, "{"), "cannot be read as JSON"),
    "a list": (text(TRAIN, "[]"), "holds a list"),
    "nested without end": (text(TRAIN, "[" * 200_000), "nested too deeply"),
    "camera file of 65 MiB": (sparse_file(TRAIN, 65 * 2**20), "larger than 64 MiB"),
    "angle beyond floats": (keys(TRAIN, camera_angle_x=10**400), "finite number, got '1000"),
    "matrix beyond floats": (pose_of(10**400), "has absurd numbers"),
    "camera file elsewhere": (outside_link(TRAIN), "transforms_train.json: is a symbolic link"),
    "no angle": (keys(TRAIN, camera_angle_x=None), "lacks the number `camera_angle_x`"),
    "angle over pi": (keys(TRAIN, camera_angle_x=4), "between 0 and pi, got 4"),
    "angle is text": (keys(TRAIN, camera_angle_x="0.7"), "finite number, got '0.7'"),
    "no frames": (keys(TRAIN, frames=[]), "has no `frames`"),
    "frame without file": (frame(TRAIN, file_path=None), "frame 0 has no `file_path`"),
    "file name a number": (frame(TRAIN, file_path=7), "must be text, got 7"),
    "matrix of three rows": (
        frame(TRAIN, transform_matrix=scene_writers.poses()[0, :3].tolist()),
        "no 4 x 4 `transform_matrix`",
    ),
    "matrix of words": (frame(TRAIN, transform_matrix=[["a"] * 4] * 4), "must hold numbers"),
    "NaN in a matrix": (pose(TRAIN, lambda p: set_at(p, (1, 1), NAN)), "view 0 has NaN"),
    "sheared": (pose(TRAIN, lambda p: set_at(p, (0, 1), 0.5)), "rotation of view 0 is not"),
    "absolute path": (frame(TRAIN, file_path="/etc/passwd"), "absolute path '/etc/passwd'"),
    "Windows path": (frame(TRAIN, file_path="C:\\x.png"), "absolute path 'C:"),
    "dots": (frame(TRAIN, file_path="../x/00"), "`..` may leave"),
    "link out": (outside_link("all/00.png"), "symbolic link out of"),
    "image missing": (lose("all/02.png"), "02.png: is missing or not a regular file"),
    "image of another size": (picture(Image.new("RGBA", (5, 5))), "is 5 x 5 pixels, 00.png is"),
    "text for an image": (picture(b"hello"), "neither PNG nor JPEG"),
    "image cut short": (cut("all/02.png", 120), "cannot be decoded"),
    "image bomb": (bomb, "2 to 8192 pixels a side, got 9000 x 9000"),
    "one huge image": (picture(png_header(60_000, 60_000)), "02.png: claims more than"),
    "a large image": (picture(png_header(10_000, 10_000), "all/01.png"), "01.png: claims more"),
    "16 bits": (picture(Image.new("I;16", (12, 10))), "colour mode I;16"),
    "trained on the test view": (
        frame("transforms_test.json", file_path="./all/03"),
        "uses 03.png twice",
    ),
}
TRANSFORMS: dict[str, tuple[Break, str]] = {
    "fisheye": (keys(JSON, camera_model="OPENCV_FISHEYE"), "camera model OPENCV_FISHEYE"),
    "k3": (keys(JSON, k3=0.1), "distortion `k3`"),
    "no image there": (
        lambda f: lose(*(f"images/{name}" for name in scene_writers.NAMES))(f),
        "none of its 8 images",
    ),
    "two images there": (
        lambda f: lose(*(f"images/{name}" for name in scene_writers.NAMES[2:]))(f),
        "at least 3 views, got 2",
    ),
    "listed twice": (
        frame(JSON, 1, file_path="images/00.png"),
        "transforms.json: uses 00.png twice",
    ),
    "made for other images": (keys(JSON, w=1080.0, h=900.0), "images of 1080 x 900 pixels"),
    "folding lens": (keys(JSON, k1=-5.0), "folds over within the image"),
    "infinite lens": (keys(JSON, k2=INF), "`k2` must be a finite number, got 'inf'"),
    "principal point outside": (keys(JSON, cx=4000.0), "principal point .* far outside"),
    "no focal length": (keys(JSON, fl_x=0), "positive, got 0 pixels"),
    "split overlaps": (
        keys(
            JSON,
            train_filenames=["images/00.png"],
            val_filenames=["images/01.png"],
            test_filenames=["images/00.png"],
        ),
        "`test_filenames` has a view that is used elsewhere",
    ),
    "split of nothing": (
        keys(JSON, train_filenames=["x"], val_filenames=[], test_filenames=[]),
        "`train_filenames` names none",
    ),
    "split is text": (
        keys(JSON, train_filenames="images", val_filenames=[], test_filenames=[]),
        "must be a list of file names",
    ),
    "link in a chain": (outside_link("images"), "'images/00.png' is a symbolic link"),
}
COLMAP: dict[str, tuple[Break, str]] = {
    "unknown model": (overwrite(CAMERAS, 12, struct.pack("<i", 9)), "camera model 9"),
    "cameras without end": (overwrite(CAMERAS, 0, HUGE), r"cameras.bin: is truncated"),
    "images cut short": (cut(IMAGES, 300), r"images.bin: is truncated"),
    "images without end": (overwrite(IMAGES, 0, HUGE), "images.bin: is truncated: 3366"),
    "points cut short": (cut(POINTS, 500), r"points3D.bin: is truncated"),
    "track without end": (overwrite(POINTS, 51, HUGE), "points3D.bin: is truncated: 3689"),
    "name without end": (lambda f: endless_name(f), "a file name without an end"),
    "no images.bin": (lose(IMAGES), "images.bin: is missing or not a regular"),
    "camera missing": (overwrite(IMAGES, 68, struct.pack("<i", 3)), "camera 3, which is missing"),
    "quaternion": (overwrite(IMAGES, 12, struct.pack("<d", 3.0)), "of '00.png' has length"),
    "NaN translation": (overwrite(IMAGES, 44, struct.pack("<d", NAN)), "view 0 has NaN"),
    "NaN point": (overwrite(POINTS, 16, struct.pack("<d", NAN)), "point of the reconstruction"),
    "nothing registered": (
        lambda f: (f / IMAGES).write_bytes(struct.pack("<Q", 0)),
        "registers no image",
    ),
    "a photograph used twice": (twice, "sparse/0: uses 00.png twice"),
    "name that climbs": (overwrite(IMAGES, 72, b"../.."), r"`\.\.` may leave"),
    "no photographs": (lambda f: (f / "images").rename(f / "pictures"), "no folder `images`"),
    "a photograph missing": (lose("images/05.png"), "lacks 1 of 8 images, e.g. 05.png"),
    "photographs elsewhere": (outside_link("images"), "'images' is a symbolic link"),
}
COLMAP_TEXT: dict[str, tuple[Break, str]] = {
    "word": (text("sparse/0/points3D.txt", "1 half 0 0 1 2 3 0.5\n"), "has 'half' where"),
    "NaN": (replace_text("sparse/0/cameras.txt", "15.0", "nan"), "'nan' where a finite"),
    "short line": (text("sparse/0/cameras.txt", "7 OPENCV 12\n"), "a line of 3 words"),
    "unknown model": (replace_text("sparse/0/cameras.txt", "OPENCV", "FOV"), "camera model FOV"),
    "two sizes": (two_sizes, "cameras of 12 x 10 and of 24 x 20 pixels"),
}
LLFF: dict[str, tuple[Break, str]] = {
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
    "cut short": (cut("poses_bounds.npy", 400), "poses_bounds.npy: cannot be read"),
    "another number of images": (lose("images/05.png"), "has 8 poses, images has 7 images"),
    "NaN": (table(lambda t: set_at(t, (1, 2), NAN)), "has NaN or numbers beyond"),
    "near beyond far": (table(lambda t: set_at(t, (1, 15), 9.0)), "needs 0 < near < far"),
    "no focal length": (table(lambda t: set_at(t, (1, 14), 0.0)), "focal length that is not"),
    "not rigid": (table(lambda t: set_at(t, (1, 0), 2.0)), "rotation of view 1 is not orthonormal"),
}


def endless_name(folder: Path) -> None:
    whole = (folder / IMAGES).read_bytes()
    (folder / IMAGES).write_bytes(whole[:72] + b"a" * 9000)


def colmap_text(folder: Path) -> Path:
    return scene_writers.write_colmap(folder, text=True)


MAKERS: dict[str, tuple[Callable[[Path], Path], dict[str, tuple[Break, str]]]] = {
    "tiny-NeRF": (scene_writers.write_tiny_nerf, TINY),
    "Blender": (scene_writers.write_blender, BLENDER),
    "transforms": (scene_writers.write_instant_ngp, TRANSFORMS),
    "COLMAP": (scene_writers.write_colmap, COLMAP),
    "COLMAP text": (colmap_text, COLMAP_TEXT),
    "LLFF": (scene_writers.write_llff, LLFF),
}
CASES = [(kind, name) for kind, (_, cases) in MAKERS.items() for name in cases]


def refusal(tmp_path: Path, kind: str, name: str) -> str:
    """What is said about that scene, less the name of the folder it lies in."""
    make, cases = MAKERS[kind]
    source = make(tmp_path / "scene")
    cases[name][0](tmp_path / "scene")
    with pytest.raises(InputError) as error:
        load(str(source))
    return str(error.value).replace(str(tmp_path), "")


@pytest.mark.parametrize("kind", MAKERS)
def test_the_whole_ones_are_read(tmp_path: Path, kind: str) -> None:
    assert load(str(MAKERS[kind][0](tmp_path / "scene"))).images.shape == (8, 10, 12, 3)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_each_is_refused_with_its_reason(tmp_path: Path, kind: str, name: str) -> None:
    message = refusal(tmp_path, kind, name)
    assert re.search(MAKERS[kind][1][name][1], message), message
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


@pytest.mark.parametrize(("downscale", "said"), [(0, "at least 1, got 0"), (11, "leaves nothing")])
def test_absurd_downscale(tmp_path: Path, downscale: int, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load(str(scene_writers.write_instant_ngp(tmp_path / "scene")), downscale=downscale)


def test_shrunk_photographs_of_another_shape(tmp_path: Path) -> None:
    folder = scene_writers.write_colmap(tmp_path / "scene")
    shrunk_wrongly(folder)
    with pytest.raises(InputError, match="not a downscaled copy of 12 x 10"):
        load(str(folder), downscale=2)


def test_frames_as_json_survive_the_makers(tmp_path: Path) -> None:
    """The corpus breaks what it says it breaks: an edit changes nothing else."""
    file = scene_writers.write_instant_ngp(tmp_path / "scene") / JSON
    before = json.loads(file.read_text())
    scene_writers.edit_json(file, k3=0.1)
    assert json.loads(file.read_text()) == {**before, "k3": 0.1}
