"""One varied parameter of a study, and its map to the unit interval and back.

A dimension's range is its prior: uniform, or uniform in the logarithm. `Dimension.from_unit` is the
prior's inverse cumulative distribution function, which both the explore design and the importance
analysis use.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nerf.config.domain import Domain
from nerf.config.parameters import Kind, Value


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
    """Whether the range is still to be computed from the scene's bounds (`scale_to`)."""
    parts: tuple[float, ...] = ()
    """Ends of a relative range, in parts of the depth range that the scene suggests."""
    step: float = 0.0
    """Values of a range are low, low + step, ...; 0 for any number, or any integer."""
    weights: tuple[float, ...] = ()
    """Probability of each choice; empty if all are as likely."""
    when: str = ""
    """The condition on other varied parameters under which it acts; empty for always."""

    def from_unit(self, u: float) -> Value:
        """The value at quantile `u` in [0, 1) of the prior."""
        if self.choices:
            if self.weights:
                return self.choices[bisect.bisect_right(self.edges[1:-1], u)]
            return self.choices[min(int(u * len(self.choices)), len(self.choices) - 1)]
        low, high = self._span()
        value = low + u * (high - low)
        value = math.exp(value) if self.log else value
        if self.step:
            return self._level(self._place(value))
        if self.kind == "int":
            return int(min(max(math.floor(value + 0.5), self.low), self.high))
        return min(max(value, self.low), self.high)

    def to_unit(self, value: Value) -> float:
        """The quantile of `value` in the prior; for a choice or a level, the middle of its cell.

        Integers with `log` and no step keep the quantile of their logarithm.
        """
        if self.choices:
            place = self.choices.index(value)
            if self.weights:
                return (self.edges[place] + self.edges[place + 1]) / 2
            return (place + 0.5) / len(self.choices)
        if self.step:
            place = self._place(float(value))
            return (self._edge(place) + self._edge(place + 1)) / 2
        return self._quantile(float(value))

    @property
    def levels(self) -> int:
        """How many values there are: choices, levels of a step, integers; 0 for any number."""
        if self.choices:
            return len(self.choices)
        return math.floor((self.high - self.low) / self._cell + 1e-9) + 1 if self._cell else 0

    def value_at(self, place: int) -> Value:
        """The value number `place`, from 0, of those that `levels` counts."""
        return self.choices[place] if self.choices else self._level(place)

    @property
    def edges(self) -> tuple[float, ...]:
        """(levels + 1,) quantiles at which one choice or level ends and the next begins.

        Levels meet halfway between two values. (0, 1) where any number may be drawn.
        """
        if self.choices:
            weights = self.weights or (1.0,) * len(self.choices)
            sums = (0.0, *itertools.accumulate(weights))
            return tuple(part / sums[-1] for part in sums)
        return tuple(self._edge(place) for place in range(max(self.levels, 1) + 1))

    @property
    def _cell(self) -> float:
        """Distance of two neighbouring values; 0 for any number."""
        return self.step or (1.0 if self.kind == "int" else 0.0)

    def _span(self) -> tuple[float, float]:
        """Ends of the prior, or their logarithms: half a cell beyond the first and last level.

        Levels are then equally likely where the prior is uniform, ends included.
        """
        half_cell = self._cell / 2
        low, high = self.low - half_cell, self.high + half_cell
        if self.step:  # the last level may lie below the end of the range
            high = self.low + (self.levels - 0.5) * self.step
        if self.log:
            # A step of more than twice the low end has a first cell that reaches down to it only.
            return math.log(low if low > 0 else self.low), math.log(high)
        return low, high

    def _quantile(self, number: float) -> float:
        low, high = self._span()
        return ((math.log(number) if self.log else number) - low) / (high - low)

    def _edge(self, place: int) -> float:
        """The quantile at which the level `place` begins; 1 for the one after the last."""
        if place in (0, max(self.levels, 1)):
            return float(place > 0)
        return self._quantile(self.low + (place - 0.5) * self._cell)

    def _place(self, number: float) -> int:
        """The number of the level nearest to `number`, from 0."""
        return min(max(math.floor((number - self.low) / self.step + 0.5), 0), self.levels - 1)

    def _level(self, place: int) -> Value:
        # Rounded to 12 digits: 0.15, as one would type it, not 0.15000000000000002.
        level = float(f"{self.low + place * self._cell:.12g}")
        return int(level) if self.kind == "int" else level

    def nearest(self, value: Value) -> Value:
        """The value of the dimension that is nearest to `value`; for another choice, the first."""
        if self.choices:
            return value if value in self.choices else self.choices[0]
        if self.log and value == 0:
            return self.nearest(self.high)  # 0 means all, and has no logarithm
        if self.step:
            return self._level(self._place(float(value)))
        number = min(max(float(value), self.low), self.high)
        return int(number) if self.kind == "int" else number

    def contains(self, value: Value) -> bool:
        """Whether `value` is one of the choices, or within the range."""
        if self.choices:
            return value in self.choices
        if not self.low <= float(value) <= self.high:
            return False
        level = (float(value) - self.low) / self.step if self.step else 0.0
        return abs(level - round(level)) < 1e-6

    def scale_to(self, near: float, far: float) -> Dimension:
        """The range of near, far or span on a scene that suggests these bounds.

        Its parts are those of the scene's depth range, of near and far from the scene's near on.
        Near is never below a fifth of the suggested one.
        """
        if not self.relative:
            return self
        start = 0.0 if self.path == "sampling.span" else near
        low, high = (start + part * (far - near) for part in self.parts)
        if self.path == "sampling.near":
            low = max(low, 0.2 * near)
        return dataclasses.replace(
            self, low=round(low, 4), high=round(high, 4), relative=False, parts=()
        )

    def __str__(self) -> str:
        if self.weights:
            weighted = zip(self.choices, self.weights, strict=True)
            return f"{self.path} in {', '.join(f'{c} ({w:.0%})' for c, w in weighted)}"
        if self.choices:
            return f"{self.path} in {', '.join(map(str, self.choices))}"
        if self.relative:
            low, high = self.parts
            start = "a fifth of its near" if low == -math.inf else f"{low:g}"
            return f"{self.path} in {start} to {high:g} of each scene's depth range"
        if self.low == self.high:  # of another tool, whose range may be a single value
            return f"{self.path} = {self.low:g}"
        steps = f" in steps of {self.step:g}" if self.step else ""
        return f"{self.path} in {Domain(self.low, self.high, self.log, self.unit)}{steps}"

    def to_json(self) -> dict[str, Any]:
        """Its fields; those that few studies use only where they are used."""
        fields = dataclasses.asdict(self)
        # JSON has null, but no infinity.
        fields["parts"] = [None if part == -math.inf else part for part in self.parts]
        unused = [name for name in ("step", "weights", "parts", "when") if not fields[name]]
        return {name: value for name, value in fields.items() if name not in unused}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Dimension:
        """Reads what `to_json` gave."""
        lists = {name: tuple(data.get(name, ())) for name in ("choices", "weights")}
        parts = tuple(-math.inf if part is None else part for part in data.get("parts", ()))
        return Dimension(**{**data, **lists, "parts": parts})
