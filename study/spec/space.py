"""The search space of a study, and its map to the unit cube and back.

A dimension's range is its prior: uniform, or uniform in the logarithm. `Dimension.from_unit` is the
prior's inverse cumulative distribution function, which both the explore design and the importance
analysis use.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nerf.common.errors import InputError
from nerf.config.domain import Domain
from nerf.config.flat import Flat, build, complete_earlier, flatten, with_suggested_bounds
from nerf.config.parameters import Kind, Value
from nerf.config.schema import NerfConfig

SCENE_SCALED = ("sampling.near", "sampling.far", "sampling.span")
"""Parameters whose range follows from the scene's suggested bounds, unless one is given."""


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
    """Whether the range is still to be computed from the scene's bounds."""
    step: float = 0.0
    """Values of a range are low, low + step, ...; 0 for any number, or any integer."""
    weights: tuple[float, ...] = ()
    """Probability of each choice; empty if all are as likely."""

    def from_unit(self, u: float) -> Value:
        """The value at quantile `u` in [0, 1) of the prior."""
        if self.choices:
            if self.weights:
                return self.choices[bisect.bisect_right(self.choice_edges[1:-1], u)]
            return self.choices[min(int(u * len(self.choices)), len(self.choices) - 1)]
        low, high = self._edges()
        value = low + u * (high - low)
        value = math.exp(value) if self.log else value
        # The range spans half a cell beyond its ends, so that all levels are equally likely.
        if self.step:
            level = min(max(math.floor((value - self.low) / self.step + 0.5), 0), self.levels - 1)
            number = self.low + level * self.step
            return int(number) if self.kind == "int" else number
        if self.kind == "int":
            return int(min(max(math.floor(value + 0.5), self.low), self.high))
        return min(max(value, self.low), self.high)

    def to_unit(self, value: Value) -> float:
        """The quantile of `value` in the prior; for a choice, the middle of its cell."""
        if self.choices:
            place = self.choices.index(value)
            if self.weights:
                return (self.choice_edges[place] + self.choice_edges[place + 1]) / 2
            return (place + 0.5) / len(self.choices)
        low, high = self._edges()
        number = float(value)
        return ((math.log(number) if self.log else number) - low) / (high - low)

    @property
    def levels(self) -> int:
        """How many values a range with a step, or of integers, has; 0 for any number."""
        return math.floor((self.high - self.low) / self._cell + 1e-9) + 1 if self._cell else 0

    @property
    def choice_edges(self) -> tuple[float, ...]:
        """(choices + 1,) quantiles at which one choice ends and the next begins."""
        weights = self.weights or (1.0,) * len(self.choices)
        sums = (0.0, *itertools.accumulate(weights))
        return tuple(part / sums[-1] for part in sums)

    @property
    def _cell(self) -> float:
        """Distance of two neighbouring values; 0 for any number."""
        return self.step or (1.0 if self.kind == "int" and not self.choices else 0.0)

    def _edges(self) -> tuple[float, float]:
        half_cell = self._cell / 2
        low, high = self.low - half_cell, self.high + half_cell
        if self.step:  # the last level may lie below the end of the range
            high = self.low + (self.levels - 0.5) * self._cell
        if self.log:
            # A step of more than twice the low end has a first cell that reaches down to it only.
            return math.log(low if low > 0 else self.low), math.log(high)
        return low, high

    def contains(self, value: Value) -> bool:
        """Whether `value` is one of the choices, or within the range."""
        if self.choices:
            return value in self.choices
        if not self.low <= float(value) <= self.high:
            return False
        level = (float(value) - self.low) / self.step if self.step else 0.0
        return abs(level - round(level)) < 1e-6

    def __str__(self) -> str:
        if self.weights:
            weighted = zip(self.choices, self.weights, strict=True)
            return f"{self.path} in {', '.join(f'{c} ({w:.0%})' for c, w in weighted)}"
        if self.choices:
            return f"{self.path} in {', '.join(map(str, self.choices))}"
        steps = f" in steps of {self.step:g}" if self.step else ""
        return f"{self.path} in {Domain(self.low, self.high, self.log, self.unit)}{steps}"


@dataclass(frozen=True)
class Space:
    """The dimensions that a study varies, and the values that it fixes."""

    dimensions: tuple[Dimension, ...]
    fixed: tuple[tuple[str, Value], ...] = ()
    bounds: tuple[float, float] | None = None
    """The scene's suggested near and far, which replace the declared defaults."""
    parameter_defaults: tuple[tuple[str, Value], ...] = field(
        default_factory=lambda: tuple(flatten(NerfConfig()).items())
    )
    """Defaults of all parameters when the study was created; a later version may have others."""

    def config(self, values: Flat, seed: int = 0) -> NerfConfig:
        """The config of a trial; `values` maps each dimension's path to its value."""
        settings = {**dict(self.fixed), **values, "seed": seed}
        if self.bounds:
            settings = with_suggested_bounds(settings, *self.bounds)
        return build(settings, self._default_config)

    def values(self, path: str) -> tuple[Value, ...]:
        """All values that a parameter without a range takes in this study."""
        for dimension in self.dimensions:
            if dimension.path == path:
                return dimension.choices
        return ({**dict(self.parameter_defaults), **dict(self.fixed)}[path],)

    def defaults(self) -> dict[str, Value]:
        """The default of each varied parameter, which may lie outside the space.

        Where the config rejects them, because of a value that the study fixes, the nearest values
        in the space stand for them.
        """
        declared = self._declared_defaults()
        try:
            self.config(declared)
        except InputError:
            return self.nearest_defaults()
        return declared

    def nearest_defaults(self) -> dict[str, Value]:
        """For each varied parameter the value in the space that is nearest to its default."""
        declared = self._declared_defaults()
        return {d.path: _nearest(d, declared[d.path]) for d in self.dimensions}

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
        dimensions = tuple(
            _scale_to_scene(d, *bounds) if d.relative else d for d in self.dimensions
        )
        space = dataclasses.replace(self, dimensions=dimensions, bounds=bounds)
        check_combinations(space)
        return space

    def point(self, units: Sequence[float]) -> dict[str, Value]:
        """The values at one point of the unit cube."""
        return {d.path: d.from_unit(u) for d, u in zip(self.dimensions, units, strict=True)}

    def to_json(self) -> dict[str, Any]:
        return {
            "dimensions": [_to_json(d) for d in self.dimensions],
            "fixed": dict(self.fixed),
            "bounds": self.bounds,
            "usual": dict(self.parameter_defaults),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Space:
        dimensions = tuple(
            Dimension(
                **{**d, "choices": tuple(d["choices"]), "weights": tuple(d.get("weights", ()))}
            )
            for d in data["dimensions"]
        )
        bounds = tuple(data["bounds"]) if data.get("bounds") else None
        fixed = tuple(data["fixed"].items())
        if "usual" not in data:  # an early study, which did not record them
            return Space(dimensions, fixed, bounds)
        return Space(dimensions, fixed, bounds, tuple(complete_earlier(data["usual"]).items()))

    @functools.cached_property
    def _default_config(self) -> NerfConfig:
        return build(dict(self.parameter_defaults))


def _to_json(dimension: Dimension) -> dict[str, Any]:
    """Its fields; those that few studies use only where they are used."""
    fields = dataclasses.asdict(dimension)
    unused = [name for name in ("step", "weights") if not fields[name]]
    return {name: value for name, value in fields.items() if name not in unused}


def _scale_to_scene(dimension: Dimension, near: float, far: float) -> Dimension:
    """The range of near, far or span for an object between the bounds `near` and `far`.

    Wider ranges, in which most bounds miss most of the object, tell nothing of other parameters.
    """
    depth = far - near
    low, high = {
        "sampling.near": (0.2 * near, near + 0.5 * depth),
        "sampling.far": (near + 0.5 * depth, near + 3 * depth),
        "sampling.span": (0.7 * depth, 3 * depth),
    }[dimension.path]
    return dataclasses.replace(dimension, low=round(low, 4), high=round(high, 4), relative=False)


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
                space.config({**base, first: a, second: b})
            except InputError as error:
                raise InputError(f"the space contains an invalid combination: {error}") from None
    space.config(base)


def _nearest(dimension: Dimension, value: Value) -> Value:
    if dimension.choices:
        if value in dimension.choices:
            return value
        return dimension.choices[0]
    if dimension.log and value == 0:
        return _nearest(dimension, dimension.high)  # 0 means all, and has no logarithm
    number = min(max(float(value), dimension.low), dimension.high)
    return int(number) if dimension.kind == "int" else number
