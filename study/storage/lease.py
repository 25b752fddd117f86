"""The lease on a study's copy in a storage: one process at a time may write to the copy.

A lock in the study folder cannot protect the copy, since two machines may each have a folder. The
holder renews the lease while it runs. Another process acquires it only if it was released, if its
holder is known to be dead, or if it is not renewed for a while.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.storage.remote import Storage

KEY = ".lease.json"
"""Its name in the storage and in the folder; hidden, so that neither side copies it."""

WATCH_SECONDS = 20.0
"""A holder counts as dead if it does not renew its lease within this time."""


class LeaseLost(Exception):
    """Another process has acquired the lease."""


class Lease:
    """The right to write to a study's copy.

    Each acquisition writes a random token to the storage and to the study folder, so that a folder
    shows which state of the copy it continues.
    """

    def __init__(self, storage: Storage, folder: Path) -> None:
        self._storage = storage
        self._file = folder / KEY
        self._token = secrets.token_hex(8)
        self._host = platform.node()
        self._renewals = 0

    def require_same_copy(self) -> None:
        """Raises `InputError` if the copy was last written by a run that this folder lacks."""
        holder = self._read_holder()
        if holder and holder["token"] not in self._folder_tokens():
            raise InputError(
                f"{self._storage.url} was resumed {_by(holder)}; to continue that copy, move "
                f"{self._file.parent} aside, or give another --name"
            )

    def mark_restored(self) -> None:
        """Notes in the folder that it is restored from the copy in its present state."""
        self._write_tokens(self._read_holder().get("token"))

    def acquire(self, notify: Callable[[str], None]) -> None:
        """Acquires the lease; raises `InputError` if another process keeps renewing it.

        Waits `WATCH_SECONDS`, after a message to `notify`, where the last holder may be alive.
        """
        holder = self._read_holder()
        if holder and not holder["released"] and not _is_dead(holder):
            notify(f"{self._storage.url} was last written {_by(holder)}; waiting to see if it runs")
            time.sleep(WATCH_SECONDS)
            if self._read_holder() != holder:
                raise InputError(
                    f"the study in {self._storage.url} is being run {_by(holder)}; wait until it "
                    "ends, or give another --name"
                )
        folder_exists = self._file.parent.exists()
        if folder_exists:
            # Before the storage: a crash in between must leave a folder that may still resume.
            self._write_tokens(holder.get("token"), self._token)
        self._write_holder(released=False)
        if not folder_exists:  # created only once the storage is known to be reachable
            self._write_tokens(self._token)

    def renew(self) -> None:
        """Renews the lease; raises `LeaseLost` if another process has acquired it."""
        holder = self._read_holder()
        if holder.get("token") != self._token:
            raise LeaseLost(
                f"{self._storage.url} is now written {_by(holder)}, which resumed the study; "
                "stopping here"
            )
        self._write_holder(released=False)

    def release(self) -> None:
        """Lets another process acquire the lease without waiting."""
        self._write_holder(released=True)

    def _read_holder(self) -> dict[str, Any]:
        content = self._storage.read(KEY)
        return dict(json.loads(content)) if content else {}

    def _write_tokens(self, *tokens: str | None) -> None:
        write_atomically(self._file, json.dumps(tokens).encode())

    def _folder_tokens(self) -> list[str | None]:
        if not self._file.exists():
            return []
        return list(json.loads(self._file.read_text(encoding="utf-8")))

    def _write_holder(self, released: bool) -> None:
        self._renewals += 1
        holder = {
            "process": os.getpid(),
            "host": self._host,
            "token": self._token,
            "renewed": self._renewals,
            "released": released,
        }
        self._storage.write(KEY, json.dumps(holder).encode())


def _by(holder: dict[str, Any]) -> str:
    return f"by process {holder.get('process')} on {holder.get('host')}"


def _is_dead(holder: dict[str, Any]) -> bool:
    """Whether the holder was a process of this machine that no longer exists."""
    # A restarted container hands out the same few numbers: the holder may have had this process's.
    had_our_number = holder["process"] == os.getpid()
    return holder["host"] == platform.node() and (
        had_our_number or not psutil.pid_exists(holder["process"])
    )
