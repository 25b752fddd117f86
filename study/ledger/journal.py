"""The journal as a file: written by one process at a time, cut off before what is damaged."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nerf.common.files import write_atomically

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from study.records.study_folder import StudyFolder


def repair(journal: Path) -> str:
    """Cuts a journal off before its first unreadable line, for which Optuna would refuse it all.

    A last line written in part is what any death may leave; anything else is damage, which is
    named in what comes back, and the damaged file is kept beside.
    """
    if not journal.exists():
        return ""
    content = journal.read_bytes()
    sound = _sound_length(content)
    if sound == len(content):
        return ""
    notice = ""
    if b"\n" in content[sound:]:
        aside = journal.with_name(f"{journal.name}.damaged-{datetime.now():%Y%m%d-%H%M%S}")
        write_atomically(aside, content)
        line = content.count(b"\n", 0, sound) + 1
        notice = f"{journal} was damaged from line {line} on; kept as {aside.name}"
    with journal.open("rb+") as file:
        file.truncate(sound)
        os.fsync(file.fileno())
    return notice


def _sound_length(content: bytes) -> int:
    """The bytes before the first line that is no whole JSON object."""
    sound = 0
    for line in content.splitlines(keepends=True):
        try:
            whole = line.endswith(b"\n") and isinstance(json.loads(line), dict)
        except ValueError:
            whole = False
        if not whole:
            break
        sound += len(line)
    return sound


def read_trials(folder: StudyFolder) -> list[FrozenTrial]:
    """The trials that the journal holds; none before the first."""
    if not folder.journal.exists() or not folder.journal.stat().st_size:
        return []
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(folder.journal)))
    studies = storage.get_all_studies()
    return storage.get_all_trials(studies[0]._study_id, deepcopy=False) if studies else []
