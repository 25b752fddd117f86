"""Which plugin's code runs, and all that a plugin can register with."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from nerf.common.errors import InputError

_NAME = re.compile(r"[a-z][a-z0-9_]*")

_registering: list[str] = []
"""The plugin whose code runs just now, as the only element; empty for this program's own."""


@runtime_checkable
class FromPlugin(Protocol):
    """A piece that knows the plugin that registered it; empty for this program's own."""

    @property
    def plugin(self) -> str: ...


P = TypeVar("P", bound=FromPlugin)


class Registrations(ABC, Generic[P]):
    """Pieces of one kind by name: this program's own and those of plugins."""

    def __init__(self) -> None:
        self._pieces: dict[str, P] = {}

    def of_plugin(self, plugin: str) -> list[P]:
        """What a plugin has registered."""
        return [piece for piece in self._pieces.values() if piece.plugin == plugin]

    def remove(self, plugin: str) -> None:
        """Forgets what a plugin has registered."""
        self._pieces = {n: piece for n, piece in self._pieces.items() if piece.plugin != plugin}

    @abstractmethod
    def check(self, piece: P) -> None:
        """Tries a plugin's piece; raises `InputError` where it is not as such pieces should be."""


_declared: list[Registrations[Any]] = []


def declare(*registrations: Registrations[Any]) -> None:
    """Lets plugins register with these."""
    _declared.extend(registrations)


def declared() -> tuple[Registrations[Any], ...]:
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
