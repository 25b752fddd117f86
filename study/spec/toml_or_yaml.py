"""Reads a TOML or YAML file, and says in one line what is wrong with it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError


def read_document(path: Path) -> Any:
    """The content of a .toml, .yaml or .yml file; raises `InputError` that names the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; check its name") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} cannot be read: {error}; save it as UTF-8") from None
    if path.suffix == ".toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{path} is not valid TOML: {error}") from None
    if path.suffix in (".yaml", ".yml"):
        return _parse_yaml(path, text)
    raise InputError(f"{path} must end in .toml, .yaml or .yml")


def _parse_yaml(path: Path, text: str) -> Any:
    """The content of a YAML file; raises `InputError` also for a repeated key."""
    import yaml

    try:
        _check_unique_keys(path, yaml.compose(text, yaml.SafeLoader), set())
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise InputError(f"{path} is not valid YAML: {message}") from None


def _check_unique_keys(path: Path, node: Any, seen: set[int]) -> None:
    """Raises `InputError` for a repeated key in a table: YAML would silently take the last."""
    if id(node) in seen or not isinstance(getattr(node, "value", None), list):
        return
    seen.add(id(node))
    keys = set()
    for item in node.value:
        if not isinstance(item, tuple):  # of a list
            _check_unique_keys(path, item, seen)
            continue
        key, value = item
        if str(key.value) in keys:
            line = key.start_mark.line + 1
            raise InputError(f"{path}: {key.value} is there twice (line {line}); remove one")
        keys.add(str(key.value))
        _check_unique_keys(path, value, seen)
