"""Parses `--vary` and `--set` texts into a search space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from nerf.config.flat import Flat
from nerf.config.parameters import Parameter, parameter
from study.spec.space import SCENE_SCALED, Dimension, Space, check_combinations

# Varied as part of a study's budget or design, never as one of its parameters.
_NOT_VARIED = (
    "optimisation.steps",
    "evaluation.times",
    "evaluation.pixels",
    "evaluation.final_pixels",
    "seed",
)


def parse_space(varied: Sequence[str], fixed: Flat) -> Space:
    """Parses `--vary` texts into a space in which the `fixed` parameters have the given values.

    Raises `InputError` for an unknown path, a range outside the declared domain or with its ends
    swapped, a parameter both varied and set, and a combination of values that the config rejects.
    """
    dimensions = tuple(parse_dimension(text) for text in varied)
    paths = [d.path for d in dimensions]
    for path in paths:
        target = parameter(path).sets or path
        if paths.count(path) > 1:
            raise InputError(f"{path} is varied twice; remove one --vary of it")
        if path in fixed:
            raise InputError(f"{path} is both varied and set; remove its --vary or its --set")
        if target != path and (target in paths or target in fixed):
            raise InputError(f"{path} sets {target}; vary or set one of the two, not both")
    space = Space(dimensions, tuple(fixed.items()))
    if not any(d.relative for d in dimensions):  # their ranges are known with the scene only
        check_combinations(space)
    return space


def parse_dimension(text: str) -> Dimension:
    """Parses `PATH`, `PATH=LOW:HIGH` or `PATH=a,b,c`."""
    path, equals, values = text.partition("=")
    declared = parameter(path)
    if path in _NOT_VARIED:
        raise InputError(
            f"{path} belongs to the study's budget and cannot be varied; give it one value"
        )
    if not equals:
        return _declared_range(declared)
    if ":" in values:
        return _parse_range(declared, values)
    choices = tuple(declared.parse(choice) for choice in values.split(","))
    if len(set(choices)) < max(2, len(choices)):
        raise InputError(f"{path} needs two or more different values to vary, got {values!r}")
    return Dimension(path, declared.kind, choices=choices, label=declared.label, unit=declared.unit)


def check_texts(file: Path, key: str, texts: list[str]) -> list[str]:
    """Returns `texts` if each can be parsed; else raises `InputError` with `file` and `key`."""
    for text in texts:
        path, _, value = text.partition("=")
        try:
            if key == "set":
                parameter(path).parse(value)
            else:
                parse_dimension(text)
        except InputError as error:
            raise InputError(f"{file}: {key}: {error}") from None
    return texts


def format_value(value: Any) -> str:
    """A value as `--vary` and `--set` spell it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _declared_range(declared: Parameter) -> Dimension:
    """The dimension of a parameter over all its choices, or over its own domain."""
    common: dict[str, Any] = {"label": declared.label, "unit": declared.unit}
    if declared.choices:
        return Dimension(declared.path, declared.kind, choices=declared.choices, **common)
    if declared.domain is None:
        raise InputError(f"{declared.path} has no domain of its own; write {declared.path}=a,b,c")
    domain = declared.domain
    return Dimension(
        declared.path,
        declared.kind,
        domain.low,
        domain.high,
        domain.log,
        relative=declared.path in SCENE_SCALED,
        **common,
    )


def _parse_range(declared: Parameter, text: str) -> Dimension:
    """The dimension of a parameter over `LOW:HIGH`."""
    path, domain = declared.path, declared.domain
    if domain is None:
        raise InputError(f"{path} takes no range, got {text!r}; write {path}=a,b,c")
    low_text, _, high_text = text.partition(":")
    low, high = float(declared.parse(low_text)), float(declared.parse(high_text))
    if not low < high:
        raise InputError(f"low < high must hold, got {path}={text}; swap the two")
    if path in SCENE_SCALED:
        if low < 0 or not math.isfinite(high):
            raise InputError(f"distances must be finite and 0 or more, got {path}={text}")
    elif low < domain.low or high > domain.high:
        raise InputError(f"{path}={text} leaves its domain {domain}; stay within it")
    return Dimension(
        path, declared.kind, low, high, domain.log, label=declared.label, unit=declared.unit
    )


def flatten_table(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A table by dotted paths, whether its keys are quoted paths or nested tables."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= flatten_table(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
