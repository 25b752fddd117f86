"""A journal is read while it grows, and again from its start where it was cut or replaced."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nerf.common.files import write_atomically
from study.ledger.journal import JournalReader, read_trials
from study.ledger.ledger import Ledger
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder


def test_a_reader_follows_a_journal(open_ledger: Callable[[], Ledger], folder: StudyFolder) -> None:
    reader = JournalReader(folder)
    assert reader.read_trials() == []
    ledger = open_ledger()
    assert reader.read_trials() == []
    ledger.ask()
    ledger.ask()
    assert [t.number for t in reader.read_trials()] == [0, 1]
    ledger.tell(0, Outcome("completed", "", 90, 20.0))
    assert reader.read_trials() == read_trials(folder) == ledger.trials()


@pytest.mark.parametrize("replaced", [False, True])
def test_what_was_cut_is_not_remembered(
    open_ledger: Callable[[], Ledger], folder: StudyFolder, replaced: bool
) -> None:
    ledger, reader = open_ledger(), JournalReader(folder)
    ledger.ask()
    before = folder.journal.read_bytes()
    ledger.ask()
    assert len(reader.read_trials()) == 2
    if replaced:
        write_atomically(folder.journal, before)
    else:
        folder.journal.write_bytes(before)
    assert [t.number for t in reader.read_trials()] == [0]
