"""Optuna's journal file: repaired before it is opened, read without being opened for writing."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nerf.common.files import write_atomically

if TYPE_CHECKING:
    from optuna.storages import JournalStorage
    from optuna.trial import FrozenTrial

    from study.records.study_folder import StudyFolder


def repair(journal: Path) -> str:
    """Truncates a journal before its first unreadable line, as Optuna would refuse all of it.

    An incomplete last line is what any crash may leave. Anything else is damage: the damaged file
    is saved beside it, and the notice that comes back names it; else the notice is empty.
    """
    if not journal.exists():
        return ""
    content = journal.read_bytes()
    readable = _readable_length(content)
    if readable == len(content):
        return ""
    notice = ""
    if b"\n" in content[readable:]:
        damaged = journal.with_name(f"{journal.name}.damaged-{datetime.now():%Y%m%d-%H%M%S}")
        write_atomically(damaged, content)
        line = content.count(b"\n", 0, readable) + 1
        notice = (
            f"{journal} was damaged from line {line} on; saved as {damaged.name}, then cut there"
        )
    with journal.open("rb+") as file:
        file.truncate(readable)
        os.fsync(file.fileno())
    return notice


def _readable_length(content: bytes) -> int:
    """The bytes before the first line that is not a complete JSON object."""
    length = 0
    for line in content.splitlines(keepends=True):
        try:
            complete = line.endswith(b"\n") and isinstance(json.loads(line), dict)
        except ValueError:
            complete = False
        if not complete:
            break
        length += len(line)
    return length


def read_trials(folder: StudyFolder) -> list[FrozenTrial]:
    """The trials in the journal, by number; empty before the first."""
    return JournalReader(folder).read_trials()


class JournalReader:
    """Reads a study's journal while its driver writes it: each time only what is new."""

    def __init__(self, folder: StudyFolder) -> None:
        self._journal = folder.journal
        self._storage: JournalStorage | None = None
        self._file = (0, 0)  # inode and size as of the last reading

    def read_trials(self) -> list[FrozenTrial]:
        """The trials in the journal as it is now, by number; empty before the first."""
        if not self._journal.exists() or not self._journal.stat().st_size:
            return []
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        status, (inode, size) = self._journal.stat(), self._file
        if self._storage is None or status.st_ino != inode or status.st_size < size:
            # Read from the start: the first time, or where it was cut or replaced.
            self._storage = JournalStorage(JournalFileBackend(str(self._journal)))
        self._file = status.st_ino, status.st_size
        studies = self._storage.get_all_studies()
        if not studies:
            return []
        return self._storage.get_all_trials(studies[0]._study_id, deepcopy=False)
