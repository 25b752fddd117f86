"""What stands in for training: models over the unit cube, chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.base import SurrogateFamily, TrainingData, Surrogate
from analysis.surrogate.forest import ForestFamily
from analysis.surrogate.gaussian_process import GaussianProcess, fit_gaussian_process
from analysis.surrogate.log_posterior import draw_starts


@dataclass(frozen=True)
class GaussianProcessFamily:
    """Gaussian processes of single axes and pairs: smooth objectives, few trials."""

    name: str = "Gaussian process"

    def fit(
        self, sample: TrainingData, rng: np.random.Generator, like: Surrogate | None = None,
        quick: bool = False,
    ) -> Surrogate:  # fmt: skip
        if isinstance(like, GaussianProcess):
            begin = [like.logs]
        else:
            begin = draw_starts(len(sample.axes), 1 if quick else 4, rng)
        return fit_gaussian_process(sample.axes, sample.units, sample.targets, rng, begin)


FAMILIES: tuple[SurrogateFamily, ...] = (GaussianProcessFamily(), ForestFamily())

# Trees blur what a process takes apart exactly: their shares are worse at equal R2.
_HANDICAP = {"forest": 0.05}


@dataclass(frozen=True)
class SelectedSurrogate:
    """The family that predicts left-out trials best, fitted to all, and how well each one does.

    residuals: (trials,) what it gets wrong about each trial when that trial is left out
    """

    family: SurrogateFamily
    surrogate: Surrogate
    r2: Mapping[str, float]
    residuals: FloatArray

    @property
    def best_r2(self) -> float:
        return self.r2[self.family.name]


def select_surrogate(sample: TrainingData, rng: np.random.Generator) -> SelectedSurrogate:
    """The family of highest cross-validated R2: 1 is perfect, 0 no better than the mean.

    Each trial is predicted once, by a surrogate that did not see it; 10 folds below 64 trials,
    5 from there on. Needs two different targets.
    """
    units, targets = sample.units, sample.targets
    n = len(targets)
    folds = np.array_split(rng.permutation(n), min(n, 10 if n < 64 else 5))
    fitted = {family.name: family.fit(sample, rng) for family in FAMILIES}
    r2, residuals = {}, {}
    for family in FAMILIES:
        predicted = np.empty(n)
        for fold in folds:
            kept = np.setdiff1d(np.arange(n), fold)
            model = family.fit(sample.subset(kept), rng, fitted[family.name])
            predicted[fold] = model.predict(units[fold])[:, 0]
        residuals[family.name] = targets - predicted
        r2[family.name] = 1.0 - float(np.mean((targets - predicted) ** 2) / targets.var())
    best = max(FAMILIES, key=lambda family: r2[family.name] - _HANDICAP.get(family.name, 0.0))
    return SelectedSurrogate(best, fitted[best.name], r2, residuals[best.name])
