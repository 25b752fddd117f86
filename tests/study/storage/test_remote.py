"""Reading and writing a folder, S3 and Google Cloud Storage; a trial's files through them."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.report import main as report
from study import run_sweep
from study.records.study_folder import StudyFolder
from study.storage.mirror import Mirror
from study.storage.remote import Storage
from study.worker.trial_files import fetch_trial_files, open_trial_files


def test_what_is_written_is_read_listed_and_removed(storage: Storage) -> None:
    assert storage.listing() == {}
    assert storage.read("records/0.json") is None
    storage.write("records/0.json", b"one")
    storage.write("records/0.json", b"another")
    storage.write("study.json", b"")
    assert storage.read("records/0.json") == b"another"
    assert {k: s.size for k, s in storage.listing().items()} == {
        "records/0.json": 7,
        "study.json": 0,
    }
    storage.remove("records/0.json")
    storage.remove("records/0.json")
    assert set(storage.listing()) == {"study.json"}


def test_a_trial_on_another_machine_starts_from_the_storage_and_uploads_its_files(
    storage: Storage, tmp_path: Path
) -> None:
    folder = StudyFolder(tmp_path / "one")
    folder.write_spec({"schema": 1})
    Mirror(folder.path, storage).sync()
    storage.write("checkpoints/00002.pt", b"step 10")
    storage.write("logs/00002.log", b"attempt 1\n")
    storage.write("checkpoints/00002/model/step-10", b"weights")
    storage.write("checkpoints/00003/model/step-10", b"of another trial")
    with open_trial_files(folder, storage, "00002") as files:
        assert files.folder.path != folder.path
        assert files.folder.read_spec() == {"schema": 1}
        assert files.folder.checkpoint("00002").read_bytes() == b"step 10"
        files.folder.checkpoint("00002").write_bytes(b"step 200")
        weights = files.folder.trial_folder("00002") / "model"
        assert (weights / "step-10").read_bytes() == b"weights"
        assert not files.folder.trial_folder("00003").exists()
        (weights / "step-200").write_bytes(b"more weights")
        with files.folder.log("00002").open("a") as log:
            log.write("attempt 2\n")
        files.folder.render("00002").parent.mkdir()
        files.folder.render("00002").write_bytes(b"a render")
    assert not files.folder.path.exists()
    assert storage.read("checkpoints/00002.pt") == b"step 200"
    assert storage.read("checkpoints/00002/model/step-200") == b"more weights"
    fetch_trial_files(folder, storage, "00002")
    assert folder.log("00002").read_text() == "attempt 1\nattempt 2\n"
    assert folder.render("00002").read_bytes() == b"a render"


def test_credentials_are_refused_and_not_printed(
    tmp_path: Path, scene_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--studies", str(tmp_path / "studies"), "--scene", str(scene_file)]
    assert run_sweep.main([*arguments, "--storage", "s3://somebody:5ec4e7@bucket/studies"]) == 2
    output = capsys.readouterr()
    assert "must hold no credentials" in output.err
    assert "5ec4e7" not in output.err + output.out
    assert not (tmp_path / "studies").exists()


def test_an_unreachable_storage_is_one_line(
    s3: str, tmp_path: Path, scene_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--studies", str(tmp_path / "studies"), "--scene", str(scene_file)]
    for storage, message in (
        ("s3://no-such-bucket/x", "cannot be used"),
        (
            "ftp://somewhere/x",
            "--storage must be a folder, s3://... or gs://..., got 'ftp://somewhere/x'",
        ),
    ):
        assert run_sweep.main([*arguments, "--storage", storage]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
        assert not (tmp_path / "studies").exists()
    assert report([f"{s3}/none"]) == 2
    assert "holds no study" in capsys.readouterr().err
