"""Gaussian process regression: fit, posterior mean, posterior draws (GPML Chapter 2).

Notation: `analysis/surrogate/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate import kernel
from analysis.surrogate.anova import Decomposition
from analysis.surrogate.eigenfunctions import Expansion, JoinedExpansions, make_features
from analysis.surrogate.log_posterior import JITTER, NegativeLogPosterior
from analysis.surrogate.unit_cube import Axis

# Time grows with n^3: theta is fitted to at most _MAX_FOR_THETA trials, alpha to _MAX_FOR_ALPHA.
_MAX_FOR_THETA = 200
_MAX_FOR_ALPHA = 1000
_MAX_CHUNK_NUMBERS = 4_000_000  # of the distances of one chunk of predictions: 32 MB
_MAX_ITERATIONS = 40
_DRAWS_PER_THETA = 10


@dataclass(frozen=True)
class GaussianProcess:
    """A process fitted to trials; its one function (R = 1) is the posterior mean."""

    axes: Sequence[Axis]
    units: FloatArray
    targets: FloatArray
    log_params: FloatArray
    alpha: FloatArray

    @staticmethod
    def of(
        axes: Sequence[Axis], units: FloatArray, targets: FloatArray, log_params: FloatArray
    ) -> GaussianProcess:
        """The process with hyperparameters theta, conditioned on trials."""
        distances = kernel.squared_distances(units, units, axes)
        covariances = kernel.covariance(log_params[:-1], distances)
        once = np.ones(len(targets))
        alpha = _solve_alpha(covariances, log_params, targets - targets.mean(), once)
        return GaussianProcess(axes, units, targets, log_params, alpha)

    def predict(self, units: FloatArray) -> FloatArray:
        """(points, 1) posterior means ybar + k(x, X) alpha (GPML Eq. 2.25)."""
        step = max(1, _MAX_CHUNK_NUMBERS // (len(self.axes) * len(self.targets)))
        predicted = np.empty(len(units))
        for at in range(0, len(units), step):
            distances = kernel.squared_distances(units[at : at + step], self.units, self.axes)
            predicted[at : at + step] = (
                kernel.covariance(self.log_params[:-1], distances) @ self.alpha
            )
        return np.asarray((predicted + self.targets.mean())[:, None])

    def decompose(self) -> Decomposition:
        """ANOVA decomposition of the posterior mean, exact up to the features left out."""
        features = make_features(self.log_params[:-1], self.axes)
        means = self.targets.mean(keepdims=True)
        return Expansion.from_kernel_weights(
            features, self.log_params, self.units, self.alpha[:, None], means
        ).decompose()

    def resample(self, count: int, rng: np.random.Generator) -> JoinedExpansions:
        """Posterior draws, one for each of `count` bootstrap samples of the trials.

        The bootstrap carries the noise of the trials. What any trials leave open between them
        comes from the process: each draw follows Matheron's rule (arXiv:2002.09309),

            f = g + k(., X) C^-1 (y - g(X)),  g a draw from the prior

        with the bootstrap sample for X and y. So the whole varies as the posterior does where noise
        is normal. Every `_DRAWS_PER_THETA` draws share one Laplace draw of theta.
        """
        posterior = NegativeLogPosterior.of(
            self.axes, self.units[:_MAX_FOR_THETA], self.targets[:_MAX_FOR_THETA]
        )
        thetas = posterior.draw_laplace(self.log_params, -(-count // _DRAWS_PER_THETA), rng)
        shares = np.array_split(np.arange(count), len(thetas))
        return JoinedExpansions(
            [self._draw(t, len(share), rng) for t, share in zip(thetas, shares, strict=True)]
        )

    def _draw(self, log_params: FloatArray, count: int, rng: np.random.Generator) -> Expansion:
        """`count` posterior draws under one theta, each for a bootstrap sample of its own."""
        n = len(self.targets)
        distances = kernel.squared_distances(self.units, self.units, self.axes)
        covariances = kernel.covariance(log_params[:-1], distances)
        centred = self.targets - self.targets.mean()
        # The scale s2 of K under this theta: the quadratic form (y - ybar)' C^-1 (y - ybar) / n.
        quadratic_form = centred @ _solve_alpha(covariances, log_params, centred, np.ones(n))
        scale = float(np.sqrt(max(quadratic_form, 0.0) / n))
        features = make_features(log_params[:-1], self.axes)
        prior_draws = Expansion.draw_prior(features, log_params, scale, count, rng)
        residuals = self.targets[:, None] - prior_draws.predict(self.units)  # (n, R) y - g(X)
        # (n, R) how often each bootstrap sample holds each trial.
        repeats = rng.multinomial(n, np.full(n, 1.0 / n), size=count).T.astype(float)
        means = self.targets @ repeats / n  # (R,) ybar of each sample
        alphas = [
            _solve_alpha(covariances, log_params, r - mean, counts)
            for r, mean, counts in zip(residuals.T, means, repeats.T, strict=True)
        ]
        return prior_draws + Expansion.from_kernel_weights(
            features, log_params, self.units, np.column_stack(alphas), means
        )


def _solve_alpha(
    covariances: FloatArray, log_params: FloatArray, targets: FloatArray, counts: FloatArray
) -> FloatArray:
    """(n,) alpha = C^-1 targets, for targets about their mean; 0 for trials that count 0 times.

    k measurements of one point are one measurement of their mean, of a k-th of the noise variance.
    """
    sampled = np.flatnonzero(counts)
    c = covariances[np.ix_(sampled, sampled)]
    c[np.diag_indices_from(c)] += np.exp(log_params[-1]) / counts[sampled] + JITTER
    alpha = np.zeros(len(targets))
    alpha[sampled] = np.linalg.solve(c, targets[sampled])
    return alpha


def fit_gaussian_process(
    axes: Sequence[Axis],
    units: FloatArray,
    targets: FloatArray,
    rng: np.random.Generator,
    starts: Sequence[FloatArray],
) -> GaussianProcess:
    """The process at the highest maximum of p(theta | y) that L-BFGS-B reaches from `starts`."""
    from scipy.optimize import minimize

    # A random subset of the trials where they are too many; the first of them fit theta.
    for_alpha = rng.permutation(len(targets))[:_MAX_FOR_ALPHA]
    for_theta = for_alpha[:_MAX_FOR_THETA]
    objective = NegativeLogPosterior.of(axes, units[for_theta], targets[for_theta])
    bounds, options = objective.bounds(), {"maxiter": _MAX_ITERATIONS}
    maxima = [
        minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        for start in starts
    ]
    best = min(maxima, key=lambda result: float(result.fun))
    log_params = np.asarray(best.x, dtype=float)
    return GaussianProcess.of(axes, units[for_alpha], targets[for_alpha], log_params)
