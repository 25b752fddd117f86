"""Which plugin's code runs, and all that a plugin can register with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from nerf.common.errors import InputError

_NAME = re.compile(r"[a-z][a-z0-9_]*")

_registering: list[str] = []
"""The plugin whose code runs just now, as the only element; empty for this program's own."""


@runtime_checkable
class Registrations(Protocol):
    """Pieces of one kind by name: this program's own and those of plugins."""

    def of_plugin(self, plugin: str) -> Sequence[Any]:
        """What a plugin has registered."""

    def check(self, piece: Any) -> None:
        """Tries a plugin's piece; raises `InputError` where it is not as such pieces should be."""

    def remove(self, plugin: str) -> None:
        """Forgets what a plugin has registered."""


_declared: list[Registrations] = []


def declare(*registrations: Registrations) -> None:
    """Lets plugins register with these."""
    _declared.extend(registrations)


def declared() -> tuple[Registrations, ...]:
    """All that were declared by the modules that have been imported."""
    return tuple(_declared)


@contextmanager
def registering(plugin: str) -> Iterator[None]:
    """A context in which what is registered belongs to a plugin."""
    _registering.append(plugin)
    try:
        yield
    finally:
        _registering.pop()


def current_plugin() -> str:
    """The plugin whose code runs just now; empty for this program's own."""
    return "".join(_registering)


def check_name(name: object) -> None:
    """Raises `InputError` for a name that no piece may have."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            f"the name of a piece must be lower-case letters, digits and _, got {name!r}"
        )
