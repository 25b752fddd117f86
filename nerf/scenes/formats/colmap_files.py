"""Reads COLMAP's sparse reconstructions, binary or text, safe against damaged or forged files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nerf.common.errors import InputError
from nerf.scenes.formats.colmap_binary import binary_cameras, binary_images, binary_points
from nerf.scenes.formats.colmap_records import Points, Reconstruction
from nerf.scenes.formats.colmap_text import text_cameras, text_images, text_points
from nerf.scenes.formats.scene_checks import MAX_COORDINATE, scene_error
from nerf.scenes.formats.untrusted_files import regular_file

MAX_BYTES = 2**31


def holds_reconstruction(folder: Path, whole: bool = True) -> bool:
    """Whether a folder has COLMAP's cameras, binary or text, and if it is whole, its images."""
    return bool(_kinds(folder, ("cameras", "images") if whole else ("cameras",)))


def _kinds(folder: Path, names: tuple[str, ...]) -> list[str]:
    """Which of bin and txt all these files of a reconstruction exist as."""
    return [
        kind
        for kind in ("bin", "txt")
        if all((folder / f"{name}.{kind}").exists() for name in names)
    ]


def count_images(folder: Path) -> int:
    """How many images a reconstruction registers; 0 if its file cannot be read."""
    try:
        if (folder / "images.bin").exists():
            with (folder / "images.bin").open("rb") as file:
                return int.from_bytes(file.read(8), "little")
        return len(text_images(folder / "images.txt"))
    except (OSError, InputError):
        return 0


def read_reconstruction(folder: Path, follow_links: bool = False) -> Reconstruction:
    """Reads a reconstruction; raises `InputError` for truncated, absurd or unsupported files.

    Points may be missing.
    """
    kind = (_kinds(folder, ("cameras", "images")) or _kinds(folder, ("cameras",)))[0]
    files = [folder / f"{name}.{kind}" for name in ("cameras", "images", "points3D")]
    for file in files[:2] + files[2:] * files[2].exists():
        if regular_file(file, follow_links).stat().st_size > MAX_BYTES:
            raise scene_error(file, f"is larger than {MAX_BYTES // 2**30} GiB")
    points: Points = ([], [])
    if kind == "bin":
        cameras, images = binary_cameras(files[0]), binary_images(files[1])
        if files[2].exists():
            points = binary_points(files[2])
    else:
        cameras, images = text_cameras(files[0]), text_images(files[1])
        if files[2].exists():
            points = text_points(files[2])
    for image in images.values():
        if image.camera not in cameras:
            raise scene_error(
                folder, f"image {image.name!r} has camera {image.camera}, which is missing"
            )
    positions = np.array(points[0], np.float64).reshape(-1, 3)
    if not (np.abs(positions) < MAX_COORDINATE).all():
        raise scene_error(
            folder, f"a point of the reconstruction is NaN or beyond {MAX_COORDINATE:g}"
        )
    pairs = np.array(points[1], np.int64).reshape(-1, 2)
    return Reconstruction(cameras, images, positions, pairs)
