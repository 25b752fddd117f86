"""Atomic file writes, safe against crashes and power cuts, and the user's cache folder."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

UNFINISHED = ".*-????????.*"
"""Glob pattern of the temporary files, one of which a killed writer leaves behind."""


def write_atomically(path: Path, content: bytes) -> None:
    """Writes `content` to `path`; a crash leaves the old file or the new one, never a part."""
    replace_atomically(path, lambda temporary: temporary.write_bytes(content))


def replace_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Calls `write` with a temporary file in the same folder, then renames that to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        write(temporary)
        # Opened for update, as Windows cannot flush a file that is open for reading only.
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        if os.name == "posix":
            _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` survive a power cut. Windows cannot open a folder for this."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/nerf-study`, or `~/.cache/nerf-study` if that is unset or relative."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "nerf-study"
