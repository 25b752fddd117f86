"""What stands in for training: models of PSNR over the unit cube, chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from analysis.axes import Axis, Floats, features
from analysis.gaussian_process import GaussianProcess, fit_gaussian_process

_TREES = 100
_REPLICATE_TREES = 24


class Surrogate(Protocol):
    """A model fitted to trials, asked at points of the unit cube."""

    def predict(self, units: Floats) -> Floats:
        """(points,) what it expects there."""

    def replicates(self, units: Floats, count: int, rng: np.random.Generator) -> Floats:
        """(points, count): what `count` resamplings of the trials would have it expect."""


class Family(Protocol):
    """One kind of surrogate."""

    @property
    def name(self) -> str: ...

    def fit(
        self,
        units: Floats,
        targets: Floats,
        axes: Sequence[Axis],
        rng: np.random.Generator,
        quick: bool,
    ) -> Surrogate:
        """The surrogate of these trials; `quick` trades quality of the fit for time."""


@dataclass(frozen=True)
class _Process:
    axes: Sequence[Axis]
    process: GaussianProcess

    def predict(self, units: Floats) -> Floats:
        return self.process.predict(features(units, self.axes)[0])

    def replicates(self, units: Floats, count: int, rng: np.random.Generator) -> Floats:
        return self.process.replicates(features(units, self.axes)[0], count, rng)


@dataclass(frozen=True)
class ProcessFamily:
    """Gaussian processes: smooth objectives, few trials."""

    name: str = "Gaussian process"

    def fit(
        self,
        units: Floats,
        targets: Floats,
        axes: Sequence[Axis],
        rng: np.random.Generator,
        quick: bool,
    ) -> Surrogate:
        columns, owners = features(units, axes)
        starts = 1 if quick else 4
        return _Process(axes, fit_gaussian_process(columns, owners, targets, rng, starts))


@dataclass(frozen=True)
class _Forest:
    axes: Sequence[Axis]
    columns: Floats
    targets: Floats
    model: Any = field(repr=False)

    def predict(self, units: Floats) -> Floats:
        return np.asarray(self.model.predict(features(units, self.axes)[0]), dtype=float)

    def replicates(self, units: Floats, count: int, rng: np.random.Generator) -> Floats:
        asked = features(units, self.axes)[0]
        drawn = rng.integers(len(self.targets), size=(count, len(self.targets)))
        draws = [
            _trees(_REPLICATE_TREES, rng).fit(self.columns[d], self.targets[d]).predict(asked)
            for d in drawn
        ]
        return np.array(draws, dtype=float).T


@dataclass(frozen=True)
class ForestFamily:
    """Extremely randomised trees (Geurts et al. 2006): steps, cliffs, many trials."""

    name: str = "forest"

    def fit(
        self,
        units: Floats,
        targets: Floats,
        axes: Sequence[Axis],
        rng: np.random.Generator,
        quick: bool,
    ) -> Surrogate:
        columns = features(units, axes)[0]
        model = _trees(_REPLICATE_TREES if quick else _TREES, rng).fit(columns, targets)
        return _Forest(axes, columns, targets, model)


FAMILIES: tuple[Family, ...] = (ProcessFamily(), ForestFamily())


@dataclass(frozen=True)
class Choice:
    """The family that predicts left-out trials best, and how well each one does."""

    family: Family
    r2: Mapping[str, float]

    @property
    def best_r2(self) -> float:
        return self.r2[self.family.name]


def choose(
    units: Floats, targets: Floats, axes: Sequence[Axis], rng: np.random.Generator
) -> Choice:
    """The family of highest cross-validated R2: 1 is perfect, 0 no better than the mean.

    Each trial is predicted once, by a surrogate that did not see it; 10 folds below 64 trials,
    5 from there on. Needs two different targets.
    """
    n = len(targets)
    folds = np.array_split(rng.permutation(n), min(n, 10 if n < 64 else 5))
    r2 = {}
    for family in FAMILIES:
        predicted = np.empty(n)
        for fold in folds:
            kept = np.setdiff1d(np.arange(n), fold)
            quick = n >= 64
            fitted = family.fit(units[kept], targets[kept], axes, rng, quick)
            predicted[fold] = fitted.predict(units[fold])
        r2[family.name] = 1.0 - float(((targets - predicted) ** 2).sum() / (n * targets.var()))
    best = max(FAMILIES, key=lambda family: r2[family.name])
    return Choice(best, r2)


def _trees(count: int, rng: np.random.Generator) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor

    seed = int(rng.integers(2**31))
    return ExtraTreesRegressor(count, min_samples_leaf=1, max_features=1.0, random_state=seed)
