"""Storages: a study's copy in another folder, s3://... or gs://..., accessed through pyarrow.

A file's key is its path in the study folder. Credentials and endpoints come from the usual
environment variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL,
GOOGLE_APPLICATION_CREDENTIALS), never from the URL, which is saved with the study and printed.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.commands import command_name
from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.records.study_folder import StudyFolder
from study.spec.storage_url import is_url

PARALLEL_TRANSFERS = 8
"""Files that are uploaded or downloaded at the same time."""

_ANALYSED = ("study.json", "trials.parquet", "curves.parquet", "renders/")
"""Prefixes of the files that `analysis` reads."""


@dataclass(frozen=True)
class Stamp:
    """A file's size in bytes and the time of its last change, in seconds since 1970."""

    size: int
    written: float


@dataclass(frozen=True)
class Storage:
    """The copy of one study at `url`; all methods raise `OSError` if it is out of reach."""

    url: str

    @staticmethod
    def of(url: str, folder: StudyFolder) -> Storage:
        """The copy of the study in `folder`, under a `url` that holds many."""
        return Storage(f"{url.rstrip('/')}/{folder.name}")

    def write(self, key: str, content: bytes) -> None:
        """Writes a file atomically: after a failure it holds what it held before."""
        system, root = _open(self.url)
        if system.type_name == "local":
            write_atomically(Path(root) / key, content)
            return
        with system.open_output_stream(f"{root}/{key}") as file:
            file.write(content)

    def read(self, key: str) -> bytes | None:
        """Reads a file; None if it does not exist."""
        system, root = _open(self.url)
        try:
            with system.open_input_file(f"{root}/{key}") as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None

    def remove(self, key: str) -> None:
        """Deletes a file if it exists."""
        system, root = _open(self.url)
        with suppress(FileNotFoundError):
            system.delete_file(f"{root}/{key}")

    def remove_folder(self, key: str) -> None:
        """Deletes a folder with all its files if it exists."""
        system, root = _open(self.url)
        for name in self.listing(key):
            self.remove(name)
        # Object stores have no folders: that there is none is another error on each of them.
        with suppress(OSError):
            system.delete_dir(f"{root}/{key}")

    def listing(self, folder: str = "") -> dict[str, Stamp]:
        """Lists all files, or those below one folder."""
        from pyarrow.fs import FileSelector

        system, root = _open(self.url)
        top = f"{root}/{folder}".rstrip("/")
        infos = system.get_file_info(FileSelector(top, recursive=True, allow_not_found=True))
        return {
            info.path[len(root) + 1 :]: Stamp(info.size, info.mtime_ns / 1e9)
            for info in infos
            if info.is_file and not Path(info.path).name.startswith(".")
        }

    def fetch(self, folder: Path, key: str) -> None:
        """Downloads a file into `folder` if it exists."""
        content = self.read(key)
        if content is not None:
            write_atomically(folder / key, content)

    def fetch_all(self, folder: Path, prefixes: tuple[str, ...] = ("",), below: str = "") -> None:
        """Downloads all files with these prefixes into `folder`, with their times.

        below: the folder of the storage in which all of them are
        """
        stamps = {k: stamp for k, stamp in self.listing(below).items() if k.startswith(prefixes)}
        with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
            list(pool.map(lambda key: self.fetch(folder, key), stamps))
        for key, stamp in stamps.items():
            os.utime(folder / key, (stamp.written, stamp.written))


def download_study(url: str) -> StudyFolder:
    """Downloads what analysis reads of a study to a temporary folder, removed at process exit.

    Raises `InputError` if `url` is out of reach or holds no study.
    """
    folder = Path(tempfile.mkdtemp(prefix="nerf-study-")) / url.rstrip("/").rpartition("/")[2]
    atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    with unreachable_as_input_error(url):
        Storage(url.rstrip("/")).fetch_all(folder, _ANALYSED)
    if not (folder / "study.json").exists():
        program = command_name("study/run_sweep.py")
        raise InputError(f"{url} holds no study; give one that {program} --storage wrote")
    return StudyFolder(folder)


@contextmanager
def unreachable_as_input_error(url: str) -> Iterator[None]:
    """A context that turns an `OSError` of the storage into an `InputError` with the remedy."""
    try:
        yield
    except OSError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{url} cannot be used ({reason}); set credentials and endpoint in the environment: "
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL"
        ) from None


@functools.cache
def _open(url: str) -> tuple[Any, str]:
    """pyarrow's file system for `url`, and the path in it."""
    from pyarrow.fs import FileSystem

    try:
        system, root = FileSystem.from_uri(url if is_url(url) else str(Path(url).absolute()))
    except ValueError:
        raise InputError(f"a storage must be a folder, s3://... or gs://..., got {url!r}") from None
    return system, root
