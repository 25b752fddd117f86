"""Files that appear whole or not at all, whatever dies while they are written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

UNFINISHED = ".*-????????.*"
"""What the temporary files are called, as a pattern; a writer that was killed leaves one behind."""


def write_atomically(path: Path, content: bytes) -> None:
    """`path` holds `content`, or what it held before: never a part of it."""
    replace_atomically(path, lambda beside: beside.write_bytes(content))


def replace_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a temporary file in the same folder, then puts it in `path`'s place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        write(beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
        _sync_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Makes a rename last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/nerf-study`, or `~/.cache/nerf-study` where that is unset or relative."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "nerf-study"
