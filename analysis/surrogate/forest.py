"""Random forest surrogate, for objectives with steps and walls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray
from analysis.surrogate.anova import Decomposition, decompose_by_sampling
from analysis.surrogate.base import TrainingData, Surrogate
from analysis.surrogate.unit_cube import Axis, encode_one_hot

_TREES = 60


_REPLICATE_TREES = 12


@dataclass(frozen=True)
class Forest:
    """R fitted sets of trees; `seed` draws the samples that take them apart."""

    axes: Sequence[Axis]
    columns: FloatArray
    targets: FloatArray
    forests: tuple[Any, ...] = field(repr=False)
    seed: int

    def predict(self, units: FloatArray) -> FloatArray:
        asked = encode_one_hot(units, self.axes).astype(np.float32)  # what trees compare in
        return np.array([_mean(forest.estimators_, asked) for forest in self.forests]).T

    def decompose(self) -> Decomposition:
        return decompose_by_sampling(self.predict, self.axes, np.random.default_rng(self.seed))

    def resample(self, count: int, rng: np.random.Generator) -> Forest:
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
        self, sample: TrainingData, rng: np.random.Generator, like: Surrogate | None = None,
        quick: bool = False,
    ) -> Surrogate:  # fmt: skip
        columns = encode_one_hot(sample.units, sample.axes)
        trees = _trees(_REPLICATE_TREES if quick else _TREES, rng).fit(columns, sample.targets)
        return Forest(sample.axes, columns, sample.targets, (trees,), int(rng.integers(2**31)))


def _mean(trees: Sequence[Any], asked: NDArray[np.float32]) -> FloatArray:
    """What the forest's own `predict` returns, whose checks cost more than its trees do."""
    return np.asarray(sum(tree.tree_.predict(asked)[:, 0] for tree in trees) / len(trees))


def _trees(count: int, rng: np.random.Generator) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor

    return ExtraTreesRegressor(count, max_features=1.0, random_state=int(rng.integers(2**31)))
