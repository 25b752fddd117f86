"""Variants: named configurations that a study compares with the same seeds, as in an ablation.

A study file lists them; each is run `--repeats` times, the r-th time with the same seed as the r-th
run of every other, so that differences are paired. The first is the reference of the comparison.

    repeats = 3
    [set]
    "encoding.position_frequencies" = 10
    [variants."complete"]
    [variants."5 frequencies"]
    "encoding.position_frequencies" = 5
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from nerf.config.flat import Flat
from nerf.config.parameters import Value
from study.spec.branches import require_acting
from study.spec.dimension import Dimension
from study.spec.parse_space import flatten_table
from study.spec.space import SCENE_SCALED, Space
from study.trainers.parameter_set import NERF, ParameterSet, default_values, get_parameter


@dataclass(frozen=True)
class Variant:
    """A named configuration: the study's fixed settings, changed by its own `settings`."""

    name: str
    settings: tuple[tuple[str, Value], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "settings": dict(self.settings)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Variant:
        return Variant(data["name"], tuple(data["settings"].items()))


def read_variants(
    file: Path, table: Mapping[str, Any], parameters: ParameterSet = NERF
) -> tuple[Variant, ...]:
    """Reads a study file's table; raises `InputError` with file, variant and parameter."""
    variants = []
    for name, settings in table.items():
        if not isinstance(settings, Mapping):
            raise InputError(f"{file}: variants.{name} must be a table of settings")
        try:
            flat = flatten_table(settings)
            checked = {p: get_parameter(p, parameters).check(value) for p, value in flat.items()}
        except InputError as error:
            raise InputError(f"{file}: variants.{name}: {error}") from None
        variants.append(Variant(str(name), tuple(checked.items())))
    return tuple(variants)


def variant_space(
    variants: Sequence[Variant],
    fixed: Flat,
    parameter_defaults: Flat | None = None,
    parameters: ParameterSet = NERF,
) -> Space:
    """The space of the parameters on which variants differ, each with the values that it takes.

    What all of them set to one value is fixed.

    Its points are not sampled: `variant_values` gives the one of each variant. Raises `InputError`
    for variants that are equal, that the config rejects, that set a parameter which does not act
    there, or whose near or far would depend on the scene in some of them only.

    parameter_defaults: of every parameter, where they are not this version's
    """
    defaults = {**default_values(parameters), **(parameter_defaults or {})}
    if len(variants) < 2:
        raise InputError(f"a study of variants needs at least two of them, got {len(variants)}")
    own = {path for variant in variants for path, _ in variant.settings}
    base = parameters.complete(fixed, defaults)
    for path in sorted(own):
        if target := get_parameter(path, parameters).sets:
            raise InputError(f"variants cannot set {path}; set {target} instead")
        if (
            parameters.is_nerf
            and path in SCENE_SCALED
            and path not in fixed
            and not _set_by_all(variants, path)
        ):
            raise InputError(f"{path} follows from the scene where a variant leaves it out; set it")
    values = [{**base, **dict(variant.settings)} for variant in variants]
    dimensions, in_all = [], {}
    for path in (p for p in base if p in own):
        choices = tuple(dict.fromkeys(value[path] for value in values))
        if len(choices) > 1:
            dimensions.append(_dimension(path, choices, parameters))
        else:
            in_all[path] = choices[0]
    for variant in variants:
        try:
            complete = parameters.complete({**fixed, **dict(variant.settings)}, defaults)
            for path, _ in variant.settings:
                require_acting(path, complete, parameters)
        except InputError as error:
            raise InputError(f"variant {variant.name!r}: {error}") from None
    points = [tuple(value[d.path] for d in dimensions) for value in values]
    for variant, point in zip(variants, points, strict=True):
        first = variants[points.index(point)]
        if first is not variant:
            raise InputError(f"variants {first.name!r} and {variant.name!r} are equal; remove one")
    return Space(
        tuple(dimensions),
        tuple({**fixed, **in_all}.items()),
        parameter_defaults=tuple(defaults.items()),
        parameters=parameters,
    )


def variant_values(variant: Variant, space: Space) -> dict[str, Value]:
    """The variant's value of each of the space's parameters."""
    base = {**dict(space.parameter_defaults), **dict(space.fixed), **dict(variant.settings)}
    return {d.path: base[d.path] for d in space.dimensions}


def _set_by_all(variants: Sequence[Variant], path: str) -> bool:
    return all(path in dict(variant.settings) for variant in variants)


def _dimension(path: str, choices: tuple[Value, ...], parameters: ParameterSet) -> Dimension:
    declared = get_parameter(path, parameters)
    return Dimension(path, declared.kind, choices=choices, label=declared.label, unit=declared.unit)
