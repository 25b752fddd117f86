"""Functions of single axes and of pairs of them, expanded in the kernel's eigenfunctions.

Symbols, for axes j of the unit cube: k_j and w as in kernel.py, phi_j(x) features with
k_j(x, y) = phi_j(x) . phi_j(y), from the eigenvectors of k_j on the axis's grid under the prior
(Chapter 4.3 of Rasmussen and Williams, 2006). A function is then

    f(x) = mean + sum_j u_j . phi_j(x) + sqrt(w) sum_{k<j} phi_j(x) . U_jk phi_k(x)

and one drawn from the process where all u and U are independent standard normals. Its parts in
the sense of Hoeffding and Sobol' follow in closed form from the features' means and covariances.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate import kernel
from analysis.surrogate.anova import Decomposition
from analysis.surrogate.unit_cube import Axis

_CELLS = 48
_NEGLECTED = 1e-6  # of a kernel's variance, by the features left out


@dataclass(frozen=True)
class AxisFeatures:
    """The features phi_j of one axis.

    logs: log-parameters of k_j alone; grid, chances: (cells,) of the axis; values: (cells, m) the
    features there; means: (m,), covariances: (m, m) theirs under the prior
    """

    axis: Axis
    logs: FloatArray
    grid: FloatArray
    chances: FloatArray
    values: FloatArray
    means: FloatArray
    covariances: FloatArray
    _to_features: FloatArray

    @staticmethod
    def of(axis: Axis, logs: FloatArray) -> AxisFeatures:
        grid, chances = axis.grid(_CELLS)
        roots = np.sqrt(chances)[:, None]
        gaps = kernel.squared_distances(grid[:, None], grid[:, None], [axis])
        sizes, vectors = np.linalg.eigh(roots * kernel.axis_kernels(logs, gaps)[0] * roots.T)
        kept = np.cumsum(np.maximum(sizes, 0.0)) > _NEGLECTED * sizes.sum()
        sizes, vectors = sizes[kept], vectors[:, kept]
        values = vectors * np.sqrt(sizes) / roots
        means = chances @ values
        covariances = np.diag(sizes) - np.outer(means, means)
        return AxisFeatures(
            axis, logs, grid, chances, values, means, covariances,
            roots * vectors / np.sqrt(sizes),
        )  # fmt: skip

    def at(self, places: FloatArray) -> FloatArray:
        """(points, m) at quantiles (points,) of the axis."""
        gaps = kernel.squared_distances(places[:, None], self.grid[:, None], [self.axis])
        return np.asarray(kernel.axis_kernels(self.logs, gaps)[0] @ self._to_features)


def make_features(logs: FloatArray, axes: Sequence[Axis]) -> tuple[AxisFeatures, ...]:
    """Each axis's features under a kernel with these log-parameters."""
    return tuple(AxisFeatures.of(axis, logs[[j, len(axes) + j, -1]]) for j, axis in enumerate(axes))


@dataclass(frozen=True)
class Expansion:
    """R functions at once: their means (R,), u_j (m_j, R), and sqrt(w) U_jk (m_j m_k, R)."""

    features: Sequence[AxisFeatures]
    means: FloatArray
    alone: Sequence[FloatArray]
    pairs: Sequence[FloatArray]  # in the order of `_pairs`

    @staticmethod
    def from_kernel_weights(
        features: Sequence[AxisFeatures],
        logs: FloatArray,
        units: FloatArray,
        weights: FloatArray,
        means: FloatArray,
    ) -> Expansion:
        """means + sum_i weights_i K(x, units_i); units (n, axes), weights (n, R), means (R,)."""
        pair_weight = kernel.pair_weight(logs, len(features))
        at = [f.at(units[:, j]) for j, f in enumerate(features)]
        pairs = [pair_weight * _products(at[j], at[k]).T @ weights for j, k in _pairs(len(at))]
        return Expansion(features, means, [phi.T @ weights for phi in at], pairs)

    @staticmethod
    def draw_prior(
        features: Sequence[AxisFeatures],
        logs: FloatArray,
        scale: float,
        count: int,
        rng: np.random.Generator,
    ) -> Expansion:
        """`count` functions drawn from the process about 0 of covariances scale^2 K."""
        sizes = [len(f.means) for f in features]
        alone = [scale * rng.normal(size=(m, count)) for m in sizes]
        weight = scale * kernel.pair_weight(logs, len(features)) ** 0.5
        pairs = [
            weight * rng.normal(size=(sizes[j] * sizes[k], count)) for j, k in _pairs(len(sizes))
        ]
        return Expansion(features, np.zeros(count), alone, pairs)

    def __add__(self, other: Expansion) -> Expansion:
        return Expansion(
            self.features,
            self.means + other.means,
            [a + b for a, b in zip(self.alone, other.alone, strict=True)],
            [a + b for a, b in zip(self.pairs, other.pairs, strict=True)],
        )

    def predict(self, units: FloatArray) -> FloatArray:
        """(points, R) their values at points of the unit cube."""
        at = [f.at(units[:, j]) for j, f in enumerate(self.features)]
        values = np.repeat(self.means[None], len(units), axis=0)
        for phi, u in zip(at, self.alone, strict=True):
            values += phi @ u
        for (j, k), u in zip(_pairs(len(at)), self.pairs, strict=True):
            values += _products(at[j], at[k]) @ u
        return values

    def decompose(self) -> Decomposition:
        """Their decompositions under the prior."""
        all_features, d = self.features, len(self.features)
        mean = self.means + sum(f.means @ u for f, u in zip(all_features, self.alone, strict=True))
        main = list(self.alone)
        pairs = np.zeros((d, d, len(self.means)))
        for (j, k), flat in zip(_pairs(d), self.pairs, strict=True):
            f, g = all_features[j], all_features[k]
            u = flat.reshape(len(f.means), len(g.means), -1)
            by_first, by_second = np.tensordot(g.means, u, (0, 1)), np.tensordot(f.means, u, (0, 0))
            main[j], main[k] = main[j] + by_first, main[k] + by_second
            mean = mean + f.means @ by_first
            spread = np.tensordot(f.covariances, u, (1, 0))
            spread = np.einsum("abr,bc->acr", spread, g.covariances)
            pairs[j, k] = pairs[k, j] = np.maximum((u * spread).sum(axis=(0, 1)), 0.0)
        curves = [(f.values - f.means) @ u for f, u in zip(all_features, main, strict=True)]
        alone = np.array([f.chances @ c**2 for f, c in zip(all_features, curves, strict=True)])
        variance = alone.sum(axis=0) + 0.5 * pairs.sum(axis=(0, 1))
        grids = tuple(f.grid for f in all_features)
        return Decomposition(
            mean, variance, alone, alone + pairs.sum(axis=1), pairs, grids, tuple(curves)
        )


@dataclass(frozen=True)
class Mixture:
    """Functions of several expansions side by side."""

    expansions: Sequence[Expansion]

    def predict(self, units: FloatArray) -> FloatArray:
        """(points, R) their values at points of the unit cube."""
        return np.concatenate([e.predict(units) for e in self.expansions], axis=1)

    def decompose(self) -> Decomposition:
        """Their decompositions under the prior."""
        return Decomposition.joined([e.decompose() for e in self.expansions])


def _pairs(axes: int) -> list[tuple[int, int]]:
    return list(itertools.combinations(range(axes), 2))


def _products(first: FloatArray, second: FloatArray) -> FloatArray:
    """(points, m m') each feature of one axis times each of another."""
    return (first[:, :, None] * second[:, None, :]).reshape(len(first), -1)
