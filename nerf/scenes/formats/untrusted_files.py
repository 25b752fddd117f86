"""Opens files of a scene that may come from anyone: nothing outside its folder, nothing huge."""

from __future__ import annotations

import json
import tokenize
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from nerf.common.errors import InputError
from nerf.scenes.formats.scene_checks import scene_error

MAX_JSON_BYTES = 2**26

INVALID_ARRAY_ERRORS = (
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
"""What numpy raises for a .npy or .npz file that is truncated, encrypted, pickled or forged."""


def path_inside(folder: Path, name: object, where: object) -> Path:
    """The path `folder / name`, for a name that the scene's file `where` gives.

    Raises `InputError` for absolute paths, `..` and symbolic links out of the folder.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise scene_error(where, f"a file name must be text, got {name!r}")
    posix = PurePosixPath(name.replace("\\", "/"))
    if posix.is_absolute() or PureWindowsPath(name).drive:
        raise scene_error(
            where, f"has the absolute path {name!r}; use one inside the scene's folder"
        )
    if ".." in posix.parts:
        raise scene_error(where, f"has the path {name!r}; `..` may leave the scene's folder")
    path = folder / posix
    if not path.resolve().is_relative_to(folder.resolve()):
        raise scene_error(
            where, f"{name!r} is a symbolic link out of the scene's folder; copy the file"
        )
    return path


def regular_file(file: Path) -> Path:
    """Returns `file`; raises `InputError` unless it is a regular file that is in its folder."""
    if not file.is_file():
        raise scene_error(file, "is missing or not a regular file")
    if not file.resolve().is_relative_to(file.parent.resolve()):
        raise scene_error(file, "is a symbolic link out of the scene's folder; copy the file")
    return file


def read_json(file: Path) -> dict[str, Any]:
    """Reads the object in a JSON file; raises `InputError` for anything else."""
    try:
        size = regular_file(file).stat().st_size
        if size > MAX_JSON_BYTES:
            raise scene_error(
                file, f"is larger than {MAX_JSON_BYTES // 2**20} MiB, too large for a camera file"
            )
        data = json.loads(file.read_text(encoding="utf-8"))
    except InputError:
        raise
    except RecursionError:
        raise scene_error(file, "is nested too deeply for a camera file") from None
    except (OSError, ValueError) as error:
        raise scene_error(file, f"cannot be read as JSON ({error})") from None
    if not isinstance(data, dict):
        raise scene_error(file, f"must hold a JSON object, holds a {type(data).__name__}")
    return data
