"""What a study varies: parameters with narrowed domains, and the way from the unit cube and back.

The declared domains are the study's prior. `Dimension.from_unit` is that prior's inverse
distribution function; the explore design and the importance analysis both go through it.
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
from nerf.config.domain import Domain
from nerf.config.flat import Flat, build, flatten, with_suggested_bounds
from nerf.config.parameters import Kind, Value
from nerf.config.schema import NerfConfig

SCALED = ("sampling.near", "sampling.far", "sampling.span")
"""Parameters whose range, unless given, follows from the scene's suggested bounds."""


@dataclass(frozen=True)
class Dimension:
    """One varied parameter: either a range `low..high` or a list of `choices`."""

    path: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Value, ...] = ()
    label: str = ""
    unit: str = ""
    relative: bool = False
    """Is the range still the declared one, to be taken from the scene's bounds instead?"""

    def from_unit(self, u: float) -> Value:
        """The value at quantile `u` in [0, 1) of this dimension's prior."""
        if self.choices:
            return self.choices[min(int(u * len(self.choices)), len(self.choices) - 1)]
        low, high = self._edges()
        value = low + u * (high - low)
        value = math.exp(value) if self.log else value
        if self.kind == "int":
            # Integers own the half-open cell around them, so that both ends are as likely as any.
            return int(min(max(math.floor(value + 0.5), self.low), self.high))
        return min(max(value, self.low), self.high)

    def to_unit(self, value: Value) -> float:
        """The prior's quantile of `value`; the middle of its cell where the prior is discrete."""
        if self.choices:
            return (self.choices.index(value) + 0.5) / len(self.choices)
        low, high = self._edges()
        number = float(value)
        return ((math.log(number) if self.log else number) - low) / (high - low)

    def _edges(self) -> tuple[float, float]:
        half_cell = 0.5 if self.kind == "int" else 0.0
        low, high = self.low - half_cell, self.high + half_cell
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def __str__(self) -> str:
        if self.choices:
            return f"{self.path} in {', '.join(map(str, self.choices))}"
        return f"{self.path} in {Domain(self.low, self.high, self.log, self.unit)}"


@dataclass(frozen=True)
class Space:
    """Everything a study varies, and what it holds fixed away from the defaults."""

    dimensions: tuple[Dimension, ...]
    fixed: tuple[tuple[str, Value], ...] = ()
    bounds: tuple[float, float] | None = None
    """The near and far that the scene suggests, in place of the declared defaults."""
    usual: tuple[tuple[str, Value], ...] = field(
        default_factory=lambda: tuple(flatten(NerfConfig()).items())
    )
    """Every parameter's default when the study was made: that of a later version may differ."""

    def config(self, values: Flat, seed: int = 0) -> NerfConfig:
        """The NeRF config of one trial; `values` maps each dimension's path to its value."""
        settings = {**dict(self.fixed), **values, "seed": seed}
        if self.bounds:
            settings = with_suggested_bounds(settings, *self.bounds)
        return build(settings, self._usual_config)

    def values(self, path: str) -> tuple[Value, ...]:
        """The values that a parameter of choices takes in this study."""
        for dimension in self.dimensions:
            if dimension.path == path:
                return dimension.choices
        return ({**dict(self.usual), **dict(self.fixed)}[path],)

    def defaults(self) -> dict[str, Value]:
        """The default value of each varied parameter, moved to the nearest one in the space."""
        suggested: dict[str, Value] = {}
        if self.bounds:
            near, far = self.bounds
            suggested = {"sampling.near": near, "sampling.far": far, "sampling.span": far - near}
        usual = dict(self.usual) | suggested
        return {d.path: _nearest(d, usual[d.path]) for d in self.dimensions}

    def within(self, bounds: tuple[float, float]) -> Space:
        """This space for a scene with these suggested bounds; `InputError` where they break a rule.

        What varies of near and far without a range of its own gets one that fits the scene: it
        holds the suggestion, bounds that cut the object and bounds that miss it.
        """
        dimensions = tuple(_for_scene(d, *bounds) if d.relative else d for d in self.dimensions)
        space = dataclasses.replace(self, dimensions=dimensions, bounds=bounds)
        _check_combinations(space)
        return space

    def point(self, units: Sequence[float]) -> dict[str, Value]:
        """The values at one point of the unit cube."""
        return {d.path: d.from_unit(u) for d, u in zip(self.dimensions, units, strict=True)}

    def to_json(self) -> dict[str, Any]:
        return {
            "dimensions": [dataclasses.asdict(d) for d in self.dimensions],
            "fixed": dict(self.fixed),
            "bounds": self.bounds,
            "usual": dict(self.usual),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Space:
        dimensions = tuple(
            Dimension(**{**d, "choices": tuple(d["choices"])}) for d in data["dimensions"]
        )
        bounds = tuple(data["bounds"]) if data.get("bounds") else None
        # Studies made before this was recorded are read with the defaults of today.
        usual = {"usual": tuple(data["usual"].items())} if "usual" in data else {}
        return Space(dimensions, tuple(data["fixed"].items()), bounds, **usual)

    @functools.cached_property
    def _usual_config(self) -> NerfConfig:
        return build(dict(self.usual))


def _for_scene(dimension: Dimension, near: float, far: float) -> Dimension:
    """A range of near, far or their distance for an object between these bounds.

    For the frame's usual object, between 2.8 and 5.5, they are about the declared ones.
    """
    depth = far - near
    low, high = {
        "sampling.near": (0.2 * near, near + 0.875 * depth),
        "sampling.far": (near + 0.25 * depth, near + 3 * depth),
        "sampling.span": (0.35 * depth, 3 * depth),
    }[dimension.path]
    return dataclasses.replace(dimension, low=round(low, 4), high=round(high, 4), relative=False)


def _check_combinations(space: Space) -> None:
    """Tries every pair of extreme values: the config's rules each tie at most two fields."""
    base = space.defaults()
    extremes = {d.path: d.choices or (d.from_unit(0.0), d.from_unit(1.0)) for d in space.dimensions}
    pairs = list(itertools.combinations(extremes, 2)) or [(path, path) for path in extremes]
    for first, second in pairs:
        for a, b in itertools.product(extremes[first], extremes[second]):
            try:
                space.config({**base, first: a, second: b})
            except InputError as error:
                raise InputError(f"the space holds an invalid combination: {error}") from None
    space.config(base)


def _nearest(dimension: Dimension, value: Value) -> Value:
    if dimension.choices:
        if value in dimension.choices:
            return value
        return dimension.choices[0]
    if dimension.log and value == 0:
        return _nearest(dimension, dimension.high)  # 0 is on no logarithmic scale: it means all
    number = min(max(float(value), dimension.low), dimension.high)
    return int(number) if dimension.kind == "int" else number
