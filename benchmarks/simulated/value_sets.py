"""Values as a claim states them: `PATH=LOW:HIGH` or `PATH=A,B`, as sets of quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulated.objective import FloatArray
from study.spec.parse_space import format_value
from study.spec.space import Dimension

Mask = NDArray[np.bool_]

_ROUNDING = 1e-6
"""Quantiles by which the end of a range may be off without leaving out a value there."""


@dataclass(frozen=True)
class ValueSet:
    """The values of one parameter that a claim is about; all values for a bare path."""

    path: str
    text: str

    @staticmethod
    def parse(parameter: str) -> ValueSet:
        path, _, text = parameter.partition("=")
        return ValueSet(path, text)

    def select(self, dimension: Dimension, quantiles: FloatArray) -> Mask:
        """(n,) which quantiles belong to the set; at least one does where the set lies in range.

        A number that is no quantile's own selects the nearest one.
        """
        if not self.text:
            return np.ones(len(quantiles), dtype=bool)
        if ":" in self.text:
            low, high = (dimension.to_unit(float(end)) for end in self.text.split(":"))
            within: Mask = (quantiles >= low - _ROUNDING) & (quantiles <= high + _ROUNDING)
            return within if within.any() else _nearest(quantiles, (low + high) / 2.0)
        masks = [_nearest(quantiles, u) for u in self._units(dimension)]
        return np.asarray(np.any(masks, axis=0), dtype=bool)

    def only_value(self, dimension: Dimension) -> float:
        """The quantile of the one value that the text names."""
        (unit,) = self._units(dimension)
        return unit

    def _units(self, dimension: Dimension) -> list[float]:
        texts = self.text.split(",")
        if dimension.choices:
            places = {format_value(choice): i for i, choice in enumerate(dimension.choices)}
            count = len(dimension.choices)
            return [(places[format_value(_plain(text))] + 0.5) / count for text in texts]
        return [dimension.to_unit(float(text)) for text in texts]


def _plain(text: str) -> str:
    """`True` and `False` as `--vary` spells them."""
    return text.lower() if text in ("True", "False") else text


def _nearest(quantiles: FloatArray, unit: float) -> Mask:
    distances = np.abs(quantiles - unit)
    return np.asarray(distances <= distances.min() + _ROUNDING, dtype=bool)
