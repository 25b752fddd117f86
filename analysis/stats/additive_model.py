"""An additive model of a result in several factors, by least squares.

    y = m + sum_j b_j[level of factor j] + noise

X      (n, 1 + levels of all factors) indicators, the first column for m
b      their coefficients; many fit equally well, contrasts of levels do not depend on which
s2     residual sum of squares over its degrees of freedom, n - rank X
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.stats.rates import BinIndices

_MIN_FREEDOM = 5  # residual degrees of freedom below which the noise is unknown
_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Contrast:
    """One level minus another, all else equal.

    variance: of its error; freedom: degrees of freedom that it was estimated with
    """

    estimate: float
    variance: float
    freedom: int

    @property
    def sign(self) -> int:
        """Which way it goes; 0 if its 95 % interval, by Student's t, holds 0."""
        from scipy.stats import t

        half = float(t.ppf(0.975, self.freedom)) * self.variance**0.5
        return 0 if abs(self.estimate) <= half else 1 if self.estimate > 0 else -1


@dataclass(frozen=True)
class AdditiveModel:
    """A fitted model; starts: the column of the first level of each factor.

    gram, inverse: X'X and its pseudo-inverse; noise_variance: s2; freedom: n - rank X
    """

    coefficients: FloatArray
    gram: FloatArray
    inverse: FloatArray
    noise_variance: float
    freedom: int
    starts: tuple[int, ...]

    def contrast(self, factor: int, level: int, reference: int) -> Contrast | None:
        """The level minus the reference; None where other factors' effects may explain it."""
        c = np.zeros(len(self.coefficients))
        c[self.starts[factor] + level] += 1.0
        c[self.starts[factor] + reference] -= 1.0
        # Estimable if c lies in the row space of X, onto which (X'X)^+ X'X projects.
        if np.abs(self.inverse @ self.gram @ c - c).max() > _TOLERANCE:
            return None
        variance = float(self.noise_variance * (c @ self.inverse @ c))
        return Contrast(float(c @ self.coefficients), variance, self.freedom)


def fit_additive_model(
    levels: Sequence[BinIndices], counts: Sequence[int], results: FloatArray
) -> AdditiveModel | None:
    """Fits the model; None where too few runs are left to estimate the noise from.

    levels: for each factor, (n,) the level of each run; counts: how many levels each has
    """
    n = len(results)
    if n == 0:
        return None
    blocks = [np.eye(count)[of_runs] for of_runs, count in zip(levels, counts, strict=True)]
    x = np.column_stack([np.ones(n), *blocks])
    freedom = n - int(np.linalg.matrix_rank(x))
    if freedom < _MIN_FREEDOM:
        return None
    gram = x.T @ x
    inverse = np.linalg.pinv(gram, hermitian=True)
    coefficients = inverse @ (x.T @ results)
    residuals = results - x @ coefficients
    starts = tuple(1 + sum(counts[:j]) for j in range(len(counts)))
    noise_variance = float(residuals @ residuals) / freedom
    return AdditiveModel(coefficients, gram, inverse, noise_variance, freedom, starts)
