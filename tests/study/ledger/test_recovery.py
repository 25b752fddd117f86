"""Damage of every kind to a study's files: named, the rest saved, no trial lost or run twice."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.driver.trial_manager import Bookkeeper
from study.ledger.ledger import Ledger
from study.protocol.messages import Message, Outcome
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from tests.study.conftest import curve, record
from tests.study.journals import write_study

Open = Callable[[], Ledger]


def run(books: Bookkeeper, trials: int) -> list[int]:
    """Runs so many trials to their end; returns their numbers."""
    ran = []
    while len(ran) < trials and (assignment := books.next()):
        psnr = 10.0 + assignment.number
        outcome = Outcome("completed", steps_done=90, psnr=psnr, host="here", device="a CPU")
        books.hear(Message(assignment.number, "here", "a CPU", curve(5.0, psnr), outcome))
        ran.append(assignment.number)
    return ran


@pytest.fixture(scope="module")
def half_done(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyFolder, StudySpec]:
    """Five of seven trials ended, the sixth in training."""
    from study.spec.study_spec import study_space

    space = study_space(["sampling.near", "field.width=16:32", "field.density_activation"], [], 90)
    spec = StudySpec(space=space, explore=3, optimize=4, steps=90)
    folder = StudyFolder(tmp_path_factory.mktemp("half") / "a study")
    ledger = Ledger(folder, spec)
    books = Bookkeeper(folder, ledger, ())
    run(books, 5)
    books.next()
    ledger.close()
    return folder, spec


@pytest.fixture
def hurt(half_done: tuple[StudyFolder, StudySpec], tmp_path: Path) -> StudyFolder:
    shutil.copytree(half_done[0].path, tmp_path / "a study")
    return StudyFolder(tmp_path / "a study")


def go_on(folder: StudyFolder, spec: StudySpec) -> tuple[list[int], list[str]]:
    """Runs the study to its end: which trials were run, and what was said of damage."""
    ledger = Ledger(folder, spec)
    try:
        books = Bookkeeper(folder, ledger, ())
        ran = run(books, 99)
        assert books.finished()
        assert [t.number for t in ledger.trials()] == list(range(spec.trials))
        return ran, books.notices
    finally:
        ledger.close()


@pytest.mark.parametrize("part", range(10))
def test_a_journal_cut_anywhere_loses_nothing_that_has_a_record(
    half_done: tuple[StudyFolder, StudySpec], tmp_path: Path, part: int
) -> None:
    whole = half_done[0].journal.read_bytes()
    for i, cut in enumerate(np.random.default_rng(part).integers(0, len(whole), 6)):
        folder = StudyFolder(tmp_path / str(i) / "a study")
        shutil.copytree(half_done[0].path, folder.path)
        folder.journal.write_bytes(whole[:cut])
        ran, _ = go_on(folder, half_done[1])
        assert ran == [5, 6], f"cut at byte {cut}"
        for number in range(5):
            assert record(folder, trial_id(number)) == record(half_done[0], trial_id(number))


@pytest.mark.parametrize("place", np.linspace(0.02, 0.95, 8))
def test_a_journal_damaged_in_the_middle_is_named_and_kept(
    half_done: tuple[StudyFolder, StudySpec], hurt: StudyFolder, place: float
) -> None:
    content = bytearray(hurt.journal.read_bytes())
    at = int(place * len(content))
    content[at : at + 40] = b"\x00" * 40
    hurt.journal.write_bytes(content)
    ran, notices = go_on(hurt, half_done[1])
    assert ran == [5, 6]
    assert "was damaged from line" in notices[0]
    (aside,) = hurt.path.glob("optuna.journal.damaged-*")
    assert aside.read_bytes() == content


def test_a_journal_that_is_gone_is_made_anew_from_the_records(
    half_done: tuple[StudyFolder, StudySpec], hurt: StudyFolder
) -> None:
    hurt.journal.unlink()
    ran, notices = go_on(hurt, half_done[1])
    assert ran == [5, 6]
    assert notices == ["put back into the journal from the records: trials 0, 1, 2, 3, 4"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"trial": {}, "curve": []}', b"\xff\x00"])
def test_a_damaged_record_is_named_and_made_anew_from_the_journal(
    half_done: tuple[StudyFolder, StudySpec], hurt: StudyFolder, content: bytes
) -> None:
    before = record(hurt, "00003")["trial"]
    file = hurt.record_file("00003")
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"00003.json cannot be read; run_sweep.py --resume mends"):
        hurt.records()
    ran, notices = go_on(hurt, half_done[1])
    assert ran == [5, 6]
    assert str(file) in notices[0]
    assert "trial 3's record is gone; made anew" in notices[1]
    assert file.with_suffix(".json.damaged").read_bytes() == content
    again = record(hurt, "00003")
    for column in ("state", "psnr", "phase", "seed", "steps_done", "sampling.near", "field.width"):
        assert again["trial"][column] == before[column]
    assert [point["psnr"] for point in again["curve"]] == [5.0, 13.0]


def test_damaged_tables_are_made_anew(
    half_done: tuple[StudyFolder, StudySpec], hurt: StudyFolder
) -> None:
    hurt.trials_file.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"trials.parquet cannot be read .* --resume makes it"):
        hurt.read_trials()
    go_on(hurt, half_done[1])
    hurt.write_tables()
    assert list(hurt.read_trials()["number"]) == list(range(7))


@pytest.mark.slow
def test_opening_a_study_of_two_hundred_trials_takes_no_time(folder: StudyFolder) -> None:
    """Ray's start comes on top; together they have 20 s."""
    write_study(folder, trials=200, planned=202)
    spec = StudySpec.from_json(folder.read_spec())
    began = time.process_time()
    ledger = Ledger(folder, spec)
    books = Bookkeeper(folder, ledger, ())
    assignment = books.next()
    assert time.process_time() - began < 3.0
    ledger.close()
    assert assignment
    assert (assignment.number, books.notices) == (200, [])


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study")
    kept = folder.checkpoint("00001")
    write_atomically(kept, b"whole")
    left = kept.with_name(".00001-0123abcd.pt")
    left.write_bytes(b"torn")
    folder.remove_unfinished()
    assert kept.read_bytes() == b"whole"
    assert not left.exists()
