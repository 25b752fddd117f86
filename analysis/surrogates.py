"""What stands in for training: models over the unit cube, chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.axes import Axis, Floats, one_hot
from analysis.decomposition import Decomposition, of_samples
from analysis.gaussian_process import GaussianProcess, fit_gaussian_process
from analysis.posterior import starts

_TREES = 60
_REPLICATE_TREES = 12


class Ensemble(Protocol):
    """R functions that may each be the objective."""

    def predict(self, units: Floats) -> Floats:
        """(points, R) their values at points of the unit cube."""

    def parts(self) -> Decomposition:
        """Their decompositions under the prior."""


class Surrogate(Ensemble, Protocol):
    """The one function (R = 1) that the trials suggest."""

    def resampled(self, count: int, rng: np.random.Generator) -> Ensemble:
        """What it may be after all: a function for each of `count` bootstrap samples of trials."""


@dataclass(frozen=True)
class Sample:
    """Trials to fit: units (n, axes), their quantiles, and targets (n,)."""

    axes: Sequence[Axis]
    units: Floats
    targets: Floats

    def only(self, rows: NDArray[np.intp]) -> Sample:
        return Sample(self.axes, self.units[rows], self.targets[rows])


class Family(Protocol):
    """One kind of surrogate."""

    @property
    def name(self) -> str: ...

    def fit(
        self, sample: Sample, rng: np.random.Generator, like: Surrogate | None = None,
        quick: bool = False,
    ) -> Surrogate:  # fmt: skip
        """The surrogate of these trials: begun from one of similar trials, or quickly, if asked."""


@dataclass(frozen=True)
class ProcessFamily:
    """Gaussian processes of single axes and pairs: smooth objectives, few trials."""

    name: str = "Gaussian process"

    def fit(
        self, sample: Sample, rng: np.random.Generator, like: Surrogate | None = None,
        quick: bool = False,
    ) -> Surrogate:  # fmt: skip
        if isinstance(like, GaussianProcess):
            begin = [like.logs]
        else:
            begin = starts(len(sample.axes), 1 if quick else 4, rng)
        return fit_gaussian_process(sample.axes, sample.units, sample.targets, rng, begin)


@dataclass(frozen=True)
class Forest:
    """R fitted sets of trees; `seed` draws the samples that take them apart."""

    axes: Sequence[Axis]
    columns: Floats
    targets: Floats
    forests: tuple[Any, ...] = field(repr=False)
    seed: int

    def predict(self, units: Floats) -> Floats:
        asked = one_hot(units, self.axes).astype(np.float32)  # what trees compare in
        return np.array([_mean(forest.estimators_, asked) for forest in self.forests]).T

    def parts(self) -> Decomposition:
        return of_samples(self.predict, self.axes, np.random.default_rng(self.seed))

    def resampled(self, count: int, rng: np.random.Generator) -> Forest:
        n = len(self.targets)
        drawn = rng.integers(n, size=(count, n))
        forests = tuple(
            _trees(_REPLICATE_TREES, rng).fit(self.columns[d], self.targets[d]) for d in drawn
        )
        return Forest(self.axes, self.columns, self.targets, forests, self.seed)


@dataclass(frozen=True)
class ForestFamily:
    """Extremely randomised trees (Geurts et al. 2006): cliffs, interactions of many axes."""

    name: str = "forest"

    def fit(
        self, sample: Sample, rng: np.random.Generator, like: Surrogate | None = None,
        quick: bool = False,
    ) -> Surrogate:  # fmt: skip
        columns = one_hot(sample.units, sample.axes)
        trees = _trees(_REPLICATE_TREES if quick else _TREES, rng).fit(columns, sample.targets)
        return Forest(sample.axes, columns, sample.targets, (trees,), int(rng.integers(2**31)))


FAMILIES: tuple[Family, ...] = (ProcessFamily(), ForestFamily())

# Trees blur what a process takes apart exactly: their shares are worse at equal R2.
_HANDICAP = {"forest": 0.05}


@dataclass(frozen=True)
class Choice:
    """The family that predicts left-out trials best, fitted to all, and how well each one does.

    residuals: (trials,) what it gets wrong about each trial when that trial is left out
    """

    family: Family
    surrogate: Surrogate
    r2: Mapping[str, float]
    residuals: Floats

    @property
    def best_r2(self) -> float:
        return self.r2[self.family.name]


def choose(sample: Sample, rng: np.random.Generator) -> Choice:
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
            model = family.fit(sample.only(kept), rng, fitted[family.name])
            predicted[fold] = model.predict(units[fold])[:, 0]
        residuals[family.name] = targets - predicted
        r2[family.name] = 1.0 - float(np.mean((targets - predicted) ** 2) / targets.var())
    best = max(FAMILIES, key=lambda family: r2[family.name] - _HANDICAP.get(family.name, 0.0))
    return Choice(best, fitted[best.name], r2, residuals[best.name])


def _mean(trees: Sequence[Any], asked: NDArray[np.float32]) -> Floats:
    """What the forest's own `predict` returns, whose checks cost more than its trees do."""
    return np.asarray(sum(tree.tree_.predict(asked)[:, 0] for tree in trees) / len(trees))


def _trees(count: int, rng: np.random.Generator) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor

    return ExtraTreesRegressor(count, max_features=1.0, random_state=int(rng.integers(2**31)))
