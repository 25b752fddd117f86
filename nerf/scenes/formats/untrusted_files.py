"""Reading a stranger's scene folder: nothing outside it, nothing huge, nothing but plain data."""

from __future__ import annotations

import json
import math
import tokenize
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from nerf.common.errors import InputError
from nerf.scenes.formats.scene_checks import scene_error

MAX_JSON = 2**26  # bytes

BROKEN_ARRAY = (
    OSError,
    ValueError,
    EOFError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy raises for a .npy or .npz that is torn, encrypted, pickled or made up."""


def inside(folder: Path, name: object, where: object) -> Path:
    """The path that a file of the scene calls `name`, relative to the scene's folder.

    Raises `InputError` for whatever leaves the folder: absolute paths, `..`, symbolic links.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise scene_error(where, f"a file name must be text, got {name!r}")
    posix = PurePosixPath(name.replace("\\", "/"))
    if posix.is_absolute() or PureWindowsPath(name).drive:
        raise scene_error(where, f"names the absolute path {name!r}; use one inside the scene's folder")
    if ".." in posix.parts:
        raise scene_error(where, f"names {name!r}; `..` may leave the scene's folder")
    path = folder / posix
    if not path.resolve().is_relative_to(folder.resolve()):
        raise scene_error(where, f"{name!r} is a symbolic link out of the scene's folder; copy the file")
    return path


def image_path(folder: Path, name: object, where: object) -> Path:
    """The path of a frame's picture; Blender's exports leave out the .png."""
    path = inside(folder, name, where)
    if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
        return path
    return inside(folder, f"{name}.png", where)


def regular_file(file: Path) -> Path:
    """`file` itself; raises `InputError` unless it is a plain file that lies in its folder."""
    if not file.is_file():
        raise scene_error(file, "is missing or no plain file")
    if not file.resolve().is_relative_to(file.parent.resolve()):
        raise scene_error(file, "is a symbolic link out of the scene's folder; copy the file")
    return file


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file; raises `InputError` for anything else."""
    try:
        size = regular_file(file).stat().st_size
        if size > MAX_JSON:
            raise scene_error(file, f"is larger than {MAX_JSON // 2**20} MiB; that is no camera file")
        data = json.loads(file.read_text(encoding="utf-8"))
    except InputError:
        raise
    except RecursionError:
        raise scene_error(file, "is nested too deeply; that is no camera file") from None
    except (OSError, ValueError) as error:
        raise scene_error(file, f"is no JSON that can be read ({error})") from None
    if not isinstance(data, dict):
        raise scene_error(file, f"must hold a JSON object, holds a {type(data).__name__}")
    return data


def number(where: object, data: dict[str, Any], key: str, default: float | None = None) -> float:
    """The finite number under `key`; raises `InputError` where it is missing or none."""
    value = data.get(key, default)
    if value is None:
        raise scene_error(where, f"lacks the number `{key}`")
    if type(value) not in (int, float) or not abs(value) < math.inf or abs(value) > 1e300:
        raise scene_error(where, f"`{key}` must be a finite number, got {str(value)[:40]!r}")
    return float(value)


def frames(file: Path, data: dict[str, Any]) -> list[dict[str, Any]]:
    """The list under `frames`, each with a file name and a 4 x 4 matrix of numbers."""
    found = data.get("frames")
    if not isinstance(found, list) or not found:
        raise scene_error(file, "has no `frames`")
    for index, frame in enumerate(found):
        if not isinstance(frame, dict) or "file_path" not in frame:
            raise scene_error(file, f"frame {index} has no `file_path`")
        matrix = frame.get("transform_matrix")
        rows = matrix if isinstance(matrix, list) else []
        if [len(row) if isinstance(row, list) else 0 for row in rows] != [4, 4, 4, 4]:
            raise scene_error(file, f"frame {index} has no 4 x 4 `transform_matrix`")
        values = [value for row in rows for value in row]
        if not all(type(value) in (int, float) for value in values):
            raise scene_error(file, f"the `transform_matrix` of frame {index} holds more than numbers")
        if any(abs(value) > 1e30 for value in values):
            raise scene_error(file, f"the `transform_matrix` of frame {index} holds absurd numbers")
    return found


def focal_from_angle(where: object, data: dict[str, Any], width: int) -> float:
    """The focal length in pixels from the horizontal field of view, `camera_angle_x`."""
    angle = number(where, data, "camera_angle_x")
    if not 0 < angle < math.pi:
        raise scene_error(where, f"`camera_angle_x` must lie between 0 and pi, got {angle:g}")
    return width / 2 / math.tan(angle / 2)
