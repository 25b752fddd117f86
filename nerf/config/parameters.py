"""Every choice of a configuration by its dotted path, read from the fields of its dataclasses.

The command line, search spaces, tables and axis labels all take a parameter's type, range, default
and description from `list_parameters()`, for a `NerfConfig`, or from `declared_parameters()`, for
the dataclass of another trainer.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import Doc

from nerf.common.errors import InputError, closest
from nerf.config import sections
from nerf.config.condition import When, parse_condition
from nerf.config.domain import Domain
from nerf.config.plugin_conditions import with_plugin_conditions
from nerf.config.registry import Registry
from nerf.config.schema import NerfConfig

Value = float | int | bool | str
Kind = Literal["float", "int", "bool", "choice", "text"]
"""What values a parameter takes; text is free and cannot be varied without a list of values."""


@dataclass(frozen=True)
class Parameter:
    """One choice of a configuration: its path, its values, its default and a description."""

    path: str
    kind: Kind
    default: Value
    domain: Domain | None
    choices: tuple[Value, ...]
    doc: str
    sets: str = ""
    """Path of the field that a derived parameter sets (`sampling.span` sets `sampling.far`)."""
    when: str = ""
    """The condition under which it acts (`nerf.config.condition`); empty for always."""

    @property
    def label(self) -> str:
        """The name to show on an axis."""
        if self.domain and self.domain.label:
            return self.domain.label
        return self.path.rsplit(".", 1)[-1].replace("_", " ")

    @property
    def unit(self) -> str:
        return self.domain.unit if self.domain else ""

    def parse(self, text: str) -> Value:
        """Converts text to a value of this parameter's type; raises `InputError` if it cannot."""
        if self.kind in ("bool", "choice"):
            by_name: dict[str, Value] = {str(choice).lower(): choice for choice in self.choices}
            if text.strip().lower() not in by_name:
                names = [n if isinstance(c, bool) else str(c) for n, c in by_name.items()]
                raise InputError(
                    f"{self.path} must be one of {', '.join(names)}; got {text!r}"
                    + closest(text, names)
                )
            return by_name[text.strip().lower()]
        if self.kind == "text":
            return text
        try:
            return int(text) if self.kind == "int" else float(text)
        except ValueError:
            number = "a whole number" if self.kind == "int" else "a number"
            raise InputError(f"{self.path} must be {number}, got {text!r}") from None

    def check(self, value: object) -> Value:
        """Returns `value` as this parameter's type; raises `InputError` for another type."""
        if self.kind == "float" and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if self.kind == "int" and isinstance(value, int) and not isinstance(value, bool):
            return value
        if self.kind == "text" and isinstance(value, str):
            return value
        for choice in self.choices:  # 1 is not True
            if type(value) is type(choice) and value == choice:
                return choice
        allowed = ", ".join(map(str, self.choices)) or f"a value of type {self.kind}"
        raise InputError(f"{self.path} must be {allowed}; got {value!r}")


@dataclass(frozen=True)
class Derived:
    """A property of a config section that can be set in place of one of the section's fields."""

    sets: str
    field_value: Callable[[dict[str, Any]], float]
    """The field's value, computed from a flat mapping of all parameters."""


DERIVED = {
    "sampling.span": Derived(
        "sampling.far", lambda flat: flat["sampling.near"] + flat["sampling.span"]
    )
}


@functools.cache
def config_class() -> type[NerfConfig]:
    """`NerfConfig` with the sections of the plugins that are loaded."""
    extended: type[NerfConfig] = sections.extend(NerfConfig)
    return extended


@functools.cache
def section_classes() -> dict[str, type]:
    """The class of each section; resolving annotations takes longer than building a config."""
    return typing.get_type_hints(config_class())


@functools.cache
def list_parameters() -> dict[str, Parameter]:
    """Every parameter of a NeRF by its path, in the order of declaration; those of plugins last."""
    return with_plugin_conditions(declared_parameters(config_class()()))


def forget_parameters() -> None:
    """Lets the next call of `list_parameters` read them again, after plugins have changed."""
    config_class.cache_clear()
    section_classes.cache_clear()
    list_parameters.cache_clear()


def declared_parameters(default: Any) -> dict[str, Parameter]:
    """The parameters of a dataclass by their paths, in the order of declaration.

    default: an instance, with the default of each field; fields that are dataclasses are sections,
    whose fields have paths such as `sampling.near`

    Raises `InputError` for a field of another type than float, int, bool, str or `Literal`.
    """
    by_path: dict[str, Parameter] = {}
    for name, hint in typing.get_type_hints(type(default), include_extras=True).items():
        section = getattr(default, name)
        if dataclasses.is_dataclass(section):
            for path, member_hint, sets in _members(name, type(section)):
                value = getattr(section, path.rsplit(".", 1)[-1])
                by_path[path] = _parameter(path, member_hint, value, sets)
        else:
            by_path[name] = _parameter(name, hint, section)
    for parameter in by_path.values():
        _check_condition(parameter, by_path)
    return by_path


def _check_condition(parameter: Parameter, by_path: Mapping[str, Parameter]) -> None:
    """Raises `InputError` for a condition on an unknown parameter, or on a value it cannot have."""
    for term in parse_condition(parameter.when):
        if term.path not in by_path:
            raise InputError(
                f"{parameter.path}: its condition {parameter.when!r} names no parameter "
                f"{term.path!r}{closest(term.path, list(by_path))}"
            )
        choices = by_path[term.path].choices
        for value in term.named_values if choices else ():
            if value not in choices:
                raise InputError(
                    f"{parameter.path}: its condition {parameter.when!r} names {value!r}, and "
                    f"{term.path} is one of {', '.join(map(str, choices))}"
                )


def parameter(path: str) -> Parameter:
    """The parameter at `path`; raises `InputError` that names the closest path if unknown."""
    by_path = list_parameters()
    if path not in by_path:
        hint = closest(path, list(by_path))
        raise InputError(f"unknown parameter {path!r}{hint} (--help lists all parameters)")
    return by_path[path]


def _members(section: str, cls: type) -> Iterator[tuple[str, Any, str]]:
    """The path and type hint of each field of a section, then of each derived property.

    Third, the path of the field that it sets; empty for a field.
    """
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        yield f"{section}.{name}", hint, ""
    for path, derived in DERIVED.items():
        getter = inspect.getattr_static(cls, path.split(".")[1], None)
        if path.startswith(f"{section}.") and isinstance(getter, property):
            hints = typing.get_type_hints(getter.fget, include_extras=True)
            yield path, hints["return"], derived.sets


_KINDS: dict[Any, Kind] = {bool: "bool", int: "int", float: "float", str: "text"}


def _parameter(path: str, hint: Any, default: Any, sets: str = "") -> Parameter:
    """The parameter declared as `Annotated[type, Domain(...), Doc(...)]`, or as a plain type.

    The choices are those of a `Literal`, or of a `Registry` among the annotations.
    """
    hint, *annotations = typing.get_args(hint) if _is_annotated(hint) else (hint,)
    domain = next((extra for extra in annotations if isinstance(extra, Domain)), None)
    doc = next((extra.documentation for extra in annotations if isinstance(extra, Doc)), "")
    when = domain.when if domain else ""
    when = next((extra.condition for extra in annotations if isinstance(extra, When)), when)
    registry = next((extra for extra in annotations if isinstance(extra, Registry)), None)
    if registry is not None:
        return Parameter(path, "choice", default, domain, registry.names, doc, sets, when)
    if typing.get_origin(hint) is Literal:
        return Parameter(path, "choice", default, domain, typing.get_args(hint), doc, sets, when)
    if hint not in _KINDS:
        name = getattr(hint, "__name__", str(hint))
        raise InputError(
            f"{path} has the type {name}; use float, int, bool, str, Literal or a dataclass"
        )
    choices = (False, True) if hint is bool else ()
    return Parameter(path, _KINDS[hint], default, domain, choices, doc, sets, when)


def _is_annotated(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Annotated
