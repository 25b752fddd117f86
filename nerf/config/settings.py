"""Reads parameter values that a user wrote: --set PATH=VALUE and TOML files."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from nerf.config.parameters import Parameter, Value, parameter
from nerf.config.plugin import Plugin, require_plugins


def parse_settings(
    settings: list[str], find: Callable[[str], Parameter] = parameter
) -> dict[str, Value]:
    """Parses `["PATH=VALUE", ...]` to a flat mapping; raises `InputError` for anything else.

    find: the parameter at a path; by default that of a NeRF
    """
    flat: dict[str, Value] = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise InputError(f"a setting must be PATH=VALUE, got {setting!r}")
        if path in flat:
            raise InputError(f"{path} is set twice; remove one of the two")
        flat[path] = find(path).parse(text)
    return flat


def read_settings(file: Path) -> dict[str, Value]:
    """Reads a TOML file of `PATH = value` lines to a flat mapping.

    `sampling.near = 2.0` and a table `[sampling]` with `near = 2.0` mean the same. `plugins` lists
    those that the values need, as a study's best.toml has them. Raises `InputError` that names the
    file, and the line or path, for anything else.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{file} cannot be read as TOML: {error}") from None
    require_plugins(str(file), _read_plugins(file, content.pop("plugins", [])))
    flat: dict[str, Value] = {}
    entries: list[tuple[str, Any]] = list(content.items())
    while entries:
        path, value = entries.pop(0)
        if isinstance(value, dict):
            entries += [(f"{path}.{key}", entry) for key, entry in value.items()]
            continue
        try:
            flat[path] = parameter(path).check(value)
        except InputError as error:
            raise InputError(f"{file}: {error}") from None
    return flat


def _read_plugins(file: Path, listed: Any) -> list[Plugin]:
    try:
        return [Plugin.from_json(entry) for entry in listed]
    except (TypeError, KeyError):
        raise InputError(f"{file}: plugins must list tables with file and hash") from None
