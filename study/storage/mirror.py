"""Keeps a folder's copy in a storage up to date, from a thread of its own.

The folder stays the truth. A pass copies whatever has changed since the last one, what trials left
before the journal, so that the journal never tells of a trial whose record is missing.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from nerf.common.errors import InputError
from study.protocol.stopping import Stop
from study.records.study_folder import StudyFolder
from study.storage.lease import Lease, Taken
from study.storage.remote import AT_ONCE, Stamp, Storage, reached

SPEC, JOURNAL = "study.json", "optuna.journal"

EVERY = 5.0
"""Seconds between two passes; as many as a pass takes, where that is more."""

_OF_THIS_MACHINE = ("ray/", "driver.lock")
_LAST_PASS = 2.0  # seconds for it where a person waits for the end
_RENEWED_AFTER = 64  # files copied between two renewals of the lease


class Mirror:
    """Use it as a context: within, the copy follows the folder; at its end it is whole."""

    def __init__(
        self,
        folder: Path,
        storage: Storage,
        lease: Lease | None = None,
        lost: Callable[[], None] = lambda: None,
        tell: Callable[[str], None] = lambda text: None,
        copied: dict[str, Stamp] | None = None,
    ) -> None:
        """Renews `lease` all along, and calls `lost` where another process has taken it.

        `tell` hears that, and each time that the storage falls out of reach. `copied` is what the
        storage holds already; it is asked where that is not known.
        """
        self._folder = folder
        self._storage = storage
        self._lease = lease
        self._lost = lost
        self._tell = tell
        self._copied = copied
        self._in_reach = True
        self._one_pass = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Mirror:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, seconds: float | None = None) -> None:
        """Ends with a last pass, which is waited for `seconds` at most."""
        self._over.set()
        self._thread.join(seconds)

    def sync(self) -> None:
        """One pass; raises `OSError` where the storage is out of reach, `Taken` as its lease."""
        with self._one_pass:
            copied = self._copied_already()
            journal = self._folder / JOURNAL
            told = journal.read_bytes() if journal.exists() else b""
            stamps = stamps_of(self._folder)
            changed = [key for key in stamps if _differs(stamps[key], copied.get(key))]
            self._copy({key: stamps[key] for key in changed if key != JOURNAL})
            if told and len(told) != copied.get(JOURNAL, _NONE).size:
                self._storage.write(JOURNAL, told)
                copied[JOURNAL] = Stamp(len(told), 0.0)

    def _copied_already(self) -> dict[str, Stamp]:
        """What the storage holds of the folder as it is; looked for there once."""
        if self._copied is None:
            self._copied = self._storage.listing()
            for key in [key for key in self._copied if key.startswith("records/")]:
                if _checkpoint_of(key) in self._copied:
                    self._storage.remove(_checkpoint_of(key))
        return self._copied

    def _copy(self, changed: dict[str, Stamp]) -> None:
        keys = sorted(changed, key=lambda key: key != SPEC)  # without it, the rest is no study
        for at in range(0, max(len(keys), 1), _RENEWED_AFTER):
            some = keys[at : at + _RENEWED_AFTER]
            if self._lease:
                self._lease.renew()
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(self._copy_one, some))
            for record in (key for key in some if key.startswith("records/")):
                self._storage.remove(_checkpoint_of(record))  # not while it may be on its way
            self._copied_already().update({key: changed[key] for key in some})

    def _copy_one(self, key: str) -> None:
        try:
            content = (self._folder / key).read_bytes()
        except FileNotFoundError:
            return
        self._storage.write(key, content)

    def _follow(self) -> None:
        pause = 0.0
        while True:
            over = self._over.wait(pause)
            began = time.monotonic()
            try:
                self.sync()
                self._in_reach = True
            except Taken as taken:
                self._tell(str(taken))
                self._lost()
                return
            except OSError as error:
                if self._in_reach or over:
                    self._tell(f"the copy in {self._storage.url} lags behind ({error})")
                self._in_reach = False
            if over:
                return
            pause = max(EVERY, time.monotonic() - began)


_NONE = Stamp(-1, 0.0)


def stamps_of(folder: Path) -> dict[str, Stamp]:
    """The files of a folder that are copied: not the unfinished, nor what is of this machine."""
    found = {}
    for file in sorted(folder.rglob("*")):
        key = file.relative_to(folder).as_posix()
        if file.name.startswith(".") or key.startswith(_OF_THIS_MACHINE):
            continue
        with suppress(FileNotFoundError):  # it may go at any time
            if file.is_file():
                found[key] = Stamp(file.stat().st_size, file.stat().st_mtime)
    return found


def _differs(here: Stamp, there: Stamp | None) -> bool:
    return there is None or here.size != there.size or here.written > there.written


def _checkpoint_of(record: str) -> str:
    return f"checkpoints/{Path(record).stem}.pt"


def restore(folder: StudyFolder, url: str) -> None:
    """Makes a study folder that is missing from its copy under `url`, if there is one."""
    if folder.path.exists():
        return
    beside = StudyFolder(folder.path.with_name(f".{folder.name}-restored"))
    shutil.rmtree(beside.path, ignore_errors=True)
    storage = Storage.of(url, folder)
    with reached(url):
        Lease(storage, beside.path).adopt()
        storage.fetch_all(beside.path)
    if beside.spec_file.exists():
        beside.path.rename(folder.path)


@contextmanager
def mirrored(
    folder: StudyFolder, url: str, new: bool, stop: Stop, tell: Callable[[str], None]
) -> Iterator[None]:
    """Within, the study's copy under `url` follows its folder.

    Raises `InputError` where another process has that copy, or has gone on with it, or where a
    `new` study would replace one.
    """
    storage = Storage.of(url, folder)
    lease = Lease(storage, folder.path)
    with reached(url):
        if new and storage.read(SPEC) is not None:
            raise InputError(
                f"{storage.url} holds a study; go on with it by --resume, or give another --name"
            )
        if not new:
            lease.require_ours()
        lease.take(tell)
    mirror = Mirror(folder.path, storage, lease, stop.request, tell)
    try:
        with mirror:
            yield
            mirror.close(_LAST_PASS if stop.requested else None)
    finally:
        with suppress(OSError):
            lease.release()
