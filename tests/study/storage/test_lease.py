"""The lease of a study in a storage: one driver at a time, on whichever machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from nerf.common.errors import InputError
from study.storage import lease
from study.storage.lease import Lease, LeaseLost
from study.storage.remote import Storage


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
