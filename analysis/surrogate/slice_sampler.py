"""Elliptical slice sampling: draws from a normal prior times any likelihood.

Murray, Adams and MacKay 2010 (arXiv:1001.0175). It has no step size to tune.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analysis.stats.intervals import FloatArray

_SMALLEST_BRACKET = 1e-6


def sample_posterior(
    log_likelihood: Callable[[FloatArray], float],
    mean: FloatArray,
    spread: FloatArray,
    start: FloatArray,
    count: int,
    thinning: int,
    rng: np.random.Generator,
) -> FloatArray:
    """(count, parameters) draws of a chain from `start`, every `thinning`-th of them.

    mean, spread: (parameters,) of the normal prior
    """
    offset, current = start - mean, log_likelihood(start)
    draws = np.empty((count, len(start)))
    for i in range(count * thinning):
        offset, current = _step(log_likelihood, mean, spread, offset, current, rng)
        if i % thinning == thinning - 1:
            draws[i // thinning] = mean + offset
    return draws


def _step(
    log_likelihood: Callable[[FloatArray], float],
    mean: FloatArray,
    spread: FloatArray,
    offset: FloatArray,
    current: float,
    rng: np.random.Generator,
) -> tuple[FloatArray, float]:
    """One step of the chain: the next offset from the mean and its log-likelihood."""
    other = rng.normal(size=len(mean)) * spread  # with `offset` it spans an ellipse of the prior
    threshold = current + np.log(rng.random())  # log of the height of the slice
    angle = rng.random() * 2.0 * np.pi
    low, high = angle - 2.0 * np.pi, angle
    while True:
        proposed = offset * np.cos(angle) + other * np.sin(angle)
        value = log_likelihood(mean + proposed)
        if value > threshold:
            return proposed, value
        if high - low < _SMALLEST_BRACKET:
            return offset, current
        # Shrink the bracket of angles to the side of the current point, at angle 0.
        if angle < 0.0:
            low = angle
        else:
            high = angle
        angle = low + (high - low) * rng.random()
