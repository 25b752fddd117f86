"""The metric that a study ranks its trials by, and the score that the analysis computes with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np
import pandas as pd

from analysis.stats.intervals import FloatArray
from study.trainers.objective import MEASURED_OBJECTIVES, Objective

_VALUE_DIGITS = 4
_SIZE_DIGITS = 3


@dataclass(frozen=True)
class Metric:
    """A metric's name, unit and direction.

    unit: empty if it has none, or if another tool's record does not name it
    minimize: whether lower is better
    decimals: of its numbers in texts; None for significant digits, where its scale is not known
    column: of `Study.trials`, of a study of this program
    """

    name: str
    unit: str = ""
    minimize: bool = False
    decimals: int | None = None
    column: str = ""

    @property
    def is_cost(self) -> bool:
        """Whether it is a cost, such as seconds, which says nothing about what a trial learnt."""
        return self.column in COSTS

    @property
    def title(self) -> str:
        """`PSNR (dB)`, or the name alone."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def best(self) -> str:
        """`highest` or `lowest`: which end of the metric is the good one."""
        return "lowest" if self.minimize else "highest"

    @property
    def worse(self) -> str:
        """`higher` or `lower`: the direction in which the metric gets worse."""
        return "higher" if self.minimize else "lower"

    @overload
    def values(self, scores: float) -> float: ...
    @overload
    def values(self, scores: FloatArray) -> FloatArray: ...
    @overload
    def values(self, scores: pd.Series) -> pd.Series: ...
    def values(self, scores: float | FloatArray | pd.Series) -> float | FloatArray | pd.Series:
        """The metric of these scores.

        A score is the metric itself, or its negative where lower is better: the column `score` of
        trials and curves, of which higher is always better.
        """
        return -scores if self.minimize else scores

    @overload
    def interval(self, low: float, high: float) -> tuple[float, float]: ...
    @overload
    def interval(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]: ...
    def interval(
        self, low: float | FloatArray, high: float | FloatArray
    ) -> tuple[float | FloatArray, float | FloatArray]:
        """The lower and the upper end in the metric of an interval of scores."""
        return (-high, -low) if self.minimize else (low, high)

    def with_unit(self, text: str) -> str:
        """A formatted number with the unit, if there is one: `0.23 dB`."""
        return f"{text} {self.unit}" if self.unit else text

    def format(self, score: float) -> str:
        """The metric of a score for a reader, with its unit."""
        return self.with_unit(self.format_number(self.values(score), _VALUE_DIGITS))

    def with_unit_of_difference(self, text: str) -> str:
        """As `with_unit`, but percentages differ by `points`: per cent would be relative."""
        if self.unit != "%":
            return self.with_unit(text)
        return f"{text} point{'' if text == '1' else 's'}"

    def format_size(self, size: float, low: float, high: float) -> str:
        """A positive difference of the metric with its interval: `0.23 dB [0.16, 0.43]`."""
        estimate, *ends = (self.format_number(end) for end in (size, low, high))
        return f"{self.with_unit_of_difference(estimate)} [{', '.join(ends)}]"

    def format_difference(self, estimate: float, low: float, high: float) -> str:
        """A difference of scores, as one of the metric: `+0.03 dB [-0.40, +0.50]`."""
        return self.format_change(self.values(estimate), *self.interval(low, high))

    def format_change(self, estimate: float, low: float, high: float) -> str:
        """A difference of the metric itself: `+0.03 dB [-0.40, +0.50]`."""
        estimate_text = self.with_unit_of_difference(self.format_signed(estimate))
        return f"{estimate_text} [{self.format_signed(low)}, {self.format_signed(high)}]"

    def format_signed(self, value: float) -> str:
        """A number in the metric's unit, with its sign."""
        return f"{'-' if value < 0 else '+'}{self.format_number(abs(value))}"

    def format_number(self, value: float, digits: int = _SIZE_DIGITS) -> str:
        """A number in the metric's unit: to its decimals, else to significant digits."""
        if self.decimals is not None:
            return f"{value:.{self.decimals}f}"
        if value != 0 and not 1e-5 <= abs(value) < 1e9:
            return f"{value:.{digits}g}"
        return np.format_float_positional(value, digits, fractional=False, trim="-")

    def hover(self, variable: str) -> str:
        """The part of Plotly's hover template that shows a variable as the metric."""
        spec = ".5~r" if self.decimals is None else f".{self.decimals}f"
        return self.with_unit(f"%{{{variable}:{spec}}}")


PSNR = Metric("PSNR", "dB", decimals=2, column="psnr")
"""Of studies of this program: of validation views."""

COSTS = tuple(objective.column for objective in MEASURED_OBJECTIVES)
"""Columns of trials with what they took."""


def make_metric(objective: Objective, is_nerf: bool) -> Metric:
    """The metric of a study of this program, by the name that the live view has for it."""
    decimals = {"psnr": 2, "ssim": 3}.get(objective.metric) if is_nerf else None
    return Metric(objective.label, objective.unit, objective.minimize, decimals, objective.column)
