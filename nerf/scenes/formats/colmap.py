"""Loads COLMAP folders: a sparse reconstruction and the images that it was computed from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.bounds.suggest import from_distances
from nerf.scenes.cameras.canonical_frame import to_canonical_frame
from nerf.scenes.cameras.lens import Lens
from nerf.scenes.formats.capture import Background, Capture, Float64, View, build_scene
from nerf.scenes.formats.colmap_files import Camera, Image, Reconstruction, read_reconstruction
from nerf.scenes.formats.image_files import image_folder, image_size
from nerf.scenes.formats.scene_checks import check_poses, scene_error
from nerf.scenes.formats.untrusted_files import path_inside
from nerf.scenes.scene import Bounds, Scene

SPARSE_FOLDERS = ("sparse/0", "sparse", "colmap/sparse/0")

_MIN_OBSERVATIONS = 10  # of points in images, to take bounds from
_MAX_ASPECT_CHANGE = 0.02  # of images that were downscaled by another tool


def sparse_folder(folder: Path) -> Path | None:
    """The folder of the reconstruction within a scene's folder, or None."""
    for name in SPARSE_FOLDERS:
        if any((folder / name / f"cameras.{kind}").exists() for kind in ("bin", "txt")):
            return folder / name
    return None


def load_colmap(folder: Path, sparse: Path, downscale: int, background: Background) -> Scene:
    """Loads a scene in the canonical frame, with its sparse points and bounds from them."""
    path_inside(folder, str(sparse.relative_to(folder)), folder)
    reconstruction = read_reconstruction(sparse)
    images = dict(sorted(reconstruction.images.items(), key=lambda item: item[1].name))
    if not images:
        raise scene_error(sparse, "registers no image; run COLMAP's mapper again")
    photographs, downscaled_by = image_folder(folder, downscale)
    cameras = reconstruction.cameras
    views = [_view(photographs, sparse, cameras[i.camera], i) for i in images.values()]
    missing = [view.file.name for view in views if not view.file.is_file()]
    if missing:
        raise scene_error(
            photographs, f"lacks {len(missing)} of {len(views)} images, e.g. {missing[0]}"
        )
    size = _common_size(sparse, reconstruction)
    if downscaled_by > 1:
        views, size = _fit_to_downscaled(views, size)
    poses = np.stack([view.pose for view in views])
    check_poses(sparse, poses)
    poses, points, _ = to_canonical_frame(poses, reconstruction.points)
    capture = Capture(
        name=folder.resolve().name,
        file=sparse,
        description=f"COLMAP reconstruction with {len(points)} points",
        views=[replace(view, pose=pose) for view, pose in zip(views, poses, strict=True)],
        size=size,
        points=points,
        bounds=_bounds(list(images), poses, points, reconstruction.observations),
    )
    return build_scene(capture, downscale // downscaled_by, background)


def _view(photographs: Path, sparse: Path, camera: Camera, image: Image) -> View:
    """Converts COLMAP's cam_from_world to world_from_camera in OpenGL's convention."""
    pose = np.eye(4)
    rotation = _rotation_matrix(sparse, image)
    # x_cam = R x + t, so world_from_camera is [R' | -R' t]. COLMAP's camera has y down and looks
    # along +z: negating those two columns gives y up and -z.
    pose[:3, :3] = rotation.T * np.array([1.0, -1.0, -1.0])
    pose[:3, 3] = -rotation.T @ np.array(image.translation)
    p = camera.parameters
    if camera.model in ("PINHOLE", "OPENCV"):
        focal, centre, rest = (p[0], p[1]), (p[2], p[3]), p[4:]
    else:  # one focal length for both axes
        focal, centre, rest = (p[0], p[0]), (p[1], p[2]), p[3:]
    k1, k2, p1, p2 = (*rest, *[0.0] * (4 - len(rest)))
    lens = Lens(coefficients=(k1, k2, p1, p2))
    return View(path_inside(photographs, image.name, sparse), pose, focal, centre, lens)


def _rotation_matrix(sparse: Path, image: Image) -> Float64:
    """The matrix of a quaternion (w, x, y, z), which must have length 1."""
    quaternion = np.array(image.rotation)
    length = float(np.linalg.norm(quaternion))
    if not abs(length - 1) < 1e-3:
        raise scene_error(
            sparse, f"the rotation of {image.name!r} has length {length:g}, must have length 1"
        )
    w, x, y, z = quaternion / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _common_size(sparse: Path, reconstruction: Reconstruction) -> tuple[int, int]:
    """Width and height of all cameras in use; raises `InputError` if they differ."""
    cameras = [reconstruction.cameras[image.camera] for image in reconstruction.images.values()]
    sizes = {(camera.width, camera.height) for camera in cameras}
    if len(sizes) > 1:
        first, second = (f"{w} x {h}" for w, h in sorted(sizes)[:2])
        raise scene_error(
            sparse, f"has cameras of {first} and of {second} pixels; all must be the same size"
        )
    return sizes.pop()


def _fit_to_downscaled(
    views: list[View], size: tuple[int, int]
) -> tuple[list[View], tuple[int, int]]:
    """Cameras and size for images that another tool downscaled; rounding may differ by axis."""
    width, height = image_size(views[0].file)
    across, down = width / size[0], height / size[1]
    if abs(across / down - 1) > _MAX_ASPECT_CHANGE:
        raise scene_error(
            views[0].file,
            f"is {width} x {height} pixels, not a downscaled copy of {size[0]} x {size[1]}",
        )
    scaled = [
        replace(
            view,
            focal=(view.focal[0] * across, view.focal[1] * down),
            centre=(view.centre[0] * across, view.centre[1] * down),
        )
        for view in views
    ]
    return scaled, (width, height)


def _bounds(
    images: list[int], poses: Float64, points: Float64, observations: NDArray[np.int64]
) -> Bounds | None:
    """Bounds from the distances between cameras and the points they observe; None for too few.

    `images` are COLMAP's ids in the order of `poses`.
    """
    view_of = {image: view for view, image in enumerate(images)}
    seen = np.array([(view_of[i], p) for i, p in observations.tolist() if i in view_of], int)
    seen = seen.reshape(-1, 2)  # rows of (view, point)
    if len(seen) < _MIN_OBSERVATIONS:
        return None
    distances = np.linalg.norm(poses[seen[:, 0], :3, 3] - points[seen[:, 1]], axis=1)
    return from_distances(distances, f"{len(points)} sparse points")
