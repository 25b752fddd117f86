"""Mirrors a study folder to a storage, from a thread of its own, and restores it from there.

The folder is the source of truth. Each pass uploads the files that have changed since the last one,
the journal after all others, so that a journal in the storage never refers to a record that is
missing there.
"""

from __future__ import annotations

import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from nerf.common.errors import InputError
from study.protocol.stopping import Stop
from study.records.study_folder import StudyFolder
from study.storage.lease import Lease, LeaseLost
from study.storage.remote import PARALLEL_TRANSFERS, Stamp, Storage, unreachable_as_input_error

SPEC, JOURNAL = "study.json", "optuna.journal"

SYNC_SECONDS = 5.0
"""Between two passes, or as long as the last one took if that is more."""

_LOCAL_PREFIXES = ("ray/", "driver.lock", f"{JOURNAL}.lock")
"""Files that concern this machine alone and are not mirrored; the last is Optuna's own lock, a link
to the journal that exists while a line is written."""
_LAST_PASS_SECONDS = 2.0
"""For the last pass after a requested stop."""
_FILES_PER_RENEWAL = 64
"""Files that are uploaded between two renewals of the lease."""

_MISSING = Stamp(-1, 0.0)


class Mirror:
    """Mirrors a folder while it is used as a context, and once more at the end."""

    def __init__(
        self,
        folder: Path,
        storage: Storage,
        lease: Lease | None = None,
        on_lease_lost: Callable[[], None] = lambda: None,
        notify: Callable[[str], None] = lambda text: None,
        known: dict[str, Stamp] | None = None,
    ) -> None:
        """Renews `lease` as long as it mirrors; calls `on_lease_lost` if another process has it.

        `notify` receives messages for the user. `known` are the files in the storage, which is
        queried for them if they are not given.
        """
        self._folder = folder
        self._storage = storage
        self._lease = lease
        self._on_lease_lost = on_lease_lost
        self._notify = notify
        self._known = known
        self._reachable = True
        self._pass_lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Mirror:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, seconds: float | None = None) -> None:
        """Ends with a last pass, and waits for it up to `seconds`, or until it is done."""
        self._closed.set()
        self._thread.join(seconds)

    def sync(self) -> None:
        """Makes one pass; raises `OSError` if the storage is out of reach, and `LeaseLost`."""
        with self._pass_lock:
            known = self._files_in_storage()
            journal = self._folder / JOURNAL
            # Read before the other files are listed: the records it refers to are among them.
            journal_bytes = journal.read_bytes() if journal.exists() else b""
            stamps = list_files(self._folder)
            changed = [key for key in stamps if _differs(stamps[key], known.get(key))]
            self._upload({key: stamps[key] for key in changed if key != JOURNAL})
            if journal_bytes and len(journal_bytes) != known.get(JOURNAL, _MISSING).size:
                self._storage.write(JOURNAL, journal_bytes)
                known[JOURNAL] = Stamp(len(journal_bytes), 0.0)

    def _files_in_storage(self) -> dict[str, Stamp]:
        """The files that the storage holds, queried once, without checkpoints of ended trials."""
        if self._known is None:
            self._known = self._storage.listing()
            saved = [key.split("/") for key in self._known if key.startswith("checkpoints/")]
            trials = {parts[1].removesuffix(".pt") for parts in saved}
            for trial in trials & {Path(k).stem for k in self._known if k.startswith("records/")}:
                self._remove_checkpoint(trial)
        return self._known

    def _upload(self, changed: dict[str, Stamp]) -> None:
        keys = sorted(changed, key=lambda key: key != SPEC)  # a study is recognised by its spec
        for at in range(0, max(len(keys), 1), _FILES_PER_RENEWAL):
            batch = keys[at : at + _FILES_PER_RENEWAL]
            if self._lease:
                self._lease.renew()
            with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
                list(pool.map(self._upload_file, batch))
            for record in (key for key in batch if key.startswith("records/")):
                # Only now, as its checkpoint may have been in the same batch.
                self._remove_checkpoint(Path(record).stem)
            self._files_in_storage().update({key: changed[key] for key in batch})

    def _remove_checkpoint(self, trial: str) -> None:
        """Deletes the checkpoint of an ended trial, and the folder of its trainer's own files."""
        self._storage.remove(f"checkpoints/{trial}.pt")
        self._storage.remove_folder(f"checkpoints/{trial}")

    def _upload_file(self, key: str) -> None:
        try:
            content = (self._folder / key).read_bytes()
        except FileNotFoundError:
            return
        self._storage.write(key, content)

    def _run(self) -> None:
        pause = 0.0
        while True:
            is_last = self._closed.wait(pause)
            start = time.monotonic()
            try:
                self.sync()
                self._reachable = True
            except LeaseLost as lost:
                self._notify(str(lost))
                self._on_lease_lost()
                return
            except OSError as error:
                if self._reachable or is_last:
                    self._notify(f"the copy in {self._storage.url} is out of date ({error})")
                self._reachable = False
            if is_last:
                return
            pause = max(SYNC_SECONDS, time.monotonic() - start)


def list_files(folder: Path) -> dict[str, Stamp]:
    """The files of a folder that are mirrored: all except temporary ones and local ones."""
    return dict(sorted(_walk(str(folder), "")))


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, Stamp]]:
    """Keys and stamps below a folder, whose own key is `prefix`, with one look at each file."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:  # removed at any time
        for entry in entries:
            key = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if not f"{key}/".startswith(_LOCAL_PREFIXES):
                    yield from _walk(entry.path, f"{key}/")
            elif not (entry.name.startswith(".") or key.startswith(_LOCAL_PREFIXES)):
                with suppress(FileNotFoundError):
                    status = entry.stat()
                    if stat.S_ISREG(status.st_mode):
                        yield key, Stamp(status.st_size, status.st_mtime)


def _differs(local: Stamp, remote: Stamp | None) -> bool:
    return remote is None or local.size != remote.size or local.written > remote.written


def restore(folder: StudyFolder, url: str) -> None:
    """Downloads a study folder that does not exist from its copy under `url`, if there is one."""
    if folder.path.exists():
        return
    partial = StudyFolder(folder.path.with_name(f".{folder.name}-restored"))
    shutil.rmtree(partial.path, ignore_errors=True)
    storage = Storage.of(url, folder)
    with unreachable_as_input_error(url):
        Lease(storage, partial.path).mark_restored()
        storage.fetch_all(partial.path)
    if partial.spec_file.exists():
        partial.path.rename(folder.path)


@contextmanager
def mirrored(
    folder: StudyFolder, url: str, is_new: bool, stop: Stop, notify: Callable[[str], None]
) -> Iterator[None]:
    """A context in which the study's folder is mirrored to a copy under `url`.

    Raises `InputError` if another process holds the copy or has resumed it, and if a study that
    `is_new` would overwrite one.
    """
    storage = Storage.of(url, folder)
    lease = Lease(storage, folder.path)
    with unreachable_as_input_error(url):
        if is_new and storage.read(SPEC) is not None:
            raise InputError(
                f"{storage.url} holds a study; resume it by --resume, or give another --name"
            )
        if not is_new:
            lease.require_same_copy()
        lease.acquire(notify)
    mirror = Mirror(folder.path, storage, lease, stop.request, notify)
    try:
        with mirror:
            yield
            mirror.close(_LAST_PASS_SECONDS if stop.requested else None)
    finally:
        with suppress(OSError):
            lease.release()
