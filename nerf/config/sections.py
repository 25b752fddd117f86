"""The sections of a configuration: those of this program, and those that plugins add.

A plugin's section is a frozen dataclass under the name of the piece that takes it as `options`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from nerf.common.errors import InputError

BUILT_IN: dict[str, type] = {}
"""The sections that `schema.NerfConfig` declares, by name."""

_ADDED: dict[str, tuple[type, str]] = {}
"""Those of plugins, each with its plugin."""


def add_section(name: str, section: type, plugin: str) -> None:
    """Adds a plugin's section, unless the configuration has this class already.

    Raises `InputError` for the name of another section.
    """
    if not plugin or section in BUILT_IN.values():
        return
    if any(section is added for added, _ in _ADDED.values()):
        return
    if name in BUILT_IN or name in _ADDED or name == "seed":
        raise InputError(
            f"the configuration has a section {name!r} already; register the piece that takes "
            f"{section.__name__} under another name"
        )
    _ADDED[name] = (section, plugin)


def added_sections() -> dict[str, type]:
    """The sections of plugins, by name."""
    return {name: section for name, (section, _) in _ADDED.items()}


def remove_sections(plugin: str) -> None:
    """Forgets the sections of a plugin."""
    for name in [name for name, (_, owner) in _ADDED.items() if owner == plugin]:
        del _ADDED[name]


def extend(config_class: type) -> Any:
    """The class of a configuration with the sections of plugins as further fields."""
    added = added_sections()
    if not added:
        return config_class
    fields = [(n, cls, dataclasses.field(default_factory=cls)) for n, cls in added.items()]
    return dataclasses.make_dataclass(
        config_class.__name__, fields, bases=(config_class,), frozen=True
    )
