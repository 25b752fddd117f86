"""Opens files of a scene that may come from anyone: nothing outside its folder, nothing huge."""

from __future__ import annotations

import json
import os
import tokenize
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from nerf.common.errors import InputError
from nerf.scenes.formats.scene_checks import scene_error

MAX_JSON_BYTES = 2**26
_POINTER, _MAX_POINTER_BYTES = b"version https://git-lfs", 1024
_MAX_NAME_BYTES = 255  # what file systems allow for one part of a path

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


def path_inside(folder: Path, name: object, where: object, follow_links: bool = False) -> Path:
    """The path `folder / name`, for a name that the scene's file `where` gives.

    An absolute path of another computer is taken by its last parts that exist in the folder.
    Raises `InputError` for other absolute paths, for `..` and for symbolic links out of the folder,
    unless `follow_links` trusts them.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise scene_error(where, f"a file name must be text, got {repr(name)[:40]}")
    posix = PurePosixPath(name.replace("\\", "/"))
    if any(len(part.encode(errors="replace")) > _MAX_NAME_BYTES for part in posix.parts):
        raise scene_error(where, f"has a file name of over {_MAX_NAME_BYTES} bytes: {name[:40]!r}")
    if posix.is_absolute() or PureWindowsPath(name).drive:
        if follow_links and Path(name).exists():
            return Path(name)
        path = _own_part(folder, posix)
        if path is None:
            raise scene_error(
                where,
                f"has the absolute path {name[:80]!r}; use one inside the scene's folder, or trust "
                "it with --follow-links",
            )
    else:
        path = Path(os.path.normpath(folder / posix)) if ".." in posix.parts else folder / posix
    if follow_links:
        return path
    if ".." in posix.parts and not path.is_relative_to(os.path.normpath(folder)):
        raise scene_error(
            where,
            f"has the path {name[:80]!r}; `..` may leave the scene's folder: move the files into "
            "it, or trust the path with --follow-links",
        )
    try:
        is_inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        raise scene_error(where, f"{name[:80]!r} is a link to itself; copy the file") from None
    if not is_inside:
        raise scene_error(
            where,
            f"{name[:80]!r} is a symbolic link out of the scene's folder; copy the file, or trust "
            "the link with --follow-links",
        )
    return path


def _own_part(folder: Path, absolute: PurePosixPath) -> Path | None:
    """The longest tail of an absolute path that exists in the folder, or None."""
    for first in range(1, len(absolute.parts)):
        tail = absolute.parts[first:]
        if ".." not in tail and (folder / Path(*tail)).exists():
            return folder / Path(*tail)
    return None


def check_downloaded(file: Path) -> None:
    """Rejects the text that Git LFS leaves in place of a file that was not downloaded."""
    if file.stat().st_size > _MAX_POINTER_BYTES:
        return
    with file.open("rb") as opened:
        if opened.read(len(_POINTER)) == _POINTER:
            raise scene_error(file, "is a pointer of Git LFS; fetch the file with `git lfs pull`")


def regular_file(file: Path, follow_links: bool = False) -> Path:
    """Returns `file`; raises `InputError` unless it is a regular file that is in its folder."""
    if not file.is_file():
        raise scene_error(file, "is missing or not a regular file")
    check_downloaded(file)
    if not follow_links and not file.resolve().is_relative_to(file.parent.resolve()):
        raise scene_error(
            file,
            "is a symbolic link out of the scene's folder; copy the file, or trust the link with "
            "--follow-links",
        )
    return file


def read_json(file: Path, follow_links: bool = False) -> dict[str, Any]:
    """Reads the object in a JSON file; raises `InputError` for anything else."""
    try:
        size = regular_file(file, follow_links).stat().st_size
        if size > MAX_JSON_BYTES:
            raise scene_error(
                file, f"is larger than {MAX_JSON_BYTES // 2**20} MiB, too large for a camera file"
            )
        data = json.loads(file.read_text(encoding="utf-8-sig"))  # Windows writes a byte order mark
    except InputError:
        raise
    except RecursionError:
        raise scene_error(file, "is nested too deeply for a camera file") from None
    except (OSError, ValueError) as error:
        raise scene_error(
            file, f"cannot be read as JSON ({error}); write or copy it again"
        ) from None
    if not isinstance(data, dict):
        raise scene_error(file, f"must hold a JSON object, holds a {type(data).__name__}")
    return data
