"""A study's copy elsewhere: in a shared folder, under s3://... or gs://..., through pyarrow.

Every file of the study folder has its own name there. Credentials and endpoints come from the usual
environment variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL,
GOOGLE_APPLICATION_CREDENTIALS), never from a URL, which is kept with the study and shown.
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

from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.records.study_folder import StudyFolder

AT_ONCE = 8
"""Files on their way at the same time."""

_READ = ("study.json", "trials.parquet", "curves.parquet", "renders/")
"""What of a study its analysis reads."""


@dataclass(frozen=True)
class Stamp:
    """A file's size in bytes and when it was last written, in seconds since 1970."""

    size: int
    written: float


@dataclass(frozen=True)
class Storage:
    """The copy of one study under `url`; every method raises `OSError` where it is out of reach."""

    url: str

    @staticmethod
    def of(url: str, folder: StudyFolder) -> Storage:
        """The copy of the study in `folder`, among others under `url`."""
        return Storage(f"{url.rstrip('/')}/{folder.name}")

    def write(self, key: str, content: bytes) -> None:
        """`key` holds `content`, whole, or what it held before."""
        system, root = _open(self.url)
        if system.type_name == "local":
            write_atomically(Path(root) / key, content)
            return
        with system.open_output_stream(f"{root}/{key}") as file:
            file.write(content)

    def read(self, key: str) -> bytes | None:
        """What `key` holds; None where there is none."""
        system, root = _open(self.url)
        try:
            with system.open_input_file(f"{root}/{key}") as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None

    def remove(self, key: str) -> None:
        """`key` is no more, if it was."""
        system, root = _open(self.url)
        with suppress(FileNotFoundError):
            system.delete_file(f"{root}/{key}")

    def listing(self) -> dict[str, Stamp]:
        """Every key."""
        from pyarrow.fs import FileSelector

        system, root = _open(self.url)
        found = system.get_file_info(FileSelector(root, recursive=True, allow_not_found=True))
        return {
            info.path[len(root) + 1 :]: Stamp(info.size, info.mtime_ns / 1e9)
            for info in found
            if info.is_file and not Path(info.path).name.startswith(".")
        }

    def fetch(self, folder: Path, key: str) -> None:
        """Copies a file into `folder`, if there is one."""
        content = self.read(key)
        if content is not None:
            write_atomically(folder / key, content)

    def fetch_all(self, folder: Path, prefixes: tuple[str, ...] = ("",)) -> None:
        """Copies all files under these prefixes into `folder`, with the times they were written."""
        stamps = {k: stamp for k, stamp in self.listing().items() if k.startswith(prefixes)}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda key: self.fetch(folder, key), stamps))
        for key, stamp in stamps.items():
            os.utime(folder / key, (stamp.written, stamp.written))


def borrow(url: str) -> StudyFolder:
    """What analysis reads of the study under `url`, copied for as long as this process lasts.

    Raises `InputError` where there is no study, or none within reach.
    """
    folder = Path(tempfile.mkdtemp(prefix="nerf-study-")) / url.rstrip("/").rpartition("/")[2]
    atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    with reached(url):
        Storage(url.rstrip("/")).fetch_all(folder, _READ)
    if not (folder / "study.json").exists():
        raise InputError(f"{url} holds no study; name one that study/run_sweep.py --storage made")
    return StudyFolder(folder)


@contextmanager
def reached(url: str) -> Iterator[None]:
    """Where the storage is out of reach within, an `InputError` says so, and what it needs."""
    try:
        yield
    except OSError as error:
        why = " ".join(str(error).split())[:200]
        raise InputError(
            f"{url} cannot be used ({why}); credentials and endpoint come from the environment, "
            "as AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL"
        ) from None


def is_url(text: str) -> bool:
    """Does this name something that is no path of this machine?"""
    return "://" in text


@functools.cache
def _open(url: str) -> tuple[Any, str]:
    """pyarrow's file system, and the path in it."""
    from pyarrow.fs import FileSystem

    try:
        system, root = FileSystem.from_uri(url if is_url(url) else str(Path(url).absolute()))
    except ValueError:
        raise InputError(f"a storage is a folder, s3://... or gs://..., got {url!r}") from None
    return system, root
