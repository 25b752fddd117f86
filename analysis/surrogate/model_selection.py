"""Choice of the surrogate: Gaussian process or forest, by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.base import Surrogate, SurrogateFamily, TrainingData
from analysis.surrogate.forest import ForestFamily
from analysis.surrogate.gaussian_process import GaussianProcess, fit_gaussian_process
from analysis.surrogate.log_posterior import draw_starts


@dataclass(frozen=True)
class GaussianProcessFamily:
    """Gaussian processes of axes and pairs of axes: smooth objectives, few trials."""

    name: str = "Gaussian process"

    def fit(
        self,
        data: TrainingData,
        rng: np.random.Generator,
        warm_start: Surrogate | None = None,
        quick: bool = False,
    ) -> Surrogate:
        """Fits theta from one start (warm or quick) or four."""
        if isinstance(warm_start, GaussianProcess):
            starts = [warm_start.log_params]
        else:
            starts = draw_starts(len(data.axes), 1 if quick else 4, rng)
        return fit_gaussian_process(data.axes, data.units, data.targets, rng, starts)


FAMILIES: tuple[SurrogateFamily, ...] = (GaussianProcessFamily(), ForestFamily())

# R2 by which a family must beat the others. Trees smear an effect over correlated columns, which
# the process separates exactly: their shares are worse at equal R2.
_R2_HANDICAP = {"forest": 0.05}


@dataclass(frozen=True)
class SelectedSurrogate:
    """The family that predicts left-out trials best, fitted to all trials.

    r2: cross-validated R2 of each family; residuals: (n,) errors of the chosen one on each trial,
    predicted without it
    """

    family: SurrogateFamily
    surrogate: Surrogate
    r2: Mapping[str, float]
    residuals: FloatArray

    @property
    def best_r2(self) -> float:
        """Cross-validated R2 of the chosen family."""
        return self.r2[self.family.name]


def select_surrogate(data: TrainingData, rng: np.random.Generator) -> SelectedSurrogate:
    """The family of highest cross-validated R2: 1 is perfect, 0 no better than the mean.

    Each trial is predicted once, by a surrogate fitted without it: 10 folds below 64 trials, 5 from
    there on. Needs two different targets.
    """
    units, targets = data.units, data.targets
    n = len(targets)
    folds = np.array_split(rng.permutation(n), min(n, 10 if n < 64 else 5))
    fitted = {family.name: family.fit(data, rng) for family in FAMILIES}
    r2, residuals = {}, {}
    for family in FAMILIES:
        predicted = np.empty(n)
        for fold in folds:
            others = np.setdiff1d(np.arange(n), fold)
            # Theta starts from the fit to all trials: far cheaper than four starts a fold.
            model = family.fit(data.subset(others), rng, fitted[family.name])
            predicted[fold] = model.predict(units[fold])[:, 0]
        residuals[family.name] = targets - predicted
        r2[family.name] = 1.0 - float(np.mean((targets - predicted) ** 2) / targets.var())
    best = max(FAMILIES, key=lambda family: r2[family.name] - _R2_HANDICAP.get(family.name, 0.0))
    return SelectedSurrogate(best, fitted[best.name], r2, residuals[best.name])
