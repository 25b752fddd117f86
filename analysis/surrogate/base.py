"""What every surrogate family implements, and the sample that it is fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray
from analysis.surrogate.anova import Decomposition
from analysis.surrogate.unit_cube import Axis


class Ensemble(Protocol):
    """R functions that may each be the objective."""

    def predict(self, units: FloatArray) -> FloatArray:
        """(points, R) their values at points of the unit cube."""

    def decompose(self) -> Decomposition:
        """Their decompositions under the prior."""


class Surrogate(Ensemble, Protocol):
    """The one function (R = 1) that the trials suggest."""

    def resample(self, count: int, rng: np.random.Generator) -> Ensemble:
        """What it may be after all: a function for each of `count` bootstrap samples of trials."""


@dataclass(frozen=True)
class TrainingData:
    """Trials to fit: units (n, axes), their quantiles, and targets (n,)."""

    axes: Sequence[Axis]
    units: FloatArray
    targets: FloatArray

    def subset(self, rows: NDArray[np.intp]) -> TrainingData:
        return TrainingData(self.axes, self.units[rows], self.targets[rows])


class SurrogateFamily(Protocol):
    """One kind of surrogate."""

    @property
    def name(self) -> str: ...

    def fit(
        self, sample: TrainingData, rng: np.random.Generator, like: Surrogate | None = None,
        quick: bool = False,
    ) -> Surrogate:  # fmt: skip
        """The surrogate of these trials: begun from one of similar trials, or quickly, if asked."""
