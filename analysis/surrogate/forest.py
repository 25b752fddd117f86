"""Forest of extremely randomised trees (Geurts et al. 2006), for objectives with cliffs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray
from analysis.surrogate.anova import Decomposition, decompose_by_sampling
from analysis.surrogate.base import Surrogate, TrainingData
from analysis.surrogate.unit_cube import Axis, encode_one_hot

_TREES = 60
_TREES_PER_BOOTSTRAP = 12  # fewer: a study needs a forest for each bootstrap sample


@dataclass(frozen=True)
class Forest:
    """R fitted forests.

    features: (n, columns) encoded units of the trials; seed: of the design that decomposes them
    """

    axes: Sequence[Axis]
    features: FloatArray
    targets: FloatArray
    forests: tuple[Any, ...] = field(repr=False)
    seed: int

    def predict(self, units: FloatArray) -> FloatArray:
        """(points, R) means over the trees of each forest."""
        points = encode_one_hot(units, self.axes).astype(np.float32)  # the trees' own precision
        return np.array([_predict_mean(forest.estimators_, points) for forest in self.forests]).T

    def decompose(self) -> Decomposition:
        """ANOVA decompositions under the prior, by sampling: trees have no closed form."""
        return decompose_by_sampling(self.predict, self.axes, np.random.default_rng(self.seed))

    def resample(self, count: int, rng: np.random.Generator) -> Forest:
        """`count` smaller forests, one fitted to each bootstrap sample of the trials."""
        n = len(self.targets)
        samples = rng.integers(n, size=(count, n))
        forests = tuple(
            _trees(_TREES_PER_BOOTSTRAP, rng).fit(self.features[s], self.targets[s])
            for s in samples
        )
        return Forest(self.axes, self.features, self.targets, forests, self.seed)


@dataclass(frozen=True)
class ForestFamily:
    """Extremely randomised trees: they follow cliffs and interactions of many axes."""

    name: str = "forest"

    def fit(
        self,
        data: TrainingData,
        rng: np.random.Generator,
        warm_start: Surrogate | None = None,
        quick: bool = False,
    ) -> Surrogate:
        """Fits a forest; `warm_start` changes nothing, since trees are grown from scratch."""
        features = encode_one_hot(data.units, data.axes)
        trees = _trees(_TREES_PER_BOOTSTRAP if quick else _TREES, rng).fit(features, data.targets)
        return Forest(data.axes, features, data.targets, (trees,), int(rng.integers(2**31)))


def _predict_mean(trees: Sequence[Any], points: NDArray[np.float32]) -> FloatArray:
    """The mean over trees, as the forest's own `predict`, whose input checks take longer."""
    return np.asarray(sum(tree.tree_.predict(points)[:, 0] for tree in trees) / len(trees))


def _trees(count: int, rng: np.random.Generator) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor

    return ExtraTreesRegressor(count, max_features=1.0, random_state=int(rng.integers(2**31)))
