"""Reads LLFF folders, the NeRF paper's forward-facing captures: poses_bounds.npy and `images/`.

Each row of the (views, 17) table holds a 3 x 5 matrix and two depths. The matrix's columns are the
camera's down, right and backward axes in the world, its position, and (height, width, focal length)
in pixels. The depths, along the optical axis, are those of the nearest and farthest point.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nerf.common.errors import InputError
from nerf.scenes.bounds.suggest import MARGIN
from nerf.scenes.cameras.canonical_frame import to_canonical_frame
from nerf.scenes.formats.capture import Background, Capture, Float64, View, build_scene
from nerf.scenes.formats.image_files import image_folder, image_size
from nerf.scenes.formats.scene_checks import MAX_COORDINATE, MAX_VIEWS, check_poses, scene_error
from nerf.scenes.formats.untrusted_files import INVALID_ARRAY_ERRORS, path_inside, regular_file
from nerf.scenes.scene import Bounds, Scene

FILE = "poses_bounds.npy"

_SUFFIXES = (".png", ".jpg", ".jpeg")


def load_llff(folder: Path, downscale: int, background: Background) -> Scene:
    """Loads a scene in the canonical frame, with near and far from the depths in the file."""
    file = folder / FILE
    table = _read_table(file)
    images, downscaled_by = image_folder(folder, downscale)
    names = sorted(p.name for p in images.iterdir() if p.suffix.lower() in _SUFFIXES)
    files = [path_inside(images, name, images) for name in names]
    if len(files) != len(table):
        raise scene_error(file, f"has {len(table)} poses, {images.name} has {len(files)} images")
    cameras = table[:, :15].reshape(-1, 3, 5)
    # From columns down, right, backward, position to OpenGL's right, up, backward, position.
    poses = np.tile(np.eye(4), (len(table), 1, 1))
    poses[:, :3] = np.stack(
        [cameras[..., 1], -cameras[..., 0], cameras[..., 2], cameras[..., 3]], axis=-1
    )
    check_poses(file, poses)
    near, far = float(table[:, 15].min()), float(table[:, 16].max())
    # Without points, the scene is taken to lie at the geometric mean of each view's two depths.
    ahead = np.median(np.sqrt(table[:, 15] * table[:, 16]))
    middles = poses[:, :3, 3] - ahead * poses[:, :3, 2]
    poses, _, scale = to_canonical_frame(poses, middles)
    width, height = image_size(files[0])
    focal = cameras[:, 2, 4] * width / cameras[:, 1, 4]  # the file's is for the file's width
    capture = Capture(
        name=folder.resolve().name,
        file=file,
        description="LLFF capture",
        views=[
            View(path, pose, (f, f), (width / 2, height / 2))
            for path, pose, f in zip(files, poses, focal.tolist(), strict=True)
        ],
        size=(width, height),
        bounds=_bounds(near * scale, far * scale, width, height, float(focal.min())),
    )
    return build_scene(capture, downscale // downscaled_by, background)


def _read_table(file: Path) -> Float64:
    """The table (views, 17): finite, with positive sizes and focal lengths and 0 < near < far."""
    try:
        table = np.load(regular_file(file), mmap_mode="r", allow_pickle=False)
    except InputError:
        raise
    except INVALID_ARRAY_ERRORS as error:
        raise scene_error(file, f"cannot be read ({error})") from None
    if not isinstance(table, np.ndarray):
        raise scene_error(file, "is an archive, must be one array")
    if table.ndim != 2 or table.shape[1] != 17 or table.dtype.kind != "f":
        raise scene_error(file, f"must hold floats (views, 17), holds {table.dtype} {table.shape}")
    if len(table) > MAX_VIEWS:
        raise scene_error(file, f"has {len(table)} poses, at most {MAX_VIEWS} are read")
    table = np.array(table, np.float64)
    if not (np.abs(table) < MAX_COORDINATE).all():
        raise scene_error(file, f"has NaN or numbers beyond {MAX_COORDINATE:g}")
    if (table[:, [4, 9, 14]] <= 0).any():
        raise scene_error(file, "has a height, width or focal length that is not positive")
    if ((table[:, 15] <= 0) | (table[:, 15] >= table[:, 16])).any():
        raise scene_error(file, "needs 0 < near < far in its last two columns")
    return table


def _bounds(near: float, far: float, width: int, height: int, focal: float) -> Bounds:
    """Distances from depths: towards an image corner, the same depth is farther away."""
    corner = float(np.hypot(np.hypot(width, height) / 2, focal) / focal)
    return Bounds(near * (1 - MARGIN), far * corner * (1 + MARGIN), "the depths in the file")
