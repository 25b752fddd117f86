"""Conditional test: which parameters have an effect given all others, however trials were chosen.

In an optimiser's trials all parameters drift together: one without any effect has other values in
good trials, because it moved while others improved. So both the result and the parameter are
regressed on the other parameters, and the test is whether what is left of them is correlated: the
generalised covariance measure (Shah and Peters 2020, arXiv:1804.07203),

    T = sum_i e_i r_i / sqrt(sum_i (e_i r_i)^2)

with e_i the residual of the result from its regression on the other parameters, by the Gaussian
process, and r_i that of a function of the parameter, by kernel ridge regression on the others and
the trial number. Under the null hypothesis T is symmetric about 0 if either regression is good.
Each trial is left out of the fits that its residuals are from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.stats.p_values import format_p_value
from analysis.stats.rates import adjust_holm
from analysis.surrogate.gaussian_process import TrainingData, find_mode
from analysis.surrogate.kernel import AxisKernel, Hyperparameters, covariance
from analysis.surrogate.log_posterior import JITTER
from analysis.surrogate.unit_cube import Axis

MIN_TRIALS_FOR_CONDITIONAL_TEST = 32
"""With fewer trials, regressions on all other parameters say little."""

MAX_P = 0.01
"""Corrected p-value below which a parameter has an effect.

An optimiser seldom returns to values that were unlucky once, so later trials do not average chance
effects out; and where parameters are closely related, neither regression is perfect. In 300
histories and correlated designs on the tuned half of the objectives of
benchmarks/foreign_designs.py, a limit of 0.05 named a parameter without effect in 27, 0.01 in 6."""

_MAX_TRIALS = 400  # the time of both regressions grows with n^3
_SIGNS = 4999
_RIDGES = tuple(10.0 ** np.arange(-4.0, 2.0))
_LENGTH = 0.4  # of the kernel of the ridge regression, in quantiles


@dataclass(frozen=True)
class ConditionalTest:
    """One parameter against the result, given all others.

    p_value: corrected for the number of parameters tested
    """

    path: str
    label: str
    p_value: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below `MAX_P`."""
        return self.p_value < MAX_P

    @property
    def description(self) -> str:
        """`learning rate (p = 0.002)`."""
        return f"{self.label} ({format_p_value(self.p_value)})"


def run_conditional_tests(
    units: FloatArray, targets: FloatArray, axes: Sequence[Axis], rng: np.random.Generator
) -> tuple[ConditionalTest, ...]:
    """Tests each parameter against the result, given the other parameters.

    Args:
        units: (trials, axes) quantiles of each trial's values under the prior, in [0, 1], in the
            order in which the trials were started.
        targets: (trials,) finite results.
        axes: the parameters, in the order of the columns of `units`.
        rng: draws signs; the same state gives the same result.

    Returns:
        A test for each parameter, lowest p-value first; none for fewer trials than
        `MIN_TRIALS_FOR_CONDITIONAL_TEST` or than four a parameter, or for equal results.

    Example:
        >>> tests = run_conditional_tests(units, scores, axes, np.random.default_rng(0))
        >>> [test.label for test in tests if test.significant]
    """
    rows = np.unique(np.linspace(0, len(targets) - 1, _MAX_TRIALS).round().astype(int))
    number = rows / max(len(targets), 1)
    units, targets = units[rows], targets[rows]
    n = len(targets)
    if n < max(MIN_TRIALS_FOR_CONDITIONAL_TEST, 4 * len(axes)) or np.ptp(targets) == 0:
        return ()
    result = _ResultResiduals(units, targets, axes)
    kernels = [_smooth(axis, units[:, j]) for j, axis in enumerate(axes)]
    number_kernel = _smooth(Axis("", ""), number)
    p_values = []
    for j, axis in enumerate(axes):
        others = [kernel for k, kernel in enumerate(kernels) if k != j]
        columns = _ridge_residuals(_shapes(axis, units[:, j]), [*others, number_kernel])
        p_values.append(_test(result.without(j), columns, rng))
    tests = [
        ConditionalTest(axis.path, axis.label, p)
        for axis, p in zip(axes, adjust_holm(p_values), strict=True)
    ]
    return tuple(sorted(tests, key=lambda test: test.p_value))


class _ResultResiduals:
    """Residuals of the result from Gaussian processes without one of the axes.

    Theta is fitted once, with all axes: if an axis has no effect, leaving it out would not change
    the others' theta.
    """

    def __init__(self, units: FloatArray, targets: FloatArray, axes: Sequence[Axis]) -> None:
        folds = np.zeros(len(targets), dtype=np.intp)
        mode = find_mode(TrainingData(axes, units, targets, folds), "5/2")
        self._kernels: list[AxisKernel] = list(mode.posterior.kernels)
        self._units, self._theta = units, mode.theta
        self._targets = (targets - targets.mean()) / targets.std()

    def without(self, j: int) -> FloatArray:
        """(trials,) residual from the process of the others: alpha_i / (C^-1)_ii (GPML 5.12)."""
        d, n = len(self._kernels), len(self._targets)
        whole = Hyperparameters.of(self._theta)
        kernels = [kernel for k, kernel in enumerate(self._kernels) if k != j]
        hyper = Hyperparameters.of(np.delete(self._theta, [j, d + j]))
        units = np.delete(self._units, j, axis=1)
        c = covariance(kernels, hyper, units, units)
        c[np.diag_indices(n)] += whole.noise + JITTER
        inverse = np.linalg.inv(c)
        sums = inverse.sum(axis=1)
        alpha = inverse @ self._targets - sums * (sums @ self._targets) / sums.sum()
        # With mu estimated, the projected inverse stands in for C^-1.
        return np.asarray(alpha / (np.diag(inverse) - sums**2 / sums.sum()))


def _shapes(axis: Axis, places: FloatArray) -> FloatArray:
    """(trials, columns) shapes that an effect may have: a line and a parabola, or an indicator of
    each unordered level.
    """
    if axis.unordered:
        return np.asarray(np.isclose(places[:, None], axis.centres), dtype=float)
    return np.asarray(np.column_stack([places, (places - 0.5) ** 2]), dtype=float)


def _smooth(axis: Axis, places: FloatArray) -> FloatArray:
    """(trials, trials) kernel of one parameter, for a smooth function of it."""
    gaps = np.abs(places[:, None] - places[None, :])
    if axis.unordered:
        return (gaps < 1e-9).astype(float)
    return np.asarray(np.exp(-0.5 * (gaps / _LENGTH) ** 2))


def _ridge_residuals(columns: FloatArray, kernels: Sequence[FloatArray]) -> FloatArray:
    """(trials, columns) leave-one-out residuals of kernel ridge regression.

    The kernel is that of sums and of products of two parameters; each column has the ridge of its
    least leave-one-out error.
    """
    n = len(columns)
    additive = np.mean(kernels, axis=0)
    k = additive + additive**2  # the square holds products of two parameters each
    eigenvalues, vectors = np.linalg.eigh(k)
    eigenvalues = np.maximum(eigenvalues, 0.0)
    centred = columns - columns.mean(axis=0)
    coefficients = vectors.T @ centred
    best, least = centred, np.full(columns.shape[1], np.inf)
    for ridge in _RIDGES:
        shrunk = eigenvalues / (eigenvalues + ridge)
        leverage = (vectors**2) @ shrunk + 1.0 / n
        residuals = (centred - vectors @ (shrunk[:, None] * coefficients)) / np.maximum(
            1.0 - leverage[:, None], 1e-6
        )
        losses = (residuals**2).sum(axis=0)
        best = np.where(losses < least, residuals, best)
        least = np.minimum(losses, least)
    return np.asarray(best)


def clip_below_best(targets: FloatArray, fraction: float = 0.25) -> FloatArray:
    """(trials,) ranks, tied for all but the best `fraction`: to test what sets those apart."""
    from scipy.stats import rankdata

    ranks = rankdata(targets)
    return np.asarray(np.maximum(ranks, (1.0 - fraction) * len(ranks)))


def _test(residuals: FloatArray, columns: FloatArray, rng: np.random.Generator) -> float:
    """P-value of the largest |T| of all columns, under random signs of the trials' products."""
    products = residuals[:, None] * columns
    products = products[:, np.ptp(columns, axis=0) > 1e-9]
    if not products.size:
        return 1.0
    products = products / np.sqrt((products**2).sum(axis=0))
    observed = np.abs(products.sum(axis=0)).max()
    signs = rng.integers(2, size=(_SIGNS, len(products))) * 2.0 - 1.0
    null = np.abs(signs @ products).max(axis=1)
    return float((1 + (null >= observed - 1e-9).sum()) / (1 + _SIGNS))
