"""Checked access to transforms.json files, which Blender scenes and instant-ngp captures share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from nerf.scenes.formats.scene_checks import scene_error
from nerf.scenes.formats.untrusted_files import path_inside


def read_frames(file: Path, data: dict[str, Any]) -> list[dict[str, Any]]:
    """The list `frames`; each frame has a `file_path` and a numeric 4 x 4 `transform_matrix`."""
    frames = data.get("frames")
    if not isinstance(frames, list) or not frames:
        raise scene_error(file, "has no `frames`")
    for index, frame in enumerate(frames):
        if not isinstance(frame, dict) or "file_path" not in frame:
            raise scene_error(file, f"frame {index} has no `file_path`")
        matrix = frame.get("transform_matrix")
        rows = matrix if isinstance(matrix, list) else []
        if [len(row) if isinstance(row, list) else 0 for row in rows] != [4, 4, 4, 4]:
            raise scene_error(file, f"frame {index} has no 4 x 4 `transform_matrix`")
        values = [value for row in rows for value in row]
        if not all(type(value) in (int, float) for value in values):
            raise scene_error(file, f"the `transform_matrix` of frame {index} must hold numbers")
        if any(abs(value) > 1e30 for value in values):
            raise scene_error(file, f"the `transform_matrix` of frame {index} has absurd numbers")
    return frames


def read_number(
    where: object, data: dict[str, Any], key: str, default: float | None = None
) -> float:
    """The finite number `data[key]`; raises `InputError` if it is missing or not a number."""
    value = data.get(key, default)
    if value is None:
        raise scene_error(where, f"lacks the number `{key}`")
    if type(value) not in (int, float) or not abs(value) < math.inf or abs(value) > 1e300:
        raise scene_error(where, f"`{key}` must be a finite number, got {str(value)[:40]!r}")
    return float(value)


def focal_from_angle(where: object, data: dict[str, Any], width: int) -> float:
    """The focal length in pixels from the horizontal field of view `camera_angle_x` in radians."""
    angle = read_number(where, data, "camera_angle_x")
    if not 0 < angle < math.pi:
        raise scene_error(where, f"`camera_angle_x` must lie between 0 and pi, got {angle:g}")
    return width / 2 / math.tan(angle / 2)


def frame_image(folder: Path, name: object, where: object) -> Path:
    """The image file of a frame; adds the .png that Blender exports leave out of `file_path`."""
    path = path_inside(folder, name, where)
    if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
        return path
    return path_inside(folder, f"{name}.png", where)
