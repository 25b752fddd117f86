"""Reads captures in the format of instant-ngp and nerfstudio: one transforms.json and images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nerf.scenes.cameras.canonical_frame import to_canonical_frame
from nerf.scenes.cameras.lens import Lens
from nerf.scenes.formats.capture import Background, Capture, View, build_scene
from nerf.scenes.formats.image_files import image_size
from nerf.scenes.formats.scene_checks import check_poses, scene_error
from nerf.scenes.formats.transforms_json import (
    focal_from_angle,
    frame_image,
    read_frames,
    read_number,
)
from nerf.scenes.formats.untrusted_files import read_json
from nerf.scenes.scene import Scene, Split

_CAMERA_MODELS = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "PERSPECTIVE")


def load_instant_ngp(folder: Path, downscale: int, background: Background) -> Scene:
    """Loads a scene in the canonical frame; frames without an image are left out and counted."""
    file = folder / "transforms.json"
    data = read_json(file)
    frames = read_frames(file, data)
    present = [f for f in frames if frame_image(folder, f["file_path"], file).is_file()]
    if not present:
        first = frames[0]["file_path"]
        raise scene_error(file, f"none of its {len(frames)} images exists, the first is {first}")
    width, height = image_size(frame_image(folder, present[0]["file_path"], file))
    views = [_view(folder, file, {**data, **frame}, width, height) for frame in present]
    poses = np.stack([view.pose for view in views])
    check_poses(file, poses)
    poses, _, _ = to_canonical_frame(poses, np.empty((0, 3)))
    missing = len(frames) - len(present)
    capture = Capture(
        name=folder.resolve().name,
        file=file,
        description="instant-ngp capture"
        + (f" ({missing} frames without image left out)" * (missing > 0)),
        views=[replace(view, pose=pose) for view, pose in zip(views, poses, strict=True)],
        splits=_splits(file, data, [str(frame["file_path"]) for frame in present]),
        size=_size(file, {**data, **present[0]}),
    )
    return build_scene(capture, downscale, background)


def _view(folder: Path, file: Path, frame: dict[str, Any], width: int, height: int) -> View:
    """One frame's view; `frame` also has the values that the file gives for all frames."""
    model = frame.get("camera_model", "OPENCV")
    if model not in _CAMERA_MODELS or frame.get("is_fisheye"):
        raise scene_error(
            file,
            f"has the camera model {model}; undistort to one of {', '.join(_CAMERA_MODELS)}",
        )
    for key in ("k3", "k4"):
        if read_number(file, frame, key, 0.0):
            raise scene_error(file, f"has the distortion `{key}`, only k1 k2 p1 p2 are supported")
    if "fl_x" in frame:
        focal_x = read_number(file, frame, "fl_x")
    else:
        focal_x = focal_from_angle(file, frame, width)
    k1, k2, p1, p2 = (read_number(file, frame, key, 0.0) for key in ("k1", "k2", "p1", "p2"))
    return View(
        file=frame_image(folder, frame["file_path"], file),
        pose=np.array(frame["transform_matrix"], float),
        focal=(focal_x, read_number(file, frame, "fl_y", focal_x)),
        centre=(
            read_number(file, frame, "cx", width / 2),
            read_number(file, frame, "cy", height / 2),
        ),
        lens=Lens(coefficients=(k1, k2, p1, p2)),
    )


def _size(file: Path, data: dict[str, Any]) -> tuple[int, int] | None:
    if "w" not in data or "h" not in data:
        return None
    return int(read_number(file, data, "w")), int(read_number(file, data, "h"))


def _splits(
    file: Path, data: dict[str, Any], names: list[str]
) -> dict[Split, tuple[int, ...]] | None:
    """nerfstudio's lists of file names for each split, or None unless the file has all three."""
    if not all(f"{split}_filenames" in data for split in ("train", "val", "test")):
        return None
    index_of = {name: index for index, name in enumerate(names)}
    splits: dict[Split, tuple[int, ...]] = {}
    used: set[int] = set()
    for split in ("train", "val", "test"):
        filenames = data[f"{split}_filenames"]
        if not isinstance(filenames, list) or not all(isinstance(name, str) for name in filenames):
            raise scene_error(file, f"`{split}_filenames` must be a list of file names")
        views = [index_of[name] for name in filenames if name in index_of]
        if not views:
            raise scene_error(file, f"`{split}_filenames` names none of the images")
        if used.intersection(views) or len(set(views)) < len(views):
            raise scene_error(file, f"`{split}_filenames` has a view that is used elsewhere")
        used.update(views)
        splits[split] = tuple(views)
    return splits
