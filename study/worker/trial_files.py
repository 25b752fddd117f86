"""Where a trial keeps its files: in the study folder, or beside it where that is out of reach.

On a machine that does not share the study folder they lie in scratch, which begins with what the
storage has of the trial and which a mirror brings there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from study.records.study_folder import StudyFolder
from study.storage.mirror import Mirror, stamps_of
from study.storage.remote import Storage


@dataclass(frozen=True)
class TrialFiles:
    """A folder with a trial's files."""

    folder: StudyFolder
    mirror: Mirror | None = None

    def bring_home(self) -> None:
        """The driver finds all of them as they are now, unless the storage is out of reach."""
        if self.mirror:
            with suppress(OSError):
                self.mirror.sync()


@contextmanager
def trial_files(folder: StudyFolder, storage: Storage | None, name: str) -> Iterator[TrialFiles]:
    """The files of the trial called `name`; at the end the driver finds them."""
    if storage is None:
        yield TrialFiles(folder)
        return
    with tempfile.TemporaryDirectory(prefix="nerf-study-") as scratch:
        here = StudyFolder(Path(scratch) / folder.name)
        for file in (here.spec_file, here.checkpoint(name), here.log(name)):
            storage.fetch(here.path, here.key(file))
        with Mirror(here.path, storage, copied=stamps_of(here.path)) as mirror:
            yield TrialFiles(here, mirror)


def collect(folder: StudyFolder, storage: Storage, name: str) -> None:
    """Brings what a trial left in the storage into the study folder."""
    for file in (folder.render(name), folder.log(name)):
        with suppress(OSError):
            storage.fetch(folder.path, folder.key(file))
