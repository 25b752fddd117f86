"""Ways to damage a valid scene, one each, to test that loading it fails with a clear message."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.nerf.scenes import scene_writers

Damage = Callable[[Path], object]
"""Damages the scene in a folder."""

TRAIN, JSON = "transforms_train.json", "transforms.json"
IMAGES, POINTS, CAMERAS = (f"sparse/0/{name}.bin" for name in ("images", "points3D", "cameras"))
GIT_LFS_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
HUGE = struct.pack("<Q", 2**62)


def changed_poses(index: int, change: Callable[[np.ndarray], object]) -> np.ndarray:
    """The poses of all views, one of them changed in place by `change`."""
    poses = scene_writers.poses()
    change(poses[index])
    return poses


def tiny_arrays(**changes: object) -> Damage:
    """Writes a tiny-NeRF file with other arrays, or without those given as None."""
    return lambda folder: scene_writers.write_tiny_nerf(folder, **changes)


def images_with_pixel(value: float) -> np.ndarray:
    """Valid images but for one value."""
    images = scene_writers.pixels()[..., :3] / 255
    images[3, 2, 1, 0] = value
    return images


def forged_header(folder: Path) -> None:
    """An archive whose header promises 3 TB that are not there."""
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (500000, 800, 800, 3), }"
    header += b" " * (117 - len(header)) + b"\n"
    with zipfile.ZipFile(scene_writers.write_tiny_nerf(folder), "a") as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["images.npy"] = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    with zipfile.ZipFile(folder / "scene.npz", "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def zipped_text(folder: Path) -> None:
    """A zip archive of other files."""
    with zipfile.ZipFile(scene_writers.write_tiny_nerf(folder), "w") as archive:
        archive.writestr("images/00.txt", "")


def black_masks(folder: Path) -> None:
    """A black mask for every image."""
    (folder / "masks").mkdir()
    for name in scene_writers.NAMES:
        size = scene_writers.WIDTH, scene_writers.HEIGHT
        Image.new("L", size).save(folder / "masks" / name)


def overwrite(name: str, at: int, content: bytes) -> Damage:
    """Overwrites bytes from offset `at`."""

    def apply(folder: Path) -> None:
        whole = bytearray((folder / name).read_bytes())
        whole[at : at + len(content)] = content
        (folder / name).write_bytes(whole)

    return apply


def truncate(name: str, keep: int) -> Damage:
    """Leaves the first bytes of a file."""
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:keep])


def torn_archive(folder: Path) -> None:
    """The directory at the end is whole, the compressed data are not."""
    scene_writers.write_tiny_nerf(folder)
    overwrite("scene.npz", 200, b"\xff" * 64)(folder)


def write_text(name: str, content: str) -> Damage:
    """Replaces a file by text."""
    return lambda folder: (folder / name).write_text(content)


def json_keys(name: str, **changes: object) -> Damage:
    """Sets keys of a JSON file, or removes those given as None."""
    return lambda folder: scene_writers.edit_json(folder / name, **changes)


def json_frame(name: str, index: int = 0, **changes: object) -> Damage:
    """Sets keys of one frame of a JSON file, or removes those given as None."""
    return lambda folder: scene_writers.edit_frame(folder / name, index, **changes)


def frame_pose(name: str, change: Callable[[np.ndarray], object]) -> Damage:
    """Changes the pose of the first frame."""
    return json_frame(name, 0, transform_matrix=changed_poses(0, change)[0].tolist())


def frame_pose_of(value: int) -> Damage:
    """Gives the first frame a matrix of one value."""
    return json_frame(TRAIN, 0, transform_matrix=[[value, 0, 0, 0]] * 4)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", b"x"))
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        content += struct.pack(">I", len(data)) + kind + data + checksum
    return content


def replace_image(content: bytes | Image.Image, name: str = "all/02.png") -> Damage:
    """Replaces an image file by other bytes or another image."""

    def apply(folder: Path) -> None:
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            content.save(folder / name)

    return apply


def tiff_bytes(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "TIFF")
    return content.getvalue()


def claim_huge_images(folder: Path) -> None:
    """Replaces all images by headers of 9,000 x 9,000 pixels."""
    for file in (folder / "all").iterdir():
        file.write_bytes(png_header(9_000, 9_000))


def link_outside(name: str) -> Damage:
    """Moves a file or folder out of the scene and leaves a symbolic link to it."""

    def apply(folder: Path) -> None:
        elsewhere = folder.parent / "elsewhere"
        (folder / name).rename(elsewhere)
        (folder / name).symlink_to(elsewhere)

    return apply


def link_to_itself(name: str) -> Damage:
    """Replaces a file by a symbolic link to itself."""

    def apply(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(folder / name)

    return apply


def sparse_file(name: str, size: int) -> Damage:
    """Replaces a file by zeros of that size, which take no space on disk."""

    def apply(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.truncate(size)

    return apply


def delete(*names: str) -> Damage:
    """Deletes files."""

    def apply(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return apply


def delete_images_named(name: str) -> Damage:
    """Deletes all images of an instant-ngp scene, the first of which is renamed in its file."""

    def apply(folder: Path) -> None:
        json_frame(JSON, 0, file_path=name)(folder)
        for image in scene_writers.NAMES:
            (folder / "images" / image).unlink()

    return apply


def replace_text(name: str, old: str, new: str) -> Damage:
    """Replaces the first `old` in a text file."""

    def apply(folder: Path) -> None:
        whole = (folder / name).read_text()
        assert old in whole
        (folder / name).write_text(whole.replace(old, new, 1))

    return apply


def llff_rows(change: Callable[[np.ndarray], object]) -> Damage:
    """Changes LLFF's table in place."""

    def apply(folder: Path) -> None:
        values = scene_writers.llff_table()
        change(values)
        np.save(folder / "poses_bounds.npy", values)

    return apply


def set_at(array: np.ndarray, where: object, value: object) -> None:
    array[where] = value  # type: ignore[index]


def same_name_twice(folder: Path) -> None:
    """The second image's record under the first one's name."""
    whole = (folder / IMAGES).read_bytes()
    (folder / IMAGES).write_bytes(whole.replace(b"01.png", b"00.png"))


def add_squeezed_images(folder: Path) -> None:
    """Adds images_2 with images of another aspect ratio."""
    scene_writers.write_images(folder / "images_2")
    for file in (folder / "images_2").iterdir():
        Image.new("RGB", (6, 9)).save(file)


def endless_name(folder: Path) -> None:
    """Replaces the rest of images.bin, from the first name on, by a name without an end."""
    whole = (folder / IMAGES).read_bytes()
    (folder / IMAGES).write_bytes(whole[:72] + b"a" * 9000)
