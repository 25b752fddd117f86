"""Results of minutes of work in the user's cache folder, under a hash of what they came from.

A result is a folder. It is renamed into place when it is complete and on disk, so one that was
interrupted is never taken for a finished one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from nerf.common.files import cache_folder

_VERSION = 1
"""To be raised when the same input shall give another result."""


def hash_input(files: Sequence[Path], recipe: object) -> str:
    """A key of the files' names and content and of how they are worked on."""
    digest = hashlib.sha256(repr((_VERSION, recipe)).encode())
    for file in files:
        with file.open("rb") as content:
            digest.update(f"{file.name}\0".encode(errors="surrogateescape"))
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:20]


def cached_result(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """The folder of a result; calls `build` with an empty folder to fill if there is none yet."""
    target = cache_folder() / kind / key
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=target.parent))
    try:
        build(unfinished)
        for file in unfinished.rglob("*"):
            if file.is_file():
                with file.open("r+b") as content:
                    os.fsync(content.fileno())
        _rename(unfinished, target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def _rename(unfinished: Path, target: Path) -> None:
    """Renames the folder, unless another process has finished the same result meanwhile."""
    try:
        unfinished.rename(target)
    except OSError:
        if not target.is_dir():
            raise
