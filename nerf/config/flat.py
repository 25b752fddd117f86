"""Converts between a `NerfConfig` and a flat mapping `{"sampling.near": 2.0, ...}`.

A config is a tree of dataclasses; tables, search spaces and command lines use the flat mapping.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nerf.common.errors import InputError, closest
from nerf.common.python_files import describe_exception
from nerf.config.parameters import (
    DERIVED,
    Parameter,
    Value,
    config_class,
    declared_parameters,
    list_parameters,
    parameter,
    section_classes,
)
from nerf.config.schema import NerfConfig

Flat = Mapping[str, Value]

BEFORE_ADDED: Mapping[str, Value] = {
    "field.initial_density": 0.0,
    "optimisation.crop": "centre",
    "optimisation.loss": "squared",
    "sampling.spacing": "linear",
    "encoding.contraction": "none",
    "encoding.contraction_radius": 4.0,
    "encoding.grid_levels": 3,
    "encoding.grid_cells": 96,
    "encoding.grid_features": 2,
    "field.kind": "network",
    "field.colour_space": "srgb",
    "grid.cells": 64,
    "grid.stages": 3,
    "grid.degree": 1,
    "grid.learning_rate": 0.5,
    "grid.total_variation": 0.0,
}
"""What a run did before these parameters existed: values for a file that does not name them."""


UNBOUNDED_FAR = 1000.0
"""Far of a scene without an end, in multiples of near. The last of 64 strata in disparity begins
at 60 times near, so a larger far would change hardly more than that one."""


def flatten(config: NerfConfig) -> dict[str, Value]:
    """Maps the path of every parameter, derived ones included, to its value in `config`."""
    flat: dict[str, Value] = {}
    for path in list_parameters():
        value: Any = config
        for part in path.split("."):
            value = getattr(value, part)
        flat[path] = value
    return flat


def build(flat: Flat, base: NerfConfig | None = None) -> NerfConfig:
    """Builds the config that differs from `base` (default: all defaults) in the paths of `flat`.

    Raises `InputError` for an unknown path, a value of the wrong type, a derived parameter beside
    the field that it sets unless the two agree, and a value that the config itself rejects.
    """
    checked = {path: parameter(path).check(value) for path, value in flat.items()}
    values = flatten(base or config_class()()) | checked
    return _to_config(_without_derived(values, checked))


def complete_without_code(
    flat: Flat, defaults: Flat, declared: Mapping[str, Parameter]
) -> dict[str, Value]:
    """The values of all `declared` parameters, some of them of plugins that are not loaded.

    `flat` above `defaults`, derived ones included, as `build` and `flatten` give them. Raises
    `InputError` for values that this program's own part of the configuration rejects.
    """
    unknown = [path for path in flat if path not in declared]
    if unknown:
        raise InputError(f"unknown parameter {unknown[0]!r}{closest(unknown[0], list(declared))}")
    checked = {path: declared[path].check(value) for path, value in flat.items()}
    values = {path: p.default for path, p in declared.items()} | dict(defaults) | checked
    fields = _without_derived(values, checked)
    own = declared_parameters(NerfConfig())
    config = _to_config({path: value for path, value in fields.items() if path in own})
    return fields | {path: v for path, v in flatten(config).items() if path in own}


def _without_derived(values: dict[str, Value], given: Flat) -> dict[str, Value]:
    """The values of fields alone; a `given` derived parameter sets its field."""
    for path, derived in DERIVED.items():
        if path in given:
            implied = derived.field_value(values)
            if derived.sets not in given:
                values[derived.sets] = implied
            elif not math.isclose(float(given[derived.sets]), implied, rel_tol=1e-9):
                raise InputError(f"{path} sets {derived.sets}; give one of the two, not both")
    return {path: value for path, value in values.items() if path not in DERIVED}


def complete_earlier(recorded: Flat) -> dict[str, Value]:
    """All values in a record of every parameter, which an earlier version may have written."""
    return dict(recorded) | {k: v for k, v in BEFORE_ADDED.items() if k not in recorded}


def value_before_added(path: str, default: Value) -> Value:
    """What a run did that does not record the parameter `path`: its default, unless that changed
    how runs train."""
    return BEFORE_ADDED.get(path, default)


def with_suggested_bounds(flat: Flat, near: float, far: float) -> dict[str, Value]:
    """Fills in a scene's suggested near and far where `flat` does not set them.

    Where samples in disparity and a contraction take in all space, far is a multiple of near.
    """
    settings = dict(flat)
    if "sampling.near" not in flat:
        settings["sampling.near"] = near
    if "sampling.far" not in flat and "sampling.span" not in flat:
        settings["sampling.far"] = far
        choices = (flat.get("sampling.spacing"), flat.get("encoding.contraction"))
        if choices == ("disparity", "sphere"):
            settings["sampling.far"] = max(far, UNBOUNDED_FAR * float(settings["sampling.near"]))
    return settings


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by dotted path as dicts in dicts: of `model.width` 8, `{"model": {"width": 8}}`."""
    nested: dict[str, Any] = {}
    for path, value in values.items():
        *sections, name = path.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return nested


def _to_config(values: Flat) -> NerfConfig:
    """Groups the paths by section and calls the dataclasses' constructors."""
    sections: dict[str, dict[str, Value]] = {}
    top: dict[str, Any] = {}
    for path, value in values.items():
        section, dot, member = path.partition(".")
        if dot:
            sections.setdefault(section, {})[member] = value
        else:
            top[section] = value
    classes = section_classes()
    for section, members in sections.items():
        top[section] = _build_section(section, classes[section], members)
    return config_class()(**top)


def _build_section(name: str, section: type, members: Flat) -> Any:
    """A section of these values; raises `InputError` for those that a plugin's class rejects."""
    try:
        return section(**members)
    except InputError:
        raise
    except Exception as error:
        cause = describe_exception(error)
        raise InputError(f"{name} rejects its values: {cause}") from None
