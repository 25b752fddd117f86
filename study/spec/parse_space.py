"""Parses `--vary` and `--set` texts into a search space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from nerf.config.flat import Flat
from nerf.config.parameters import Parameter
from study.spec.branches import attach_conditions
from study.spec.dimension import Dimension
from study.spec.space import SCENE_PARTS, SCENE_SCALED, Space, check_combinations
from study.trainers.parameter_set import NERF, ParameterSet, default_values, get_parameter

_SCENE_SUFFIX = ":scene"
"""Of a range whose ends are parts of the depth range that a scene suggests."""


def parse_space(
    varied: Sequence[str],
    fixed: Flat,
    parameter_defaults: Flat | None = None,
    parameters: ParameterSet = NERF,
) -> Space:
    """Parses `--vary` texts into a space in which the `fixed` parameters have the given values.

    parameter_defaults: of every parameter, where they are not this version's

    Raises `InputError` for an unknown path, a range with its ends swapped, a parameter both varied
    and set, one that acts in no trial, and a combination of values that the config rejects.
    """
    dimensions = tuple(parse_dimension(text, parameters) for text in varied)
    paths = [d.path for d in dimensions]
    for path in paths:
        target = get_parameter(path, parameters).sets or path
        if paths.count(path) > 1:
            raise InputError(f"{path} is varied twice; remove one --vary of it")
        if path in fixed:
            raise InputError(f"{path} is both varied and set; remove its --vary or its --set")
        if target != path and (target in paths or target in fixed):
            raise InputError(f"{path} sets {target}; vary or set one of the two, not both")
    defaults = default_values(parameters) if parameter_defaults is None else parameter_defaults
    space = Space(
        attach_conditions(dimensions, {**defaults, **fixed}, parameters),
        tuple(fixed.items()),
        parameter_defaults=tuple(defaults.items()),
        parameters=parameters,
    )
    if not any(d.relative for d in dimensions):  # their ranges are known with the scene only
        check_combinations(space)
    return space


def parse_dimension(text: str, parameters: ParameterSet = NERF) -> Dimension:
    """Parses `PATH`, `PATH=LOW:HIGH[:log|:linear][:step=S]`, `PATH=a,b,c` or `PATH=a*0.9,b*0.1`.

    A range without `log` or `linear` has the parameter's declared scale; `*` gives probabilities.
    A range may go beyond the declared one (`widened_ranges.py`).
    `PATH=LOW:HIGH:scene` gives near, far or span in parts of the depth range of the scene.
    """
    path, equals, values = text.partition("=")
    declared = get_parameter(path, parameters)
    if path in parameters.not_varied:
        raise InputError(
            f"{path} belongs to the study's budget and cannot be varied; give it one value"
        )
    is_scaled = parameters.is_nerf and path in SCENE_SCALED
    if not equals:
        return _declared_range(declared, is_scaled)
    if values.endswith(_SCENE_SUFFIX):
        return _parse_parts(declared, values, is_scaled)
    if ":" in values and declared.kind != "text":
        return _parse_range(declared, values, is_scaled)
    return _parse_choices(declared, values)


def check_texts(
    file: Path, key: str, texts: list[str], parameters: ParameterSet = NERF
) -> list[str]:
    """Returns `texts` if each can be parsed; else raises `InputError` with `file` and `key`."""
    for text in texts:
        path, _, value = text.partition("=")
        try:
            if key == "set":
                get_parameter(path, parameters).parse(value)
            else:
                parse_dimension(text, parameters)
        except InputError as error:
            raise InputError(f"{file}: {key}: {error}") from None
    return texts


def format_value(value: Any) -> str:
    """A value as `--vary` and `--set` spell it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def format_dimension(dimension: Dimension) -> str:
    """The `--vary` text of a dimension whose range is known: `parse_dimension` reads it."""
    if dimension.choices:
        texts = [format_value(choice) for choice in dimension.choices]
        weighted = zip(texts, dimension.weights, strict=False)
        texts = [f"{text}*{weight!r}" for text, weight in weighted] or texts
        return f"{dimension.path}={','.join(texts)}"
    number = int if dimension.kind == "int" else float
    if dimension.relative:
        return f"{dimension.path}={':'.join(map(repr, dimension.parts))}{_SCENE_SUFFIX}"
    scale = "log" if dimension.log else "linear"
    step = f":step={number(dimension.step)!r}" if dimension.step else ""
    low, high = number(dimension.low), number(dimension.high)
    return f"{dimension.path}={low!r}:{high!r}:{scale}{step}"


def _declared_range(declared: Parameter, is_scaled: bool) -> Dimension:
    """The dimension of a parameter over all its choices, or over its own domain."""
    common: dict[str, Any] = {"label": declared.label, "unit": declared.unit}
    if declared.choices:
        return Dimension(declared.path, declared.kind, choices=declared.choices, **common)
    if declared.domain is None:
        raise InputError(f"{declared.path} has no domain of its own; write {declared.path}=a,b,c")
    if is_scaled:
        return _relative_range(declared, SCENE_PARTS[declared.path])
    domain = declared.domain
    return Dimension(declared.path, declared.kind, domain.low, domain.high, domain.log, **common)


def _relative_range(declared: Parameter, parts: tuple[float, float]) -> Dimension:
    """The dimension of near, far or span over parts of a depth range that is not known yet."""
    domain = declared.domain
    assert domain is not None
    return Dimension(
        declared.path,
        declared.kind,
        domain.low,
        domain.high,
        label=declared.label,
        unit=declared.unit,
        relative=True,
        parts=parts,
    )


def _parse_parts(declared: Parameter, text: str, is_scaled: bool) -> Dimension:
    """The dimension of near, far or span over `LOW:HIGH:scene`."""
    path = declared.path
    if not is_scaled:
        raise InputError(
            f"{path}={text}: only {', '.join(SCENE_SCALED)} follow from a scene; give "
            f"{path}=LOW:HIGH"
        )
    try:
        low, high = map(float, text.removesuffix(_SCENE_SUFFIX).split(":"))
    except ValueError:
        raise InputError(f"{path}={text} must be {path}=LOW:HIGH:scene, with two numbers") from None
    if not low < high:
        raise InputError(f"low < high must hold, got {path}={text}; swap the two")
    # From -inf on is from a fifth of the near that the scene suggests: none lies below that.
    if not math.isfinite(high) or (low == -math.inf and path != "sampling.near"):
        raise InputError(f"{path}={text}: both ends must be finite")
    if path == "sampling.span" and low <= 0:
        raise InputError(f"{path}={text}: the depth range must be above 0; raise LOW")
    return _relative_range(declared, (low, high))


def _parse_choices(declared: Parameter, text: str) -> Dimension:
    """The dimension of a parameter over `a,b,c`, or `a*0.9,b*0.1` with probabilities."""
    path = declared.path
    parts = [part.partition("*") for part in text.split(",")]
    choices = tuple(declared.parse(choice) for choice, _, _ in parts)
    if len(set(choices)) < max(2, len(choices)):
        raise InputError(f"{path} needs two or more different values to vary, got {text!r}")
    weights = _parse_weights(path, text, [weight for _, star, weight in parts if star])
    return Dimension(
        path,
        declared.kind,
        choices=choices,
        label=declared.label,
        unit=declared.unit,
        weights=weights,
    )


def _parse_weights(path: str, text: str, weights: Sequence[str]) -> tuple[float, ...]:
    """The probabilities of the choices in `text`; empty if it has none, or all are equal."""
    if 0 < len(weights) < text.count(",") + 1:
        raise InputError(f"{path}={text} gives some probabilities only; give all or none")
    numbers = tuple(_parse_number(path, "a probability", weight) for weight in weights)
    if numbers and not (min(numbers) > 0 and math.isclose(sum(numbers), 1, rel_tol=1e-5)):
        raise InputError(f"probabilities must be positive and sum to 1, got {path}={text}")
    return numbers if len(set(numbers)) > 1 else ()


def _parse_range(declared: Parameter, text: str, is_scaled: bool) -> Dimension:
    """The dimension of a parameter over `LOW:HIGH`, with `:log`, `:linear` or `:step=S`."""
    path, domain = declared.path, declared.domain
    if domain is None:
        raise InputError(f"{path} takes no range, got {text!r}; write {path}=a,b,c")
    low_text, high_text, *suffixes = text.split(":")
    low, high = float(declared.parse(low_text)), float(declared.parse(high_text))
    if not low < high:
        raise InputError(f"low < high must hold, got {path}={text}; swap the two")
    if is_scaled:
        if low < 0 or not math.isfinite(high):
            raise InputError(f"distances must be finite and 0 or more, got {path}={text}")
    elif not math.isfinite(high - low):
        raise InputError(f"a range needs finite ends, got {path}={text}")
    log, step = domain.log, 0.0
    for suffix in suffixes:
        if suffix in ("log", "linear"):
            log = suffix == "log"
        elif suffix.startswith("step="):
            step = _parse_step(declared, suffix.removeprefix("step="), low, high)
        else:
            raise InputError(f"{path}={text}: {suffix!r} must be log, linear or step=S")
    if log and low <= 0:
        raise InputError(f"{path}={text}: a logarithmic range needs low > 0; raise it")
    return Dimension(
        path, declared.kind, low, high, log, label=declared.label, unit=declared.unit, step=step
    )


def _parse_step(declared: Parameter, text: str, low: float, high: float) -> float:
    """The step of a range, which must divide it; 0 for consecutive integers."""
    step = _parse_number(declared.path, "step", text)
    if not 0 < step <= high - low or (declared.kind == "int" and step % 1):
        number = "a whole number" if declared.kind == "int" else "a number"
        raise InputError(
            f"{declared.path}: step must be {number} above 0 and at most {high - low:g}, got {text}"
        )
    levels = (high - low) / step
    if abs(levels - round(levels)) > 1e-9 * levels:
        raise InputError(
            f"{declared.path}={low:g}:{high:g} ends between two steps of {text}; end it at "
            f"{low + math.floor(levels) * step:.12g}"
        )
    return 0.0 if declared.kind == "int" and step == 1 else step


def _parse_number(path: str, name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{path}: {name} must be a number, got {text!r}")
    return number


def flatten_table(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A table by dotted paths, whether its keys are quoted paths or nested tables."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= flatten_table(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
