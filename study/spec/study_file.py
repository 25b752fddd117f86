"""A study described in a file: what the command line says, as TOML or YAML.

    scene = "bricks"
    explore = 64
    vary = { "sampling.near" = "0.5:4", "field.width" = [32, 64] }
    set = { "field.depth" = 4 }

A W&B sweep.yaml, known by its `parameters`, is read by wandb_sweeps.py.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError, closest
from nerf.common.files import write_atomically
from study.spec.parse_space import as_text, checked

# The options that a file may hold, each with the type of its value.
KEYS: dict[str, type | tuple[type, ...]] = {
    "scene": str,
    "downscale": int,
    "background": str,
    "name": str,
    "studies": str,
    "explore": int,
    "optimize": int,
    "replicates": int,
    "steps": int,
    "seed": int,
    "vary": (dict, list),
    "set": (dict, list),
    "cpus_per_trial": int,
    "gpus_per_trial": (int, float),
    "max_concurrent": int,
    "address": str,
    "storage": str,
    "retries": int,
    "patience": (int, float),
    "wandb": str,
}


def read_description(path: Path) -> dict[str, Any]:
    """The options that a file holds, as the command line would give them.

    Raises `InputError` naming file and key, or file and line, for what is wrong.
    """
    content = _parse(path)
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold a table of options, got {type(content).__name__}")
    if "parameters" in content:
        from study.spec.wandb_sweep import from_wandb

        return from_wandb(path, content)
    options: dict[str, Any] = {}
    for key, value in content.items():
        name = str(key).replace("-", "_")
        if name not in KEYS:
            raise InputError(f"{path}: unknown key {key!r}{closest(name, list(KEYS))}")
        wanted = KEYS[name]
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise InputError(f"{path}: {key} must be {_kinds(wanted)}, got {value!r}")
        is_texts = name in ("vary", "set")
        options[name] = _texts(path, key, value, name == "vary") if is_texts else value
    if "scene" in options and (path.parent / options["scene"]).exists():
        options["scene"] = str(path.parent / options["scene"])  # as whoever wrote the file saw it
    return options


def write_description(path: Path, given: Mapping[str, Any]) -> None:
    """Keeps the options `given` on a command line as a TOML file that `read_description` reads."""
    lines = [
        f"{key} = {toml(given[key])}" for key in KEYS if key in given and key not in ("vary", "set")
    ]
    for key in ("vary", "set"):
        if given.get(key):
            entries = ",\n".join(f"    {toml(text)}" for text in given[key])
            lines.append(f"{key} = [\n{entries},\n]")
    write_atomically(path, ("\n".join(lines) + "\n").encode())


def toml(value: Any) -> str:
    """A plain value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)


def _parse(path: Path) -> Any:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if path.suffix == ".toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{path} is no TOML: {error}") from None
    if path.suffix in (".yaml", ".yml"):
        import yaml

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InputError(f"{path} is no YAML: {error}") from None
    raise InputError(f"{path} must end in .toml, .yaml or .yml")


def _kinds(wanted: type | tuple[type, ...]) -> str:
    names = {str: "text", int: "a whole number", float: "a number", dict: "a table", list: "a list"}
    kinds = wanted if isinstance(wanted, tuple) else (wanted,)
    return " or ".join(names[kind] for kind in kinds)


def _texts(path: Path, key: str, value: Any, varies: bool) -> list[str]:
    """`PATH=...` texts, from a list of them or from a table of paths."""
    if isinstance(value, list):
        wrong = next((text for text in value if not isinstance(text, str)), None)
        if wrong is not None:
            raise InputError(f"{path}: {key} must list texts like PATH=..., got {wrong!r}")
        return checked(path, key, value)
    texts = []
    for name, entry in _flat(value).items():
        if varies and isinstance(entry, list):
            texts.append(f"{name}={','.join(map(as_text, entry))}")
        elif varies and entry in (True, ""):
            texts.append(name)
        elif isinstance(entry, str | int | float):
            texts.append(f"{name}={as_text(entry)}")
        else:
            raise InputError(f"{path}: {key}.{name} must be a plain value, got {entry!r}")
    return checked(path, key, texts)


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """A table by dotted paths, whether its keys were quoted or not."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = value
    return flat
