"""The parameters of a program, declared in a TOML file.

    [lr]
    default = 1e-3
    low = 1e-4
    high = 1e-1
    log = true

    [model.width]
    default = 64
    choices = [32, 64, 128]

A table with a `default` is a parameter, and its path is the name of its table. A range or choices
are what a study may vary; a parameter without them has one value, which `--set` may change.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from nerf.common.errors import InputError, closest
from nerf.config.domain import Domain
from nerf.config.parameters import Kind, Parameter, Value

_TYPES: dict[str, type | tuple[type, ...]] = {
    "default": (bool, int, float, str),
    "kind": str,
    "low": (int, float),
    "high": (int, float),
    "log": bool,
    "choices": list,
    "unit": str,
    "label": str,
    "doc": str,
}
"""The keys of a parameter, with the types of their values."""

_OF_RANGE = ("low", "high", "log", "unit", "label")
_NAME = re.compile(r"[A-Za-z_]\w*")


def read_parameter_file(file: Path) -> tuple[Parameter, ...]:
    """The parameters in a file; raises `InputError` that names file, parameter and key."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--parameter-file {file} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"--parameter-file {file} cannot be read as TOML: {error}") from None
    try:
        parameters = tuple(_parameters(tables, ""))
    except InputError as error:
        raise InputError(f"--parameter-file {file}: {error}") from None
    if not any(parameter.domain or parameter.choices for parameter in parameters):
        raise InputError(
            f"--parameter-file {file} has no parameter with a range or choices, so that none can "
            "vary; write a table such as [lr] with default, low and high"
        )
    return parameters


def _parameters(tables: Mapping[str, Any], prefix: str) -> Iterator[Parameter]:
    """The parameters in a section, and in those that are within it."""
    for name, table in tables.items():
        path = f"{prefix}{name}"
        if not _NAME.fullmatch(name):
            raise InputError(f"{path} must be a name of letters, digits and _; write [{path}]")
        if not isinstance(table, dict):
            raise InputError(f"{path} must be a table with a default; write [{path}]")
        values = [value for value in table.values() if not isinstance(value, dict)]
        if not values:
            yield from _parameters(table, f"{path}.")
        else:
            yield _parameter(path, table)


def _parameter(path: str, table: Mapping[str, Any]) -> Parameter:
    for key, value in table.items():
        if key not in _TYPES:
            raise InputError(f"{path} has an unknown key {key}{closest(key, list(_TYPES))}")
        types = _TYPES[key]
        takes_bool = bool in types if isinstance(types, tuple) else types is bool
        if not isinstance(value, types) or (isinstance(value, bool) and not takes_bool):
            raise InputError(f"{path}: {key} cannot be {value!r}")
    if "default" not in table:
        raise InputError(f"{path} has no default; add it")
    doc = table.get("doc", "")
    if "choices" in table:
        return _choice(path, table, doc)
    kind = _kind(path, table)
    domain = _domain(path, table)
    if domain and kind not in ("int", "float"):
        raise InputError(f"{path} is {kind}, which has no range; remove low and high")
    default: Value = float(table["default"]) if kind == "float" else table["default"]
    choices = (False, True) if kind == "bool" else ()
    return Parameter(path, kind, default, domain, choices, doc)


def _choice(path: str, table: Mapping[str, Any], doc: str) -> Parameter:
    extra = [key for key in (*_OF_RANGE, "kind") if key in table]
    if extra:
        raise InputError(f"{path} has choices, and so no {', '.join(extra)}; remove one of them")
    choices = tuple(table["choices"])
    if not choices or any(not isinstance(choice, bool | int | float | str) for choice in choices):
        raise InputError(f"{path}: choices must be plain values, got {list(choices)!r}")
    parameter = Parameter(path, "choice", table["default"], None, choices, doc)
    parameter.check(table["default"])  # one of them
    return parameter


def _kind(path: str, table: Mapping[str, Any]) -> Kind:
    """The kind that is given, or the one of the default and the range."""
    given, default = table.get("kind"), table["default"]
    known = [kind for kind in get_args(Kind) if kind != "choice"]
    if given is not None and given not in known:
        raise InputError(f"{path}: kind must be one of {', '.join(known)}, got {given!r}")
    numbers = [table[key] for key in ("default", "low", "high") if key in table]
    if isinstance(default, bool):
        own: Kind = "bool"
    elif isinstance(default, str):
        own = "text"
    else:
        own = "int" if all(isinstance(number, int) for number in numbers) else "float"
    if given is not None and given != own and (given, own) != ("float", "int"):
        raise InputError(f"{path}: its values are of kind {own}, not {given}; change one of them")
    return "float" if given == "float" else own


def _domain(path: str, table: Mapping[str, Any]) -> Domain | None:
    fields = {key: table[key] for key in _OF_RANGE if key in table}
    if not fields:
        return None
    if "low" not in fields or "high" not in fields:
        raise InputError(f"{path} has {', '.join(fields)}, but a range needs low and high")
    try:
        return Domain(**fields)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
