"""Damaged study files: named in a notice, and no trial is lost or run twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from tests.study.trials import complete_trials, record


@pytest.fixture(scope="module")
def half_done(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyFolder, StudySpec]:
    """Five of seven trials ended, the sixth in training."""
    from study.spec.study_space import study_space

    space = study_space(["sampling.near", "field.width=16:32", "field.density_activation"], [], 90)
    spec = StudySpec(space=space, explore=3, optimize=4, replicates=0, steps=90)
    folder = StudyFolder(tmp_path_factory.mktemp("half") / "a study")
    ledger = Ledger(folder, spec)
    manager = TrialManager(folder, ledger, ())
    complete_trials(manager, 5)
    manager.next_trial()
    ledger.close()
    return folder, spec


@pytest.fixture
def damaged(half_done: tuple[StudyFolder, StudySpec], tmp_path: Path) -> StudyFolder:
    shutil.copytree(half_done[0].path, tmp_path / "a study")
    return StudyFolder(tmp_path / "a study")


def resume(folder: StudyFolder, spec: StudySpec) -> tuple[list[int], list[str]]:
    """Runs the study to its end; returns the numbers of the trials run, and the notices."""
    ledger = Ledger(folder, spec)
    try:
        manager = TrialManager(folder, ledger, ())
        numbers = complete_trials(manager, 99)
        assert manager.is_finished()
        assert [t.number for t in ledger.trials()] == list(range(spec.trials))
        return numbers, manager.drain_notices()
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
        ran, _ = resume(folder, half_done[1])
        assert ran == [5, 6], f"cut at byte {cut}"
        for number in range(5):
            assert record(folder, trial_id(number)) == record(half_done[0], trial_id(number))


@pytest.mark.parametrize("place", np.linspace(0.02, 0.95, 8))
def test_a_journal_damaged_in_the_middle_is_saved_and_named(
    half_done: tuple[StudyFolder, StudySpec], damaged: StudyFolder, place: float
) -> None:
    content = bytearray(damaged.journal.read_bytes())
    at = int(place * len(content))
    content[at : at + 40] = b"\x00" * 40
    damaged.journal.write_bytes(content)
    ran, notices = resume(damaged, half_done[1])
    assert ran == [5, 6]
    assert "was damaged from line" in notices[0]
    (aside,) = damaged.path.glob("optuna.journal.damaged-*")
    assert aside.read_bytes() == content


def test_a_missing_journal_is_restored_from_the_records(
    half_done: tuple[StudyFolder, StudySpec], damaged: StudyFolder
) -> None:
    damaged.journal.unlink()
    ran, notices = resume(damaged, half_done[1])
    assert ran == [5, 6]
    assert notices == ["restored to the journal from the records: trials 0, 1, 2, 3, 4"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"trial": {}, "curve": []}', b"\xff\x00"])
def test_a_damaged_record_is_set_aside_and_restored_from_the_journal(
    half_done: tuple[StudyFolder, StudySpec], damaged: StudyFolder, content: bytes
) -> None:
    before = record(damaged, "00003")["trial"]
    file = damaged.record_file("00003")
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"00003.json cannot be read; repair the study"):
        damaged.records()
    ran, notices = resume(damaged, half_done[1])
    assert ran == [5, 6]
    assert str(file) in notices[0]
    assert "the record of trial 3 was missing; restored from the journal" in notices[1]
    assert file.with_suffix(".json.damaged").read_bytes() == content
    again = record(damaged, "00003")
    for column in ("state", "psnr", "phase", "seed", "steps_done", "sampling.near", "field.width"):
        assert again["trial"][column] == before[column]
    assert [point["psnr"] for point in again["curve"]] == [5.0, 13.0]


def test_damaged_tables_are_written_again(
    half_done: tuple[StudyFolder, StudySpec], damaged: StudyFolder
) -> None:
    damaged.trials_file.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"trials.parquet cannot be read"):
        damaged.read_trials()
    resume(damaged, half_done[1])
    damaged.write_tables()
    assert list(damaged.read_trials()["number"]) == list(range(7))


def test_only_the_temporary_file_of_a_killed_writer_is_removed(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study")
    checkpoint = folder.checkpoint("00001")
    write_atomically(checkpoint, b"whole")
    temporary = checkpoint.with_name(".00001-0123abcd.pt")
    temporary.write_bytes(b"torn")
    folder.remove_unfinished()
    assert checkpoint.read_bytes() == b"whole"
    assert not temporary.exists()
