"""Draws a scene into the viewer: cameras with their photographs, near and far, surface points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nerf.scenes.bounds.inspection_image import frustum_corners
from nerf.scenes.scene import Scene, Split
from nerf.surface.depth_maps import DepthMap

CAMERA_COLOURS: dict[Split, tuple[int, int, int]] = {
    "train": (31, 119, 180),
    "val": (44, 160, 44),
    "test": (214, 39, 40),
}
_NEAR, _FAR = (235, 120, 10), (130, 60, 200)
_MAX_CAMERAS = 120  # of each split; more hide the object
_THUMBNAIL = 64  # pixels a side, at most
_MAX_POINTS = 60_000


def add_cameras(server: Any, scene: Scene) -> None:
    """Adds a frustum with its photograph for each view, coloured by split."""
    spacing = float(np.linalg.norm(scene.world_from_camera[:, :3, 3], axis=1).mean())
    for split, colour in CAMERA_COLOURS.items():
        views = scene.views(split)
        for view in views[:: -(-len(views) // _MAX_CAMERAS)]:
            pose = scene.world_from_camera[view]
            _, _, height, width = scene.images.frame(view)
            server.scene.add_camera_frustum(
                f"/cameras/{split}/{view}",
                fov=2 * math.atan(height / 2 / float(scene.focal[view, 1])),
                aspect=width / height,
                scale=0.03 * spacing,
                thickness=0.002 * spacing,
                color=colour,
                image=_thumbnail(scene, view),
                wxyz=_quaternion(pose[:3, :3] * (1, -1, -1)),  # to y down, z ahead
                position=pose[:3, 3],
            )


def add_bounds(server: Any, scene: Scene) -> None:
    """Adds the near and far rectangles of one training view, and the edges between them."""
    view = scene.train[0]
    faces = frustum_corners(scene, view)
    for name, face, colour in (("near", faces[0], _NEAR), ("far", faces[1], _FAR)):
        lines = np.stack((face, np.roll(face, -1, axis=0)), axis=1)
        server.scene.add_line_segments(f"/bounds/{name}", lines, colour, thickness=0.01)
    edges = np.stack((faces[0], faces[1]), axis=1)
    server.scene.add_line_segments("/bounds/edges", edges, (150, 150, 150), thickness=0.005)


def add_points(server: Any, maps: list[DepthMap]) -> Any:
    """Adds the surface points of depth maps, hidden at first; returns their handle."""
    points = np.concatenate([each.points[each.hit].numpy() for each in maps])
    rgb = np.concatenate([each.rgb[each.hit].numpy() for each in maps])
    step = max(len(points) // _MAX_POINTS, 1)
    colours = (rgb[::step] * 255 + 0.5).astype(np.uint8)
    size = float(np.ptp(points, axis=0).max()) / 300 if len(points) else 0.01
    return server.scene.add_point_cloud(
        "/points", points[::step], colours, point_size=size, visible=False
    )


def _thumbnail(scene: Scene, view: int) -> np.ndarray:
    """The valid part of a view's photograph, (rows, columns, 3) uint8."""
    top, left, height, width = scene.images.frame(view)
    stride = max(-(-max(height, width) // _THUMBNAIL), 1)
    rows, columns = slice(top, top + height, stride), slice(left, left + width, stride)
    return (scene.images[view, rows, columns] * 255 + 0.5).astype(np.uint8)


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    """w x y z of a rotation matrix."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_matrix(rotation).as_quat(scalar_first=True))
