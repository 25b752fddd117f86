"""Interfaces of surrogates: `SurrogateFamily.fit(TrainingData)` returns a `Surrogate`."""

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
    """R functions over the unit cube, each a candidate for the objective."""

    def predict(self, units: FloatArray) -> FloatArray:
        """(points, R) values at points of the unit cube."""

    def decompose(self) -> Decomposition:
        """ANOVA decompositions of all R functions under the prior."""


class Surrogate(Ensemble, Protocol):
    """The best estimate of the objective: one function (R = 1)."""

    def resample(self, count: int, rng: np.random.Generator) -> Ensemble:
        """`count` functions, one for each bootstrap sample of the trials."""


@dataclass(frozen=True)
class TrainingData:
    """Trials to fit: units (n, d) their quantiles, targets (n,) their results."""

    axes: Sequence[Axis]
    units: FloatArray
    targets: FloatArray

    def subset(self, rows: NDArray[np.intp]) -> TrainingData:
        """These rows only."""
        return TrainingData(self.axes, self.units[rows], self.targets[rows])


class SurrogateFamily(Protocol):
    """One kind of surrogate, such as Gaussian processes."""

    @property
    def name(self) -> str: ...

    def fit(
        self,
        data: TrainingData,
        rng: np.random.Generator,
        warm_start: Surrogate | None = None,
        quick: bool = False,
    ) -> Surrogate:
        """Fits to `data`.

        warm_start: a surrogate of similar trials to begin from; quick: a cheaper, rougher fit
        """
