"""Reads captures in the format of instant-ngp and nerfstudio: one transforms.json and images."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np

from nerf.scenes.bounds.pose_conventions import with_convention_warning
from nerf.scenes.cameras.canonical_frame import to_canonical_frame
from nerf.scenes.formats.capture import Background, Capture, Float64, build_scene
from nerf.scenes.formats.json_file import SPLIT_KEYS, JsonFile, unused_keys
from nerf.scenes.formats.named_splits import match_names
from nerf.scenes.formats.ply_points import read_points
from nerf.scenes.formats.scene_checks import check_poses, scene_error
from nerf.scenes.formats.transforms_json import (
    read_frames,
    require_images,
    with_poses,
    without_repeats,
)
from nerf.scenes.formats.untrusted_files import path_inside
from nerf.scenes.scene import Scene, Split

POINTS = "sparse_pc.ply"
"""Where nerfstudio writes the points of the reconstruction, if `ply_file_path` names no other."""


def load_instant_ngp(
    path: Path, downscale: int, background: Background, follow_links: bool = False
) -> Scene:
    """Loads the capture of a JSON file in the canonical frame.

    Frames without an image are left out and counted.
    """
    file = JsonFile.read(path, follow_links)
    frames, shrunk = read_frames(file, downscale)
    require_images(file, frames)
    notes = list(frames.notes)
    views, indices = without_repeats(frames.views)
    if len(views) < len(indices):
        notes.append(f"{len(indices) - len(views)} frames are there twice: used once")
    stated_poses = np.stack([view.pose for view in views])
    check_poses(path, stated_poses, [view.file.name for view in views])
    panoramas = all(view.lens.model == "equirectangular" for view in views)
    poses, points, _ = to_canonical_frame(stated_poses, _points(file, notes), panoramas)
    view_of = dict(zip(frames.names, indices, strict=True))
    splits, split_notes = match_names(path, _split_lists(file), view_of)
    missing = len(frames.missing)
    capture = Capture(
        name=path.parent.resolve().name,
        file=path,
        description="instant-ngp capture"
        + (f" ({missing} frames without image left out)" * (missing > 0)),
        views=with_poses(views, poses),
        splits=splits,
        points=points,
        notes=(*notes, *split_notes, *unused_keys([file], SPLIT_KEYS)),
    )
    scene = build_scene(capture, shrunk.remaining(downscale), background)
    return with_convention_warning(scene, stated_poses)


def _points(file: JsonFile, notes: list[str]) -> Float64:
    """The points (n, 3) of the reconstruction, in the frame of the poses; n may be 0."""
    named = file.data.get("ply_file_path")
    if named is None and not (file.folder / POINTS).is_file():
        return np.empty((0, 3))
    points = path_inside(file.folder, named or POINTS, file.path, file.follow_links)
    if not points.is_file():
        notes.append(f"the points {str(named)[:80]} are missing; bounds come from the images")
        return np.empty((0, 3))
    return read_points(points, file.follow_links)


def _split_lists(file: JsonFile) -> dict[Split, list[str]]:
    """nerfstudio's lists of the file names of each split that has one."""
    lists: dict[Split, list[str]] = {}
    for split in get_args(Split):
        listed = file.data.get(f"{split}_filenames", [])
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise scene_error(file.path, f"`{split}_filenames` must be a list of file names")
        if listed:
            lists[split] = listed
    return lists
