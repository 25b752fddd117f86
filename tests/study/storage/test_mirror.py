"""A study's copy in a storage: what a pass writes, in which order, and how it is restored."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from study.records.study_folder import StudyFolder
from study.storage.mirror import Mirror, list_files, restore
from study.storage.remote import Storage


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
    (folder.trial_folder("00000") / "model").mkdir(parents=True)
    (folder.trial_folder("00000") / "model" / "step-5").write_bytes(b"weights")
    mirror.sync()
    assert set(storage.listing()) == {"study.json", "records/00000.json"}
    storage.write("checkpoints/00000/model/step-5", b"of a node that is slow")
    folder.remove_checkpoint("00000")
    assert not folder.trial_folder("00000").exists()
    Mirror(folder.path, storage).sync()
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
