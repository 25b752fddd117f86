"""The metric that a study ranks its trials by, and the score that the analysis computes with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np

from analysis.stats.intervals import FloatArray


@dataclass(frozen=True)
class Metric:
    """A metric's name, unit and direction.

    unit: empty if it has none, or if another tool's record does not name it
    minimize: whether lower is better
    """

    name: str
    unit: str = ""
    minimize: bool = False

    @property
    def title(self) -> str:
        """`PSNR (dB)`, or the name alone."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def best(self) -> str:
        """`highest` or `lowest`: which end of the metric is the good one."""
        return "lowest" if self.minimize else "highest"

    @overload
    def values(self, scores: float) -> float: ...
    @overload
    def values(self, scores: FloatArray) -> FloatArray: ...
    def values(self, scores: float | FloatArray) -> float | FloatArray:
        """The metric of these scores.

        A score is the metric itself, or its negative where lower is better: the column `score` of
        trials and curves, of which higher is always better.
        """
        return -scores if self.minimize else scores

    def with_unit(self, text: str) -> str:
        """A formatted number with the unit, if there is one: `0.23 dB`."""
        return f"{text} {self.unit}" if self.unit else text

    def format(self, score: float, digits: int = 4) -> str:
        """The metric of a score for a reader, to significant digits."""
        return self.with_unit(np.format_float_positional(
            self.values(score), precision=digits, fractional=False, trim="-"
        ))  # fmt: skip


PSNR = Metric("PSNR", "dB")
"""Of studies of this program: of validation views."""
