"""One parameter of a W&B sweep.yaml as a `--vary` or `--set`, with W&B's meaning."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nerf.common.errors import InputError
from nerf.config.parameters import Parameter
from study.spec.parse_space import format_value, parse_dimension
from study.spec.wandb_distributions import ANY_NUMBER, Place, read_distribution
from study.trainers.parameter_set import SEED, ParameterSet

_OF_EXPONENTS = ("log_uniform", "inv_log_uniform")
_EXPONENTS = "min and max of {0} are exponents of e; {0}_values takes values"


@dataclass
class SweepParameters:
    """The parameters of a sweep as options of a study, and notes on how they were read."""

    vary: list[str] = field(default_factory=list)
    set: list[str] = field(default_factory=list)
    own: dict[str, int] = field(default_factory=dict)
    """Options by name, such as `steps`."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SweepEntry:
    """One entry of a sweep's parameters; `read` adds it to the result."""

    place: Place
    declared: Parameter
    content: Mapping[str, Any]
    grid: bool
    parameters: ParameterSet
    """All those of the trainer."""
    result: SweepParameters

    @property
    def path(self) -> str:
        return self.declared.path

    @property
    def _own_option(self) -> tuple[str, int] | None:
        """The option of a study that W&B lists among the parameters, and its minimum."""
        own = {self.parameters.steps_path: ("steps", 1), SEED: ("seed", 0)}
        return own.get(self.path)

    def read(self) -> None:
        """Adds the entry to the result."""
        distribution = read_distribution(self.place, self.content)
        if distribution == "constant":
            self._set(self.content["value"])
        elif distribution.startswith("categorical"):
            self._read_values()
        else:
            self._read_range(distribution)

    def _note(self, message: str) -> None:
        self.result.notes.append(f"parameters.{self.path}: {message}")

    def _set(self, value: Any) -> None:
        """Adds a parameter that has one value."""
        text = self._value_text(value)
        if self._own_option:
            option, least = self._own_option
            if int(text) < least:
                raise self.place.error(f"must be at least {least}, got {text}")
            self.result.own[option] = int(text)
        else:
            self.result.set.append(f"{self.path}={text}")

    def _vary(self, values: str, hint: str = "") -> None:
        text = f"{self.path}={values}"
        try:
            parse_dimension(text, self.parameters)
        except InputError as error:
            raise self.place.error(f"{error}{hint}") from None
        self.result.vary.append(text)

    def _value_text(self, value: Any) -> str:
        text = _format_number(value) if _is_number(value) else format_value(value)
        if text in ("nan", "inf", "-inf"):
            raise self.place.error(f"must be finite, got {text}")
        try:
            self.declared.parse(text)
        except InputError as error:
            raise self.place.error(str(error)) from None
        return text

    def _read_values(self) -> None:
        values = self.content["values"]
        if not isinstance(values, list) or not values:
            message = f"must be a list like [32, 64], got {format_value(values)}"
            raise self.place.error(message, "values")
        texts = [self._value_text(value) for value in values]
        if "probabilities" in self.content:
            weights = self._probabilities(len(values))
            texts = [f"{text}*{weight}" for text, weight in zip(texts, weights, strict=True)]
        if len(values) == 1:
            self._set(values[0])
        else:
            self._vary(",".join(texts))

    def _probabilities(self, count: int) -> list[str]:
        weights = self.content["probabilities"]
        if self.grid:
            message = "a grid runs every value equally often; remove them, or use method: random"
            raise self.place.error(message, "probabilities")
        if not isinstance(weights, list) or not all(map(_is_number, weights)):
            message = f"must be a list of numbers, got {weights!r}"
            raise self.place.error(message, "probabilities")
        if len(weights) != count:
            message = f"must be as many as the {count} values, got {len(weights)}"
            raise self.place.error(message, "probabilities")
        if min(map(float, weights)) <= 0:
            message = "must be above 0; leave out values of probability 0"
            raise self.place.error(message, "probabilities")
        return [str(float(weight)) for weight in weights]

    def _read_range(self, distribution: str) -> None:
        """Adds a range, with the scale and step of its distribution."""
        low, high = self._number("min"), self._number("max")
        self._check_kind(distribution)
        if not low < high:
            raise self.place.error(f"must be less than max, got {low:g} and {high:g}", "min")
        step = 0.0
        if distribution in _OF_EXPONENTS:
            low, high = self._exponentiated(distribution, low, high)
        elif distribution == "int_uniform":
            step = self._step_of_whole_numbers(low, high)
        elif distribution.startswith("q_"):
            step, high = self._quantised(low, high)
        if low == high:
            self._set(low)
            return
        texts = [_format_number(low), _format_number(high)]
        log = "log_" in distribution
        domain = self.declared.domain
        if domain and domain.log != log:
            texts.append("log" if log else "linear")
        if step and not (self.declared.kind == "int" and step == 1):
            texts.append(f"step={_format_number(step)}")
        hint = f"; {_EXPONENTS.format(distribution)}" if distribution in _OF_EXPONENTS else ""
        if hint and domain and (low < domain.low or high > domain.high):
            raise self.place.error(f"{':'.join(texts)} leaves its range {domain}{hint}")
        self._vary(":".join(texts), hint)

    def _check_kind(self, distribution: str) -> None:
        """Raises `InputError` if a grid, or the parameter, cannot take such values."""
        if self.grid and distribution not in ("int_uniform", "q_uniform"):
            message = f"a grid needs listed values, which {distribution} does not give; list them"
            raise self.place.error(message, "distribution")
        if self.declared.kind == "int" and distribution in ANY_NUMBER:
            use = "q_log_uniform_values with q: 1" if "log_" in distribution else "int_uniform"
            raise self.place.error(
                f"takes whole numbers, which {distribution} does not give; use {use}"
            )

    def _step_of_whole_numbers(self, low: float, high: float) -> float:
        for key, end in (("min", low), ("max", high)):
            if not end.is_integer():
                message = f"int_uniform needs whole numbers, got {end:g}; use uniform"
                raise self.place.error(message, key)
        if self.declared.kind != "int":
            self._note(
                "whole numbers only, as in W&B where min and max have no decimal point; for any "
                "number write distribution: uniform"
            )
        return 1.0

    def _number(self, key: str) -> float:
        value = self.content[key]
        if not _is_number(value) or not math.isfinite(float(value)):
            raise self.place.error(f"must be a number, got {value!r}", key)
        return float(value)

    def _exponentiated(self, distribution: str, low: float, high: float) -> tuple[float, float]:
        """The range whose natural logarithms `low` and `high` are, up to the sign."""
        signed = (-high, -low) if distribution.startswith("inv_") else (low, high)
        if max(map(abs, signed)) > 700:  # e**700 is about the largest float
            raise self.place.error(f"too large; {_EXPONENTS.format(distribution)}", "max")
        # Rounded to 10 digits: e**-9.21034037197618 is 0.0001, not the number next to it.
        ends = tuple(float(f"{math.exp(exponent):.10g}") for exponent in signed)
        powers = (f"e**{power:g} = {end:g}" for power, end in zip(signed, ends, strict=True))
        self._note(f"from {' to '.join(powers)}; {_EXPONENTS.format(distribution)}")
        return ends[0], ends[1]

    def _quantised(self, low: float, high: float) -> tuple[float, float]:
        """Step and end of a range of multiples of `q`."""
        q = self._number("q") if "q" in self.content else 1.0
        if q <= 0:
            raise self.place.error(f"must be above 0, got {q:g}", "q")
        if self.grid:
            # W&B's grid counts from min in steps of q while below max.
            count = math.ceil((high - low) / q - 1e-9)
            self._note(f"without {high:g}, as W&B's grid ends before max")
            return q, float(f"{low + (count - 1) * q:.12g}")
        for key, end in (("min", low), ("max", high)):
            if abs(end / q - round(end / q)) > 1e-9 * max(abs(end / q), 1):
                nearest = f"{round(end / q) * q:.12g}"
                message = f"W&B draws multiples of q, which {end:g} is not; write {nearest}"
                raise self.place.error(message, key)
        self._note("here each multiple of q has a whole cell; W&B's min and max have half a cell")
        return q, high


def _is_number(value: Any) -> bool:
    """Whether it is a number, or the text of one: YAML reads 1e-5 as text."""
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return False
        return True
    return isinstance(value, int | float) and not isinstance(value, bool)


def _format_number(value: Any) -> str:
    """A number as `--vary` writes it: whole ones without a decimal point."""
    number = float(value)
    return str(int(number)) if math.isfinite(number) and number.is_integer() else repr(number)
