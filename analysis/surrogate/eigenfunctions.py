"""Functions of a Gaussian process expanded in eigenfunctions of its axis kernels.

By Mercer's theorem k_j(x, x') = sum_i lambda_i e_i(x) e_i(x') with eigenfunctions e_i under the
prior of axis j (GPML Section 4.3). The features phi_j(x) = (sqrt(lambda_i) e_i(x))_i then have
k_j(x, x') = phi_j(x) . phi_j(x'). Eigenvectors on a grid, carried to any x by Nyström's formula
(GPML Eq. 4.44), approximate them. Each function of the process is

    f(x) = mean + sum_j u_j . phi_j(x) + sum_{j<k} phi_j(x) . U_jk phi_k(x)

and a draw from the prior if u_j and U_jk / sqrt(w) hold independent standard normals. Its ANOVA
decomposition needs only the features' means and covariances. Notation:
`analysis/surrogate/__init__.py`.
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
_NEGLECTED_VARIANCE = 1e-6  # of a kernel's variance, by the features left out


@dataclass(frozen=True)
class AxisFeatures:
    """The features phi_j of one axis.

    log_params: of k_j alone; grid, chances: (cells,) quantiles of the axis and their prior
    probabilities; values: (cells, m) the features there; means: (m,) and covariances: (m, m) of
    the features under the prior
    """

    axis: Axis
    log_params: FloatArray
    grid: FloatArray
    chances: FloatArray
    values: FloatArray
    means: FloatArray
    covariances: FloatArray
    _nystroem: FloatArray  # (cells, m): phi_j(x) = k_j(x, grid) @ _nystroem

    @staticmethod
    def of(axis: Axis, log_params: FloatArray) -> AxisFeatures:
        """The features that carry all but a millionth of the kernel's variance."""
        grid, chances = axis.grid(_CELLS)
        roots = np.sqrt(chances)[:, None]  # W^1/2, with W = diag(chances)
        distances = kernel.squared_distances(grid[:, None], grid[:, None], [axis])
        # Eigenvalues of the integral operator: those of the symmetric W^1/2 k_j W^1/2, ascending.
        eigenvalues, vectors = np.linalg.eigh(
            roots * kernel.axis_kernels(log_params, distances)[0] * roots.T
        )
        # Drop the smallest ones while their sum is negligible.
        kept = np.cumsum(np.maximum(eigenvalues, 0.0)) > _NEGLECTED_VARIANCE * eigenvalues.sum()
        eigenvalues, vectors = eigenvalues[kept], vectors[:, kept]
        # Undo W^1/2, so that e_i has a mean square of 1 under the prior, and scale by sqrt(lambda).
        values = vectors * np.sqrt(eigenvalues) / roots
        means = chances @ values
        # E[phi phi'] = diag(lambda), since eigenfunctions are orthonormal under the prior.
        covariances = np.diag(eigenvalues) - np.outer(means, means)
        nystroem = roots * vectors / np.sqrt(eigenvalues)
        return AxisFeatures(axis, log_params, grid, chances, values, means, covariances, nystroem)

    def at(self, places: FloatArray) -> FloatArray:
        """(points, m) the features at quantiles (points,) of the axis, by Nyström's formula."""
        distances = kernel.squared_distances(places[:, None], self.grid[:, None], [self.axis])
        return np.asarray(kernel.axis_kernels(self.log_params, distances)[0] @ self._nystroem)


def make_features(log_params: FloatArray, axes: Sequence[Axis]) -> tuple[AxisFeatures, ...]:
    """Features of each axis, under its own log l_j and log v_j (and log w, which has no effect)."""
    return tuple(
        AxisFeatures.of(axis, log_params[[j, len(axes) + j, -1]]) for j, axis in enumerate(axes)
    )


@dataclass(frozen=True)
class Expansion:
    """R functions at once, by their coefficients.

    means: (R,); single: for each axis (m_j, R) u_j; pairs: for each pair of axes, in the order of
    `_axis_pairs`, (m_j m_k, R) U_jk by rows
    """

    features: Sequence[AxisFeatures]
    means: FloatArray
    single: Sequence[FloatArray]
    pairs: Sequence[FloatArray]

    @staticmethod
    def from_kernel_weights(
        features: Sequence[AxisFeatures],
        log_params: FloatArray,
        units: FloatArray,
        alpha: FloatArray,
        means: FloatArray,
    ) -> Expansion:
        """means + sum_i alpha_i K(., x_i), for units x (n, d), alpha (n, R), means (R,).

        With K by features, u_j = sum_i alpha_i phi_j(x_i), and U_jk likewise of their products.
        """
        w = kernel.pair_weight(log_params, len(features))
        phi = [f.at(units[:, j]) for j, f in enumerate(features)]
        pairs = [w * _products(phi[j], phi[k]).T @ alpha for j, k in _axis_pairs(len(phi))]
        return Expansion(features, means, [p.T @ alpha for p in phi], pairs)

    @staticmethod
    def draw_prior(
        features: Sequence[AxisFeatures],
        log_params: FloatArray,
        scale: float,
        count: int,
        rng: np.random.Generator,
    ) -> Expansion:
        """`count` draws from the process of mean 0 and covariance scale^2 K."""
        sizes = [len(f.means) for f in features]
        single = [scale * rng.normal(size=(m, count)) for m in sizes]
        root = scale * kernel.pair_weight(log_params, len(features)) ** 0.5
        pairs = [
            root * rng.normal(size=(sizes[j] * sizes[k], count)) for j, k in _axis_pairs(len(sizes))
        ]
        return Expansion(features, np.zeros(count), single, pairs)

    def __add__(self, other: Expansion) -> Expansion:
        return Expansion(
            self.features,
            self.means + other.means,
            [a + b for a, b in zip(self.single, other.single, strict=True)],
            [a + b for a, b in zip(self.pairs, other.pairs, strict=True)],
        )

    def predict(self, units: FloatArray) -> FloatArray:
        """(points, R) values at points of the unit cube."""
        phi = [f.at(units[:, j]) for j, f in enumerate(self.features)]
        values = np.repeat(self.means[None], len(units), axis=0)
        for p, u in zip(phi, self.single, strict=True):
            values += p @ u
        for (j, k), u in zip(_axis_pairs(len(phi)), self.pairs, strict=True):
            values += _products(phi[j], phi[k]) @ u
        return values

    def decompose(self) -> Decomposition:
        """ANOVA decomposition under the prior, in closed form.

        With phi = E[phi] + psi, a pair phi_j' U phi_k splits into a constant, a term linear in
        psi_j (it belongs to f_j), one linear in psi_k, and psi_j' U psi_k, which is f_jk.
        """
        features, d = self.features, len(self.features)
        mean = self.means + sum(f.means @ u for f, u in zip(features, self.single, strict=True))
        main = list(self.single)  # coefficients of f_j
        pair_variance = np.zeros((d, d, len(self.means)))
        for (j, k), flat in zip(_axis_pairs(d), self.pairs, strict=True):
            f, g = features[j], features[k]
            u = flat.reshape(len(f.means), len(g.means), -1)  # (m_j, m_k, R) U_jk
            # U E[phi_k] and U' E[phi_j]: what the pair adds to each axis alone.
            by_first, by_second = np.tensordot(g.means, u, (0, 1)), np.tensordot(f.means, u, (0, 0))
            main[j], main[k] = main[j] + by_first, main[k] + by_second
            mean = mean + f.means @ by_first
            # Var(psi_j' U psi_k) = sum of U * (Cov_j U Cov_k): the axes are independent.
            weighted = np.tensordot(f.covariances, u, (1, 0))
            weighted = np.einsum("abr,bc->acr", weighted, g.covariances)
            pair_variance[j, k] = pair_variance[k, j] = np.maximum(
                (u * weighted).sum(axis=(0, 1)), 0.0
            )
        effects = [(f.values - f.means) @ u for f, u in zip(features, main, strict=True)]
        main_variance = np.array([f.chances @ e**2 for f, e in zip(features, effects, strict=True)])
        # The terms are uncorrelated: variances add up. Half, since each pair stands there twice.
        variance = main_variance.sum(axis=0) + 0.5 * pair_variance.sum(axis=(0, 1))
        return Decomposition(
            mean,
            variance,
            main_variance,
            main_variance + pair_variance.sum(axis=1),
            pair_variance,
            tuple(f.grid for f in features),
            tuple(effects),
        )


@dataclass(frozen=True)
class JoinedExpansions:
    """The functions of several expansions, side by side along the axis R."""

    expansions: Sequence[Expansion]

    def predict(self, units: FloatArray) -> FloatArray:
        """(points, R) values at points of the unit cube."""
        return np.concatenate([e.predict(units) for e in self.expansions], axis=1)

    def decompose(self) -> Decomposition:
        """ANOVA decompositions under the prior."""
        return Decomposition.joined([e.decompose() for e in self.expansions])


def _axis_pairs(axes: int) -> list[tuple[int, int]]:
    return list(itertools.combinations(range(axes), 2))


def _products(first: FloatArray, second: FloatArray) -> FloatArray:
    """(points, m m') each feature of one axis times each of another."""
    return (first[:, :, None] * second[:, None, :]).reshape(len(first), -1)
