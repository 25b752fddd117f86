"""Which process has a study's copy in a storage: one at a time, as a lock in the folder cannot say.

The holder renews its lease all along. Another process takes it only where it was released, where
its holder is known to be dead, or where nobody renews it for a while.
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

KEY = ".lease.json"  # hidden: neither copied along nor fetched
WATCHED = 20.0
"""Seconds that a lease is watched before its holder counts as dead."""


class Taken(Exception):
    """Another process holds the lease."""


class Lease:
    """The right to write a study's copy."""

    def __init__(self, storage: Storage, folder: Path) -> None:
        self._storage = storage
        self._file = folder / KEY
        self._token = secrets.token_hex(8)
        self._host = platform.node()
        self._renewed = 0

    def require_ours(self) -> None:
        """Raises `InputError` where the copy is another study, or was gone on with elsewhere."""
        there = self._holder()
        if there and there["token"] not in self._own_tokens():
            raise InputError(
                f"{self._storage.url} was gone on with {_who(there)}; to go on from there, move "
                f"{self._file.parent} away, or give another --name"
            )

    def adopt(self) -> None:
        """The folder is about to be made from the copy as it is now."""
        self._keep(self._holder().get("token"))

    def take(self, tell: Callable[[str], None]) -> None:
        """Takes the lease; raises `InputError` where another process keeps it."""
        held = self._holder()
        if held and not held["released"] and not _is_dead(held):
            tell(f"{self._storage.url} was last written {_who(held)}; waiting to see if it lives")
            time.sleep(WATCHED)
            if self._holder() != held:
                raise InputError(
                    f"the study in {self._storage.url} is being run {_who(held)}; wait until it "
                    "ends, or give another --name"
                )
        exists = self._file.parent.exists()
        if exists:  # kept first, as a death in between must not lock us out
            self._keep(held.get("token"), self._token)
        self._write(released=False)
        if not exists:  # nothing is made here before the storage is known to be in reach
            self._keep(self._token)

    def renew(self) -> None:
        """Says that its holder lives; raises `Taken` where it is another's by now."""
        held = self._holder()
        if held.get("token") != self._token:
            raise Taken(f"{self._storage.url} is being gone on with {_who(held)}; stopping here")
        self._write(released=False)

    def release(self) -> None:
        """Lets another process take it at once."""
        self._write(released=True)

    def _holder(self) -> dict[str, Any]:
        content = self._storage.read(KEY)
        return dict(json.loads(content)) if content else {}

    def _keep(self, *tokens: str | None) -> None:
        write_atomically(self._file, json.dumps(tokens).encode())

    def _own_tokens(self) -> list[str | None]:
        return list(json.loads(self._file.read_text())) if self._file.exists() else []

    def _write(self, released: bool) -> None:
        self._renewed += 1
        content = json.dumps(
            {
                "process": os.getpid(),
                "host": self._host,
                "token": self._token,
                "renewed": self._renewed,
                "released": released,
            }
        ).encode()
        self._storage.write(KEY, content)


def _who(held: dict[str, Any]) -> str:
    return f"by process {held.get('process')} on {held.get('host')}"


def _is_dead(held: dict[str, Any]) -> bool:
    """Is the holder a process of this machine that is no more?"""
    own = held["process"] == os.getpid()  # a container's processes have the same few numbers
    return held["host"] == platform.node() and (own or not psutil.pid_exists(held["process"]))
