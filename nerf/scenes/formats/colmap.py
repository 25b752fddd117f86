"""COLMAP folders: a sparse reconstruction and the photographs that it was made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.bounds.suggest import from_distances
from nerf.scenes.cameras.canonical_frame import to_canonical_frame
from nerf.scenes.formats.capture import Background, Capture, Float64, View, build_scene
from nerf.scenes.formats.colmap_files import Camera, Image, Reconstruction, read_reconstruction
from nerf.scenes.formats.image_files import image_folder, image_size
from nerf.scenes.formats.scene_checks import check_poses, scene_error
from nerf.scenes.formats.untrusted_files import inside
from nerf.scenes.scene import Bounds, Scene

SPARSE = ("sparse/0", "sparse", "colmap/sparse/0")

_MIN_SEEN = 10  # observations that bounds can be taken from


def sparse_folder(folder: Path) -> Path | None:
    """Where under a scene's folder a reconstruction lies, or None."""
    for name in SPARSE:
        if any((folder / name / f"cameras.{kind}").exists() for kind in ("bin", "txt")):
            return folder / name
    return None


def load_colmap(folder: Path, sparse: Path, downscale: int, background: Background) -> Scene:
    """The scene in the canonical frame, with its sparse points and bounds from them."""
    inside(folder, str(sparse.relative_to(folder)), folder)
    found = read_reconstruction(sparse)
    images = dict(sorted(found.images.items(), key=lambda item: item[1].name))
    if not images:
        raise scene_error(sparse, "registers no image; run COLMAP's mapper again")
    photographs, shrunk = image_folder(folder, downscale)
    views = [_view(photographs, sparse, found.cameras[i.camera], i) for i in images.values()]
    missing = [view.file.name for view in views if not view.file.is_file()]
    if missing:
        raise scene_error(photographs, f"lacks {len(missing)} of {len(views)} images, e.g. {missing[0]}")
    size = _size(sparse, found)
    if shrunk > 1:
        views, size = _as_shrunk(views, size)
    poses = np.stack([view.pose for view in views])
    check_poses(sparse, poses)
    poses, points, _ = to_canonical_frame(poses, found.points)
    capture = Capture(
        name=folder.resolve().name,
        file=sparse,
        description=f"COLMAP reconstruction with {len(points)} points",
        views=[replace(view, pose=pose) for view, pose in zip(views, poses, strict=True)],
        size=size,
        points=points,
        bounds=_bounds(list(images), poses, points, found.tracks),
    )
    return build_scene(capture, downscale // shrunk, background)


def _view(photographs: Path, sparse: Path, camera: Camera, image: Image) -> View:
    """The camera in OpenGL's frame: COLMAP's looks along +z with y down."""
    pose = np.eye(4)
    rotation = _rotation(sparse, image)
    pose[:3, :3] = rotation.T * np.array([1.0, -1.0, -1.0])
    pose[:3, 3] = -rotation.T @ np.array(image.translation)
    p = camera.parameters
    if camera.model in ("PINHOLE", "OPENCV"):
        focal, centre, rest = (p[0], p[1]), (p[2], p[3]), p[4:]
    else:
        focal, centre, rest = (p[0], p[0]), (p[1], p[2]), p[3:]
    k1, k2, p1, p2 = (*rest, *[0.0] * (4 - len(rest)))
    return View(inside(photographs, image.name, sparse), pose, focal, centre, (k1, k2, p1, p2))


def _rotation(sparse: Path, image: Image) -> Float64:
    """The matrix of a quaternion (w, x, y, z) that should have length one."""
    quaternion = np.array(image.rotation)
    length = float(np.linalg.norm(quaternion))
    if not abs(length - 1) < 1e-3:
        raise scene_error(sparse, f"the rotation of {image.name!r} has length {length:g}, must have 1")
    w, x, y, z = quaternion / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _size(sparse: Path, found: Reconstruction) -> tuple[int, int]:
    sizes = {(c.width, c.height) for c in (found.cameras[i.camera] for i in found.images.values())}
    if len(sizes) > 1:
        first, second = (f"{w} x {h}" for w, h in sorted(sizes)[:2])
        raise scene_error(sparse, f"has cameras of {first} and of {second} pixels; all must be alike")
    return sizes.pop()


def _as_shrunk(views: list[View], size: tuple[int, int]) -> tuple[list[View], tuple[int, int]]:
    """Cameras for pictures that were made smaller beforehand, by what their own size tells."""
    width, height = image_size(views[0].file)
    across, down = width / size[0], height / size[1]
    if abs(across / down - 1) > 0.02:
        raise scene_error(
            views[0].file,
            f"is {width} x {height} pixels, no shrunk copy of {size[0]} x {size[1]}",
        )
    fitted = [
        replace(
            view,
            focal=(view.focal[0] * across, view.focal[1] * down),
            centre=(view.centre[0] * across, view.centre[1] * down),
        )
        for view in views
    ]
    return fitted, (width, height)


def _bounds(
    images: list[int], poses: Float64, points: Float64, tracks: NDArray[np.int64]
) -> Bounds | None:
    """From the distances between each camera and the points that it was seen to see."""
    place = {image: index for index, image in enumerate(images)}
    known = np.array([(place[i], p) for i, p in tracks.tolist() if i in place], int).reshape(-1, 2)
    if len(known) < _MIN_SEEN:
        return None
    distances = np.linalg.norm(poses[known[:, 0], :3, 3] - points[known[:, 1]], axis=1)
    return from_distances(distances, f"{len(points)} sparse points")
