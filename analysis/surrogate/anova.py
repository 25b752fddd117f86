"""ANOVA decomposition of functions of the Gaussian process: variances by closed form.

The functional analysis of variance of Hoeffding and Sobol' (Sobol', Mathematics and Computers in
Simulation 55, 2001):

    f = mean + sum_j f_j(x_j) + sum_{j<k} f_jk(x_j, x_k) + ...

The terms are uncorrelated, so that their variances add up to that of f. Parts of a variance are
Sobol' indices: of f_j the first-order index, of f_jk the second-order one, and of all terms that
x_j takes part in the total index. Here they are parts of the variance of *results*, whose noise
counts as well. Notation: `analysis/surrogate/__init__.py`.

For f = mu + sum_i a_i K(., z_i) with centres z_i, the term of axes S is
sum_i a_i rho^(|S|-1) prod_{j in S} v_j c_j(x_j, z_ij), and its variance is the quadratic form

    a' (rho^-2 prod_{j in S} Q_j) a,  Q_j = (rho v_j)^2 E[c_j(., z) c_j(., z')]

with products element by element. The sum over all S that hold j is Q_j prod_{k != j} (1 + Q_k).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.kernel import AxisKernel, Hyperparameters

_LEAST_OF_PAIRS = 0.005  # part of the variance of f; pairs of axes with less are not measured


@dataclass(frozen=True)
class Variances:
    """Variances of the terms of R functions of d axes.

    whole: (R,) of f; noise: (R,) of the results about f
    alone: (d, R) of f_j; total: (d, R) of all terms that x_j takes part in
    pairs: (d, d, R) of f_jk, symmetric
    """

    whole: FloatArray
    noise: FloatArray
    alone: FloatArray
    total: FloatArray
    pairs: FloatArray

    def scaled(self, factor: float) -> Variances:
        """All variances times a factor."""
        return Variances(*(factor * getattr(self, name) for name in _NAMES))

    @staticmethod
    def joined(several: Sequence[Variances]) -> Variances:
        """The functions of several sets side by side."""
        return Variances(
            *(np.concatenate([getattr(v, name) for v in several], axis=-1) for name in _NAMES)
        )

    @property
    def results(self) -> FloatArray:
        """(R,) variance of results: of f and of the noise."""
        return self.whole + self.noise

    @property
    def shares_alone(self) -> FloatArray:
        """(d, R) part of each axis alone in the variance of results."""
        return _divide(self.alone, self.results)

    @property
    def shares(self) -> FloatArray:
        """(d, R) part of each axis, alone and in interactions, in the variance of results."""
        return _divide(self.total, self.results)

    @property
    def pair_shares(self) -> FloatArray:
        """(d, d, R) part of two axes jointly in the variance of results."""
        return _divide(self.pairs, self.results)

    @property
    def interaction_shares(self) -> FloatArray:
        """(R,) part of all terms of several axes."""
        rest = 1.0 - self.unexplained - self.shares_alone.sum(axis=0)
        return np.asarray(np.maximum(rest, 0.0))

    @property
    def unexplained(self) -> FloatArray:
        """(R,) part of the noise."""
        return np.asarray(1.0 - _divide(self.whole, self.results))


_NAMES = tuple(field.name for field in fields(Variances))


def measure_variances(
    kernels: Sequence[AxisKernel],
    hyper: Hyperparameters,
    centres: FloatArray,
    weights: FloatArray,
    precision: FloatArray,
    scales: FloatArray,
    with_pairs: bool = True,
) -> Variances:
    """Variances of R draws f = mu + K(., centres) weights from the process.

    The centres determine a draw up to a rest that varies between them. Its expected variances are
    those of the prior less what the centres explain, and are added.

    Args:
        centres: (m, d) points; weights: (m, R).
        precision: (m, m) inverse of K at the centres.
        scales: (R,) s2 of each draw.
        with_pairs: measure pairs of axes; else they are 0.
    """
    d = len(kernels)
    strengths, rho = hyper.strengths, hyper.rho
    q = [
        strengths[j] ** 2 * kernel.inner_products(centres[:, j], hyper.log_lengths[j])
        for j, kernel in enumerate(kernels)
    ]
    # Matrices of a few MB, overwritten: allocating them takes longer than the arithmetic.
    form, scaled, products = (np.empty_like(precision) for _ in range(3))
    beyond_1 = _product_beyond_1(q, form)

    def measure(matrix: FloatArray, prior: float) -> FloatArray:
        """(R,) of the draws under a quadratic form; prior: of the process, over s2."""
        np.divide(matrix, rho**2, out=scaled)
        drawn = np.einsum("ir,ir->r", weights, scaled @ weights)
        rest = prior - float(np.sum(np.multiply(precision, scaled, out=products)))
        return np.asarray(drawn + max(rest, 0.0) * scales)

    everything = float(np.prod(1.0 + strengths))
    alone = [measure(q[j], hyper.variances[j]) for j in range(d)]
    whole = measure(beyond_1, hyper.prior_variance)
    all_factors = np.add(beyond_1, 1.0, out=beyond_1)  # prod_j (1 + q_j)
    total = []
    for j in range(d):
        np.add(q[j], 1.0, out=form)
        np.divide(q[j], form, out=form)
        form *= all_factors
        prior = hyper.variances[j] * everything / (1.0 + strengths[j])
        total.append(measure(form, prior))
    pairs = np.zeros((d, d, len(scales)))
    # A pair cannot have more than either axis in all: pairs of axes without effect stay 0.
    active = [j for j in range(d) if total[j].mean() > _LEAST_OF_PAIRS * whole.mean()]
    for j in active if with_pairs else ():
        for k in active[: active.index(j)]:
            prior = hyper.variances[j] * strengths[k]
            pairs[j, k] = pairs[k, j] = measure(np.multiply(q[j], q[k], out=form), prior)
    return Variances(whole, hyper.noise * scales, np.array(alone), np.array(total), pairs)


def _product_beyond_1(q: Sequence[FloatArray], scratch: FloatArray) -> FloatArray:
    """prod_j (1 + q_j) - 1; overwrites `scratch`, a matrix like each q_j."""
    # An axis at a time: with a small rho the q_j are as well, and a difference from 1 at the end
    # would lose their digits.
    beyond_1 = np.zeros_like(scratch)
    for q_j in q:
        np.add(beyond_1, 1.0, out=scratch)
        scratch *= q_j
        beyond_1 += scratch
    return beyond_1


def _divide(parts: FloatArray, whole: FloatArray) -> FloatArray:
    """Parts of the variance of results; 0 where that is 0."""
    return np.divide(parts, whole, out=np.zeros_like(parts), where=whole > 0)
