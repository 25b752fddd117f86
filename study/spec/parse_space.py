"""Parses `--vary` and `--set` texts into a search space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from nerf.config.flat import Flat
from nerf.config.parameters import DERIVED, Parameter, Value, parameter
from study.spec.space import SCALED, Dimension, Space, _check_combinations

# Varied as part of a study's budget or design, never as one of its parameters.
_NOT_VARIED = (
    "optimisation.steps",
    "evaluation.times",
    "evaluation.pixels",
    "evaluation.final_pixels",
    "seed",
)


# What a study holds fixed unless told otherwise: coarse enough that a trial takes seconds.
DEFAULT_SETTINGS: dict[str, Value] = {
    "sampling.coarse": 40,
    "optimisation.rays": 256,
    "evaluation.times": 8,
    "evaluation.pixels": 1024,
    "evaluation.final_pixels": 4096,
}


DEFAULT_VARIED = (
    "sampling.near",
    "sampling.span",
    "encoding.position_frequencies",
    "encoding.direction_frequencies",
    "field.width=32:128",
    "field.hidden_activation",
    "field.density_activation",
    "optimisation.learning_rate",
)


def parse_space(varied: Sequence[str], fixed: Flat) -> Space:
    """The space that `--vary` texts and `--set` values describe.

    Raises `InputError` for an unknown path, a range outside the declared domain or the wrong way
    round, a parameter both varied and set, and where some combination breaks a rule of the config.
    """
    dimensions = tuple(parse_dimension(text) for text in varied)
    paths = [d.path for d in dimensions]
    for path in paths:
        target = parameter(path).sets or path
        if paths.count(path) > 1:
            raise InputError(f"{path} is varied twice; keep one --vary of it")
        if path in fixed:
            raise InputError(f"{path} is both varied and set; drop --vary or --set")
        if target != path and (target in paths or target in fixed):
            raise InputError(f"{path} sets {target}; vary or set one of the two, not both")
    space = Space(dimensions, tuple(fixed.items()))
    if not any(d.relative for d in dimensions):  # those wait for the scene
        _check_combinations(space)
    return space


def default_space(fixed: Flat) -> Space:
    """What a study varies when nothing is asked for: `DEFAULT_VARIED` less what is set."""
    settled = set(fixed)
    settled |= {path for path, derived in DERIVED.items() if derived.sets in fixed}
    varied = [text for text in DEFAULT_VARIED if text.partition("=")[0] not in settled]
    return parse_space(varied, fixed)


def parse_dimension(text: str) -> Dimension:
    """The dimension that `PATH`, `PATH=LOW:HIGH` or `PATH=a,b,c` describes."""
    path, equals, wanted = text.partition("=")
    declared = parameter(path)
    if path in _NOT_VARIED:
        raise InputError(f"{path} is part of a study's budget and cannot be varied; use its option")
    if not equals:
        return _declared(declared)
    if ":" in wanted:
        return _range(declared, wanted)
    choices = tuple(declared.parse(choice) for choice in wanted.split(","))
    if len(set(choices)) < max(2, len(choices)):
        raise InputError(f"{path} needs two or more different values to vary, got {wanted!r}")
    return Dimension(path, declared.kind, choices=choices, label=declared.label, unit=declared.unit)


def _declared(declared: Parameter) -> Dimension:
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
        relative=declared.path in SCALED,
        **common,
    )


def _range(declared: Parameter, wanted: str) -> Dimension:
    path = declared.path
    if declared.domain is None:
        raise InputError(f"{path} takes no range, got {wanted!r}; write {path}=a,b,c")
    low_text, _, high_text = wanted.partition(":")
    low, high = float(declared.parse(low_text)), float(declared.parse(high_text))
    if not low < high:
        raise InputError(f"low < high must hold, got {path}={wanted}; turn the range round")
    widest = declared.domain
    if path in SCALED:
        if low < 0 or not math.isfinite(high):
            raise InputError(f"distances must be finite and 0 or more, got {path}={wanted}")
    elif low < widest.low or high > widest.high:
        raise InputError(f"{path}={wanted} leaves its domain {widest}; stay within it")
    return Dimension(
        path, declared.kind, low, high, widest.log, label=declared.label, unit=declared.unit
    )


def checked(path: Path, key: str, texts: list[str]) -> list[str]:
    """The texts; a mistake in one of them is named with its file and key already here."""

    for text in texts:
        name, _, value = text.partition("=")
        try:
            if key == "set":
                parameter(name).parse(value)
            else:
                parse_dimension(text)
        except InputError as error:
            raise InputError(f"{path}: {key}: {error}") from None
    return texts


def as_text(value: Any) -> str:
    """A value as the command line spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
