"""A study's copy in a folder, on S3 and on Google Cloud Storage."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from analysis.report import main as report
from nerf.common.errors import InputError
from study import run_sweep
from study.records.study_folder import StudyFolder
from study.storage import lease
from study.storage.lease import Lease, LeaseLost
from study.storage.mirror import Mirror, list_files, restore
from study.storage.remote import Storage
from study.worker.trial_files import fetch_trial_files, open_trial_files
from tests.study.buckets import gs, s3

__all__ = ["gs", "s3"]


@pytest.fixture(params=["folder", "s3", "gs"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return Storage(str(tmp_path / "elsewhere" / "one"))
    return Storage(f"{request.getfixturevalue(request.param)}/{tmp_path.name}/one")


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


def test_a_mirror_follows_its_folder(storage: Storage, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "one")
    for file in (folder.spec_file, folder.checkpoint("00000"), folder.path / "ray" / "scratch"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"first")
    (folder.path / ".unfinished").touch()
    folder.journal.with_name("optuna.journal.lock").symlink_to(folder.spec_file)  # Optuna's own
    mirror = Mirror(folder.path, storage)
    mirror.sync()
    assert set(storage.listing()) == {"study.json", "checkpoints/00000.pt"}
    folder.checkpoint("00000").write_bytes(b"second, longer")
    mirror.sync()
    assert storage.read("checkpoints/00000.pt") == b"second, longer"
    folder.record_file("00000").parent.mkdir()
    folder.record_file("00000").write_bytes(b"{}")
    folder.checkpoint("00000").unlink()
    mirror.sync()
    assert set(storage.listing()) == {"study.json", "records/00000.json"}


def test_a_later_mirror_copies_only_what_has_changed(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StudyFolder(tmp_path / "one")
    folder.write_spec({"schema": 1})
    folder.journal.write_bytes(b"{}\n")
    for file in folder.path.iterdir():
        os.utime(file, (time.time() - 2,) * 2)  # S3 stores whole seconds
    Mirror(folder.path, storage).sync()
    written: list[str] = []
    monkeypatch.setattr(Storage, "write", lambda self, key, content: written.append(key))
    Mirror(folder.path, storage).sync()
    assert written == []
    folder.journal.write_bytes(b"{}\n{}\n")
    Mirror(folder.path, storage).sync()
    assert written == ["optuna.journal"]


def test_the_journal_never_refers_to_a_missing_record(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial ends while a pass is under way: first its record, then the journal's line."""
    folder = StudyFolder(tmp_path / "one")
    folder.write_spec({"schema": 1})
    folder.journal.write_bytes(b"{}\n")
    write = Storage.write

    def write_and_end(self: Storage, key: str, content: bytes) -> None:
        if key == "study.json":
            folder.append({"trial_id": "00000"}, [])
            folder.journal.write_bytes(b"{}\n{}\n")
        write(self, key, content)

    monkeypatch.setattr(Storage, "write", write_and_end)
    mirror = Mirror(folder.path, storage)
    mirror.sync()
    assert storage.read("records/00000.json") is None
    assert storage.read("optuna.journal") == b"{}\n"
    mirror.sync()
    assert storage.read("records/00000.json")
    assert storage.read("optuna.journal") == b"{}\n{}\n"


def test_a_folder_is_restored_completely(storage: Storage, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "here" / "one")
    folder.write_spec({"schema": 1})
    folder.checkpoint("00001").parent.mkdir()
    folder.checkpoint("00001").write_bytes(b"weights")
    Mirror(folder.path, storage).sync()
    again = StudyFolder(tmp_path / "there" / "one")
    again.path.parent.mkdir()
    restore(again, storage.url.rpartition("/")[0])
    assert set(list_files(again.path)) == set(list_files(folder.path))
    assert again.checkpoint("00001").read_bytes() == b"weights"


def test_a_trial_on_another_machine_starts_from_the_storage_and_uploads_its_files(
    storage: Storage, tmp_path: Path
) -> None:
    folder = StudyFolder(tmp_path / "one")
    folder.write_spec({"schema": 1})
    Mirror(folder.path, storage).sync()
    storage.write("checkpoints/00002.pt", b"step 10")
    storage.write("logs/00002.log", b"attempt 1\n")
    with open_trial_files(folder, storage, "00002") as files:
        assert files.folder.path != folder.path
        assert files.folder.read_spec() == {"schema": 1}
        assert files.folder.checkpoint("00002").read_bytes() == b"step 10"
        files.folder.checkpoint("00002").write_bytes(b"step 200")
        with files.folder.log("00002").open("a") as log:
            log.write("attempt 2\n")
        files.folder.render("00002").parent.mkdir()
        files.folder.render("00002").write_bytes(b"a render")
    assert not files.folder.path.exists()
    assert storage.read("checkpoints/00002.pt") == b"step 200"
    fetch_trial_files(folder, storage, "00002")
    assert folder.log("00002").read_text() == "attempt 1\nattempt 2\n"
    assert folder.render("00002").read_bytes() == b"a render"


def test_one_process_at_a_time_holds_the_lease(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "WATCH_SECONDS", 0.01)
    messages: list[str] = []
    monkeypatch.setattr("platform.node", lambda: "first")
    first = Lease(storage, tmp_path / "first")
    first.acquire(messages.append)
    monkeypatch.setattr("platform.node", lambda: "second")
    second = Lease(storage, tmp_path / "second")
    monkeypatch.setattr(time, "sleep", lambda seconds: first.renew())
    with pytest.raises(InputError, match=rf"being run by process {os.getpid()} on first"):
        second.acquire(messages.append)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    second.acquire(messages.append)  # nobody renewed it
    assert len(messages) == 2
    with pytest.raises(LeaseLost, match="on second"):
        first.renew()
    with pytest.raises(InputError, match="was resumed by process"):
        Lease(storage, tmp_path / "first").require_same_copy()
    second.release()
    third = Lease(storage, tmp_path / "second")
    third.require_same_copy()
    third.acquire(messages.append)
    assert len(messages) == 2


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
        ("ftp://somewhere/x", "a storage must be a folder, s3://... or gs://..., got 'ftp://"),
    ):
        assert run_sweep.main([*arguments, "--storage", storage]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
        assert not (tmp_path / "studies").exists()
    assert report([f"{s3}/none"]) == 2
    assert "holds no study" in capsys.readouterr().err
