"""Captures in instant-ngp's and nerfstudio's format: one transforms.json beside its images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nerf.scenes.cameras.canonical_frame import to_canonical_frame
from nerf.scenes.formats.capture import Background, Capture, View, build_scene
from nerf.scenes.formats.image_files import image_size
from nerf.scenes.formats.scene_checks import check_poses, scene_error
from nerf.scenes.formats.untrusted_files import (
    focal_from_angle,
    frames,
    image_path,
    number,
    read_json,
)
from nerf.scenes.scene import Scene, Split

_MODELS = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "PERSPECTIVE")


def load_instant_ngp(folder: Path, downscale: int, background: Background) -> Scene:
    """The scene in the canonical frame; frames without an image are left out and counted."""
    file = folder / "transforms.json"
    data = read_json(file)
    listed = frames(file, data)
    names = [str(frame["file_path"]) for frame in listed]
    present = [
        frame for frame in listed if image_path(folder, frame["file_path"], file).is_file()
    ]
    if not present:
        raise scene_error(file, f"none of its {len(listed)} images is there, the first being {names[0]}")
    width, height = image_size(image_path(folder, present[0]["file_path"], file))
    views = [_view(folder, file, {**data, **frame}, width, height) for frame in present]
    poses = np.stack([view.pose for view in views])
    check_poses(file, poses)
    poses, _, _ = to_canonical_frame(poses, np.empty((0, 3)))
    missing = len(listed) - len(present)
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
    """One frame's camera; whatever it does not say itself holds for the whole scene."""
    model = frame.get("camera_model", "OPENCV")
    if model not in _MODELS or frame.get("is_fisheye"):
        raise scene_error(
            file, f"has the camera model {model}; undistort to one of {', '.join(_MODELS)}"
        )
    for key in ("k3", "k4"):
        if number(file, frame, key, 0.0):
            raise scene_error(file, f"has the distortion `{key}`, only k1 k2 p1 p2 are understood")
    angled = "fl_x" not in frame
    focal_x = focal_from_angle(file, frame, width) if angled else number(file, frame, "fl_x")
    k1, k2, p1, p2 = (number(file, frame, key, 0.0) for key in ("k1", "k2", "p1", "p2"))
    return View(
        file=image_path(folder, frame["file_path"], file),
        pose=np.array(frame["transform_matrix"], float),
        focal=(focal_x, number(file, frame, "fl_y", focal_x)),
        centre=(number(file, frame, "cx", width / 2), number(file, frame, "cy", height / 2)),
        distortion=(k1, k2, p1, p2),
    )


def _size(file: Path, data: dict[str, Any]) -> tuple[int, int] | None:
    if "w" not in data or "h" not in data:
        return None
    return int(number(file, data, "w")), int(number(file, data, "h"))


def _splits(
    file: Path, data: dict[str, Any], names: list[str]
) -> dict[Split, tuple[int, ...]] | None:
    """nerfstudio's lists of file names for each part, where the file has all three."""
    if not all(f"{split}_filenames" in data for split in ("train", "val", "test")):
        return None
    places = {name: index for index, name in enumerate(names)}
    splits: dict[Split, tuple[int, ...]] = {}
    taken: set[int] = set()
    for split in ("train", "val", "test"):
        listed = data[f"{split}_filenames"]
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise scene_error(file, f"`{split}_filenames` must be a list of file names")
        chosen = [places[name] for name in listed if name in places]
        if not chosen:
            raise scene_error(file, f"`{split}_filenames` names none of the images")
        if taken.intersection(chosen) or len(set(chosen)) < len(chosen):
            raise scene_error(file, f"`{split}_filenames` holds a view that is used elsewhere")
        taken.update(chosen)
        splits[split] = tuple(chosen)
    return splits
