"""A trial's files: in the study folder, or on machines without it in a mirrored scratch folder.

The scratch folder starts with what the storage has of the trial, as a checkpoint of an earlier
attempt, and a mirror uploads every change.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from study.records.study_folder import StudyFolder
from study.storage.mirror import Mirror, list_files
from study.storage.remote import Storage


@dataclass(frozen=True)
class TrialFiles:
    """A study folder with one trial's files, and its mirror if the driver does not see it."""

    folder: StudyFolder
    mirror: Mirror | None = None

    def sync(self) -> None:
        """Makes the current files visible to the driver, unless the storage is out of reach."""
        if self.mirror:
            with suppress(OSError):
                self.mirror.sync()


@contextmanager
def open_trial_files(
    folder: StudyFolder, storage: Storage | None, name: str
) -> Iterator[TrialFiles]:
    """The files of the trial called `name`; on exit the driver can fetch them."""
    if storage is None:
        yield TrialFiles(folder)
        return
    with tempfile.TemporaryDirectory(prefix="nerf-study-") as scratch:
        local = StudyFolder(Path(scratch) / folder.name)
        for file in (local.spec_file, local.checkpoint(name), local.log(name)):
            storage.fetch(local.path, local.key(file))
        storage.fetch_all(local.path, below=local.key(local.trial_folder(name)))
        with Mirror(local.path, storage, known=list_files(local.path)) as mirror:
            yield TrialFiles(local, mirror)


def fetch_trial_files(folder: StudyFolder, storage: Storage, name: str) -> None:
    """Copies an ended trial's render and log from the storage into the study folder."""
    for file in (folder.render(name), folder.log(name)):
        with suppress(OSError):
            storage.fetch(folder.path, folder.key(file))
