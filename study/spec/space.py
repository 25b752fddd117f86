"""The search space of a study: the parameters that vary, the values of the others, the scene's
bounds.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nerf.common.errors import InputError
from nerf.config.condition import holds, parse_condition
from nerf.config.flat import Flat, with_suggested_bounds
from nerf.config.parameters import Value
from study.spec.branches import acting, parents_first
from study.spec.dimension import Dimension as Dimension
from study.trainers.nerf_size import relative_cost
from study.trainers.parameter_set import (
    NERF,
    DeclaredParameters,
    NerfParameters,
    ParameterSet,
    default_values,
)

SCENE_RANGES = {
    "sampling.near": "from a fifth of the near that the scene suggests to halfway between its near "
    "and far",
    "sampling.far": "from halfway between the near and far that the scene suggests to near + 3 "
    "(far - near)",
    "sampling.span": "0.7 to 3 times the depth range that the scene suggests",
}
"""What the range of a parameter is, unless one is given, in words."""

SCENE_SCALED = tuple(SCENE_RANGES)

SCENE_PARTS: Mapping[str, tuple[float, float]] = {
    "sampling.near": (-math.inf, 0.5),
    "sampling.far": (0.5, 3.0),
    "sampling.span": (0.7, 3.0),
}
"""The same in parts of the depth range that a scene suggests (`Dimension.scale_to`).

Wider ranges, in which most bounds miss most of the object, tell nothing of other parameters.
"""


@dataclass(frozen=True)
class Space:
    """The dimensions that a study varies, and the values that it fixes."""

    dimensions: tuple[Dimension, ...]
    fixed: tuple[tuple[str, Value], ...] = ()
    bounds: tuple[float, float] | None = None
    """The scene's suggested near and far, which replace the declared defaults."""
    parameter_defaults: tuple[tuple[str, Value], ...] = field(
        default_factory=lambda: tuple(default_values(NERF).items())
    )
    """Defaults of all parameters when the study was created; a later version may have others."""
    parameters: ParameterSet = NERF
    """What the trainer's parameters are."""

    def config(self, values: Flat, seed: int = 0) -> Any:
        """The config of a trial; `values` maps each dimension's path to its value.

        Of a NeRF a `NerfConfig`, of another trainer what its `train(config, run)` takes.
        """
        return self.parameters.config(self._settings(values, seed), dict(self.parameter_defaults))

    def complete(self, values: Flat, seed: int = 0) -> dict[str, Value]:
        """The values of all parameters in a trial's config, by path, and its seed."""
        settings = self._settings(values, seed)
        return self.parameters.complete(settings, dict(self.parameter_defaults))

    def describe_size(self, values: Flat) -> str:
        """The values that decide how much memory a trial needs, in words."""
        settings = self._settings(values, 0)
        return self.parameters.describe_size(settings, dict(self.parameter_defaults))

    def relative_cost(self, values: Flat) -> float:
        """What a step of a trial costs beside that of others, as far as its values tell."""
        if not self.is_nerf:
            return 1.0
        return relative_cost(self.config(values))

    def _settings(self, values: Flat, seed: int) -> dict[str, Value]:
        settings = {**dict(self.fixed), **values, "seed": seed}
        if self.bounds:
            settings = with_suggested_bounds(settings, *self.bounds)
        return settings

    def values(self, path: str) -> tuple[Value, ...]:
        """All values that a parameter without a range takes in this study."""
        for dimension in self.dimensions:
            if dimension.path == path:
                return dimension.choices
        return ({**dict(self.parameter_defaults), **dict(self.fixed)}[path],)

    def defaults(self) -> dict[str, Value]:
        """The default of each varied parameter that acts, which may lie outside the space.

        Where the config rejects them, because of a value that the study fixes, the nearest values
        in the space stand for them.
        """
        return self.with_defaults({})

    def with_defaults(self, values: Flat) -> dict[str, Value]:
        """The values, and the default of every other varied parameter that acts beside them."""
        usual = self._declared_defaults()
        try:
            self.complete(self.acting(usual))
        except InputError:
            usual = self.nearest_defaults()
        return self.acting({**usual, **values})

    def nearest_defaults(self) -> dict[str, Value]:
        """For each varied parameter the value in the space that is nearest to its default."""
        declared = self._declared_defaults()
        return {d.path: d.nearest(declared[d.path]) for d in self.dimensions}

    def _declared_defaults(self) -> dict[str, Value]:
        suggested: dict[str, Value] = {}
        if self.bounds:
            near, far = self.bounds
            suggested = {"sampling.near": near, "sampling.far": far, "sampling.span": far - near}
        defaults = dict(self.parameter_defaults) | suggested
        return {d.path: defaults[d.path] for d in self.dimensions}

    def outside(self, values: Flat) -> tuple[str, ...]:
        """The paths of `values` that lie outside the space, which only a default can."""
        return tuple(
            d.path for d in self.dimensions if d.path in values and not d.contains(values[d.path])
        )

    def with_scene_bounds(self, bounds: tuple[float, float]) -> Space:
        """The space for a scene whose suggested near and far are `bounds`.

        Near, far and span, if varied without a range of their own, get one that contains the
        suggestion, bounds far around the object, and some that cut a part of it.
        Raises `InputError` for a combination of values that the config rejects.
        """
        space = self.scaled_to(bounds)
        check_combinations(space)
        return space

    def scaled_to(self, bounds: tuple[float, float]) -> Space:
        """As `with_scene_bounds`, of a space whose combinations are known to be valid."""
        dimensions = tuple(dimension.scale_to(*bounds) for dimension in self.dimensions)
        return dataclasses.replace(self, dimensions=dimensions, bounds=bounds)

    @property
    def grid_size(self) -> int:
        """Number of combinations of all values; 0 if a dimension takes any number."""
        if any(d.when for d in self.dimensions):
            return len(self.branched_cells)
        return math.prod(d.levels for d in self.dimensions)

    @functools.cached_property
    def branched_cells(self) -> list[dict[str, Value]]:
        """All combinations of values of the parameters that act, the last changing fastest."""
        levels = ([d.value_at(i) for i in range(d.levels)] for d in self.dimensions)
        paths = [d.path for d in self.dimensions]
        cells = (self.acting(dict(zip(paths, v, strict=True))) for v in itertools.product(*levels))
        return list({tuple(cell.items()): cell for cell in cells}.values())

    def point(self, units: Sequence[float]) -> dict[str, Value]:
        """The values at one point of the unit cube, of the parameters that act there."""
        return self.acting(
            {d.path: d.from_unit(u) for d, u in zip(self.dimensions, units, strict=True)}
        )

    def acting(self, values: Flat) -> dict[str, Value]:
        """Those of the values whose parameters act; the others are at their defaults."""
        return acting(self.dimensions, values)

    def missing(self, values: Flat) -> list[Dimension]:
        """The dimensions without a value that act, or may once others have one; parents first."""
        left = [d for d in parents_first(self.dimensions) if d.path not in values]
        open_paths = {d.path for d in left}
        return [
            d
            for d in left
            if holds(d.when, values) or open_paths & {t.path for t in parse_condition(d.when)}
        ]

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "dimensions": [d.to_json() for d in self.dimensions],
            "fixed": dict(self.fixed),
            "bounds": self.bounds,
            "usual": dict(self.parameter_defaults),
        }
        if isinstance(self.parameters, DeclaredParameters):
            data["parameters"] = self.parameters.to_json()
        elif isinstance(self.parameters, NerfParameters) and self.parameters.recorded:
            data["nerf_parameters"] = self.parameters.to_json()
        return data

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Space:
        dimensions = tuple(map(Dimension.from_json, data["dimensions"]))
        bounds = tuple(data["bounds"]) if data.get("bounds") else None
        fixed = tuple(data["fixed"].items())
        if "usual" not in data:  # an early study, which did not record them
            return Space(dimensions, fixed, bounds)
        parameters = _read_parameters(data)
        usual = tuple(parameters.complete_earlier(data["usual"]).items())
        return Space(dimensions, fixed, bounds, usual, parameters)

    @property
    def is_nerf(self) -> bool:
        """Whether the parameters are those of this project's NeRF."""
        return self.parameters.is_nerf


def _read_parameters(data: Mapping[str, Any]) -> ParameterSet:
    """The parameters in study.json: a trainer's own, or a NeRF's with those of its plugins."""
    if "parameters" in data:
        return DeclaredParameters.from_json(data["parameters"])
    if "nerf_parameters" in data:
        return NerfParameters.from_json(data["nerf_parameters"])
    return NERF


def check_combinations(space: Space) -> None:
    """Raises `InputError` if the config rejects some combination of values in the space.

    Each rule of the config relates at most two fields, so all pairs of extreme values suffice.
    """
    base = space.nearest_defaults()
    extremes = {d.path: d.choices or (d.from_unit(0.0), d.from_unit(1.0)) for d in space.dimensions}
    pairs = list(itertools.combinations(extremes, 2)) or [(path, path) for path in extremes]
    for first, second in pairs:
        for a, b in itertools.product(extremes[first], extremes[second]):
            try:
                space.complete(space.acting({**base, first: a, second: b}))
            except InputError as error:
                raise InputError(f"the space contains an invalid combination: {error}") from None
    space.complete(space.acting(base))
