"""Names every choice of a `NerfConfig` by its dotted path, and carries values across by that name.

A config is a tree of dataclasses; a study, a table and a command line see the flat mapping
`{"sampling.near": 2.0, ...}`. This file is the only one that walks the tree.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import math
import tomllib
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from nerf.common.errors import InputError, closest
from nerf.config import schema as config_module
from nerf.config.domain import Domain
from nerf.config.schema import NerfConfig

Value = float | int | bool | str
Flat = Mapping[str, Value]
Kind = Literal["float", "int", "bool", "choice"]


@dataclass(frozen=True)
class Parameter:
    """One choice of a NeRF: its path, what values it takes, its default and its meaning."""

    path: str
    kind: Kind
    default: Value
    domain: Domain | None
    choices: tuple[Value, ...]
    doc: str
    sets: str = ""
    """The field that this one sets, where it is none of its own (`sampling.span`)."""

    @property
    def label(self) -> str:
        """What a person reads on an axis."""
        if self.domain and self.domain.label:
            return self.domain.label
        return self.path.rsplit(".", 1)[-1].replace("_", " ")

    @property
    def unit(self) -> str:
        return self.domain.unit if self.domain else ""

    def parse(self, text: str) -> Value:
        """The value that `text` spells; raises `InputError` where it spells none."""
        if self.kind in ("bool", "choice"):
            spelt: dict[str, Value] = {str(choice).lower(): choice for choice in self.choices}
            if text.strip().lower() not in spelt:
                names = ", ".join(spelt)
                raise InputError(f"{self.path} must be one of {names}; got {text!r}")
            return spelt[text.strip().lower()]
        try:
            return int(text) if self.kind == "int" else float(text)
        except ValueError:
            number = "a whole number" if self.kind == "int" else "a number"
            raise InputError(f"{self.path} must be {number}, got {text!r}") from None

    def check(self, value: object) -> Value:
        """`value` as this parameter's type; raises `InputError` where it is none."""
        if self.kind == "float" and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if self.kind == "int" and isinstance(value, int) and not isinstance(value, bool):
            return value
        named = self.kind in ("bool", "choice") and isinstance(value, bool | str)
        if named and value in self.choices:
            return value
        wanted = ", ".join(map(str, self.choices)) or f"a value of type {self.kind}"
        raise InputError(f"{self.path} must be {wanted}; got {value!r}")


@dataclass(frozen=True)
class Derived:
    """A property of a config section that may stand in for one of its fields."""

    sets: str
    field_value: Callable[[dict[str, Any]], float]


DERIVED = {
    "sampling.span": Derived(
        "sampling.far", lambda flat: flat["sampling.near"] + flat["sampling.span"]
    )
}


@functools.cache
def parameters() -> dict[str, Parameter]:
    """Every parameter by its path, in the order of the config's declaration."""
    found: dict[str, Parameter] = {}
    default = NerfConfig()
    for name, hint in typing.get_type_hints(NerfConfig, include_extras=True).items():
        section = getattr(default, name)
        if not dataclasses.is_dataclass(section):
            found[name] = _parameter(name, hint, section, _docs(NerfConfig)[name])
            continue
        for path, member_hint, doc in _members(name, type(section)):
            value = getattr(section, path.rsplit(".", 1)[-1])
            found[path] = _parameter(path, member_hint, value, doc)
    return found


def parameter(path: str) -> Parameter:
    """The parameter at `path`; raises `InputError` naming the closest one where there is none."""
    known = parameters()
    if path not in known:
        hint = closest(path, list(known))
        raise InputError(f"unknown parameter {path!r}{hint} (--help lists all of them)")
    return known[path]


def flatten(config: NerfConfig) -> dict[str, Value]:
    """Every parameter's value by path, derived ones included."""
    flat: dict[str, Value] = {}
    for path in parameters():
        value: Any = config
        for part in path.split("."):
            value = getattr(value, part)
        flat[path] = value
    return flat


def build(flat: Flat, base: NerfConfig | None = None) -> NerfConfig:
    """The config that differs from `base` (or the defaults) in the given paths.

    Raises `InputError` for an unknown path, a value of the wrong type, a derived path given beside
    the field that it sets unless both agree, and for whatever the config's own rules refuse.
    """
    checked = {path: parameter(path).check(value) for path, value in flat.items()}
    values = flatten(base or NerfConfig())
    values.update(checked)
    for path, derived in DERIVED.items():
        if path in checked:
            wanted = derived.field_value(values)
            if derived.sets not in checked:
                values[derived.sets] = wanted
            elif not math.isclose(float(checked[derived.sets]), wanted, rel_tol=1e-9):
                raise InputError(f"{path} sets {derived.sets}; give one of the two, not both")
    return _assemble({path: value for path, value in values.items() if path not in DERIVED})


def parse_settings(settings: list[str]) -> dict[str, Value]:
    """`["PATH=VALUE", ...]` as a flat mapping; raises `InputError` for anything else."""
    flat: dict[str, Value] = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise InputError(f"a setting must be PATH=VALUE, got {setting!r}")
        if path in flat:
            raise InputError(f"{path} is set twice; keep one of them")
        flat[path] = parameter(path).parse(text)
    return flat


def read_settings(file: Path) -> dict[str, Value]:
    """The flat mapping that a TOML file of `PATH = value` lines holds.

    Raises `InputError` naming the file, and the line or path, for anything else.
    """
    try:
        content = tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{file} is no TOML file that can be read: {error}") from None
    flat: dict[str, Value] = {}
    waiting: list[tuple[str, Any]] = list(content.items())
    while waiting:
        path, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}", entry) for key, entry in value.items()]
            continue
        try:
            flat[path] = parameter(path).check(value)
        except InputError as error:
            raise InputError(f"{file}: {error}") from None
    return flat


def with_suggested_bounds(flat: Flat, near: float, far: float) -> dict[str, Value]:
    """`flat` with a scene's suggested bounds for what it leaves open of near and far."""
    settings = dict(flat)
    if "sampling.near" not in flat:
        settings["sampling.near"] = near
    if "sampling.far" not in flat and "sampling.span" not in flat:
        settings["sampling.far"] = far
    return settings


def _assemble(values: Flat) -> NerfConfig:
    sections: dict[str, dict[str, Value]] = {}
    top: dict[str, Any] = {}
    for path, value in values.items():
        section, dot, member = path.partition(".")
        if dot:
            sections.setdefault(section, {})[member] = value
        else:
            top[section] = value
    hints = typing.get_type_hints(NerfConfig)
    for section, members in sections.items():
        top[section] = hints[section](**members)
    return NerfConfig(**top)


def _members(section: str, cls: type) -> list[tuple[str, Any, str]]:
    """(path, type hint, doc) of each field and of each derived property of a section."""
    hints = typing.get_type_hints(cls, include_extras=True)
    docs = _docs(cls)
    members = [(f"{section}.{name}", hint, docs[name]) for name, hint in hints.items()]
    for path in DERIVED:
        if path.startswith(f"{section}."):
            name = path.split(".")[1]
            accessor = inspect.getattr_static(cls, name).fget
            hint = typing.get_type_hints(accessor, include_extras=True)["return"]
            members.append((path, hint, inspect.getdoc(accessor) or ""))
    return members


def _parameter(path: str, hint: Any, default: Value, doc: str) -> Parameter:
    domain: Domain | None = None
    if typing.get_origin(hint) is Annotated:
        hint, *extras = typing.get_args(hint)
        domain = next((extra for extra in extras if isinstance(extra, Domain)), None)
    sets = DERIVED[path].sets if path in DERIVED else ""
    kind: Kind
    choices: tuple[Value, ...] = ()
    if typing.get_origin(hint) is Literal:
        kind, choices = "choice", typing.get_args(hint)
    elif hint is bool:
        kind, choices = "bool", (False, True)
    else:
        kind = "int" if hint is int else "float"
    return Parameter(path, kind, default, domain, choices, doc, sets)


@functools.cache
def _docs(cls: type) -> dict[str, str]:
    """The docstring under each field, which Python itself throws away."""
    tree = ast.parse(inspect.getsource(config_module))
    body = next(n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == cls.__name__)
    docs: dict[str, str] = {}
    for statement, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            docs[statement.target.id] = _string(below)
    return docs


def _string(statement: ast.stmt | None) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return inspect.cleandoc(str(statement.value.value))
    return ""
