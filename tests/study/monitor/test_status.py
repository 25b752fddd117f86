"""`status.py`: progress, the driver and how to resume, without any change of the study."""

from __future__ import annotations

from pathlib import Path

import pytest

from study import status
from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from tests.study.trials import complete_trials


@pytest.fixture
def half_done(folder: StudyFolder, spec: StudySpec) -> StudyFolder:
    document = {"schema": 1, "spec": spec.to_json(), "space": spec.space.to_json(), "scene": {}}
    folder.write_spec(document)
    ledger = Ledger(folder, spec)
    complete_trials(TrialManager(folder, ledger, ()), 4)
    ledger.close()
    return folder


def test_it_shows_progress_and_the_driver_and_changes_nothing(
    half_done: StudyFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {file: file.read_bytes() for file in half_done.path.rglob("*") if file.is_file()}
    assert status.main([str(half_done.path)]) == 0
    output = capsys.readouterr().out
    assert "4/7 trials\n" in output
    assert "best: trial 3, 13.00 dB" in output
    assert "being run by process" in output  # this process took the lock last, and is alive
    after = {file: file.read_bytes() for file in half_done.path.rglob("*") if file.is_file()}
    assert after == before


def test_it_shows_how_to_resume_a_study_whose_driver_died(
    half_done: StudyFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import platform

    (half_done.path / "driver.lock.holder").write_text(f"process 4194305 on {platform.node()}")
    assert status.main([str(half_done.path)]) == 0
    place = f"--studies {half_done.path.parent} --name '{half_done.name}'"
    assert f"study/run_sweep.py {place} --resume\n" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["/usr/bin/nerf-status"])
    assert status.main([str(half_done.path)]) == 0
    assert f"not running; resume with: nerf-sweep {place} --resume\n" in capsys.readouterr().out


@pytest.mark.parametrize("options", [[], ["--watch"]])
def test_a_copy_without_its_journal_is_read_from_its_tables(
    half_done: StudyFolder, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    half_done.write_tables()
    half_done.journal.unlink()
    assert status.main([str(half_done.path), *options]) == 0
    output = capsys.readouterr().out
    assert "4/7 trials\n" in output
    assert "best: trial 3, 13.00 dB" in output
    assert "this copy has no journal" in output


def test_studies_in_a_folder_are_listed(
    half_done: StudyFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = StudyFolder(half_done.path.parent / "other")
    other.write_spec({"schema": 99})
    monkeypatch.chdir(half_done.path.parent)
    assert status.main(["."]) == 0
    study, damaged = capsys.readouterr().out.splitlines()
    assert study == "a study: 4/7 trials, 4 trained, best 13.00 dB (trial 3)"
    assert damaged.startswith("other: ")
    assert "schema 99" in damaged


def test_before_the_first_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status.main([]) == 2
    assert f"there is no study in {tmp_path / 'studies'}; start one" in capsys.readouterr().err


def test_a_folder_that_is_not_a_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status.main([str(tmp_path)]) == 2
    assert "is not a study folder" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", '{"schema": 1', "[1]"])
def test_a_damaged_study_file_is_named(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.json").write_text(content)
    assert status.main([str(tmp_path)]) == 2
    assert f"{tmp_path / 'study.json'} is damaged (" in capsys.readouterr().err
