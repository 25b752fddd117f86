"""Points chosen by hand: configurations of `--try`, which a study runs before all others.

    --try sampling.near=2,field.width=64

Parameters that a point leaves out have their defaults. A point may lie outside the ranges that
vary, as the default configuration may: it is run all the same, and no sampler learns from it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nerf.common.errors import InputError
from nerf.config.parameters import Value
from study.spec.branches import require_acting
from study.spec.parse_space import format_value
from study.spec.space import Space
from study.trainers.parameter_set import ParameterSet, get_parameter


@dataclass(frozen=True)
class TriedPoint:
    """One configuration: the defaults, changed by these `settings`."""

    settings: tuple[tuple[str, Value], ...]

    def __str__(self) -> str:
        """The text that `parse_point` reads."""
        return ",".join(f"{path}={format_value(value)}" for path, value in self.settings)

    def to_json(self) -> dict[str, Value]:
        """Its settings, for study.json."""
        return dict(self.settings)

    @staticmethod
    def from_json(data: Mapping[str, Value]) -> TriedPoint:
        """Reads what `to_json` gave."""
        return TriedPoint(tuple(data.items()))


def parse_points(texts: Sequence[str], parameters: ParameterSet) -> tuple[TriedPoint, ...]:
    """Parses `PATH=VALUE,...` texts; raises `InputError` with the text."""
    points = tuple(_parse_point(text, parameters) for text in texts)
    for point in points:
        if points.count(point) > 1:
            raise InputError(f"--try {point} is there twice; remove one")
    return points


def _parse_point(text: str, parameters: ParameterSet) -> TriedPoint:
    settings: dict[str, Value] = {}
    for part in re.split(r",(?=[\w.]+=)", text):  # a text may contain commas
        path, equals, value = part.strip().partition("=")
        if not equals:
            raise InputError(f"--try takes PATH=VALUE,PATH=VALUE, got {text!r}")
        if path in settings:
            raise InputError(f"--try {text}: {path} is there twice; remove one")
        try:
            settings[path] = get_parameter(path, parameters).parse(value)
        except InputError as error:
            raise InputError(f"--try {text}: {error}") from None
        if isinstance(settings[path], float) and not math.isfinite(float(settings[path])):
            raise InputError(f"--try {text}: {path} must be a finite number")
    return TriedPoint(tuple(settings.items()))


def point_values(point: TriedPoint, space: Space) -> dict[str, Value]:
    """The point's value of each parameter that varies and acts there."""
    return space.with_defaults(dict(point.settings))


def check_points(points: Sequence[TriedPoint], space: Space) -> None:
    """Raises `InputError` for a point that sets what does not vary, or has no effect beside the
    rest of the point, or that the config rejects.
    """
    varied = {dimension.path for dimension in space.dimensions}
    for point in points:
        for path, _ in point.settings:
            if path not in varied:
                raise InputError(
                    f"--try {point}: {path} does not vary in this study; add --vary {path}, or fix "
                    "it for every trial by --set"
                )
        try:
            complete = space.complete(point_values(point, space))
            for path, _ in point.settings:
                require_acting(path, complete, space.parameters)
        except InputError as error:
            raise InputError(f"--try {point}: {error}") from None


def describe_outside(points: Sequence[TriedPoint], space: Space) -> list[str]:
    """A line on each point that lies outside the space."""
    return [
        f"--try {point} lies outside what varies ({', '.join(paths)}): it will be run, and no "
        "sampler learns from it"
        for point in points
        if (paths := space.outside(point_values(point, space)))
    ]
