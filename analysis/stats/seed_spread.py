"""Spread of PSNR between seeds where configurations differ in it.

Symbols: configuration i was run n_i times, with sample variance s_i^2 and nu_i = n_i - 1 degrees of
freedom; sigma_i is its standard deviation over all seeds.

Model: nu_i s_i^2 / sigma_i^2 is chi-squared with nu_i degrees of freedom (normal PSNR), and
log sigma_i is normal with mean mu and deviation tau over configurations. Priors: mu flat, tau
uniform on [0, 3]. One spread for all is the case tau = 0; the deviations observed in this project's
studies, 0.008 to 0.9 dB within one of them, need a tau of 0.5 to 1.

Chosen by simulation (`benchmarks/replicate_intervals.py`) over tau of 0 to 1.5, 3 to 16
configurations and 2 to 5 runs of each. A pooled variance's interval covers the typical deviation in
3 to 97 % of studies, a t interval of the bias-corrected log s_i in 90 to 97 % and this model in 93
to 100 %, also with heavy tails. With 3 configurations all honest intervals are wide: the upper end
is some 50 to 120 times the lower; with 16 it is 3 to 7 times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray

MIN_CONFIGURATIONS_FOR_SPREAD = 3
"""Configurations run more than once below which no spread is estimated."""

MIN_CONFIGURATIONS_FOR_PART = 8
"""Configurations run more than once below which no part of the variance is estimated."""

_MAX_TAU = 3.0
_STEP = 0.05
"""Of the table of log-densities that the likelihood is interpolated from."""

_SMALLEST_DEVIATION = 1e-3
"""dB; runs whose PSNRs are equal say no more than that their deviation is small."""


@dataclass(frozen=True)
class SeedSpread:
    """Standard deviation of PSNR in dB between seeds of a typical configuration.

    Half of all configurations have a smaller one: it is the median over configurations, whose
    deviations are taken to be log-normal.

    low, high: its 95 % interval; smallest, largest: observed in single configurations
    """

    configurations: int
    runs: int
    deviation: float
    low: float
    high: float
    smallest: float
    largest: float


@dataclass(frozen=True)
class SeedPart:
    """The seeds' part of the variance of PSNR over runs, in [0, 1].

    It rests on the mean variance between seeds, to which few configurations of large spread add
    most, so that its interval is wide: with 12 configurations that were run twice it spans 46 to 87
    points. Measured coverage is 95 to 100 %; but 87 to 94 % where seeds make 60 % of the variance
    and deviations differ as widely as tau = 1.5.

    low, high: 95 % interval
    """

    configurations: int
    share: float
    low: float
    high: float


def estimate_seed_spread(groups: Sequence[FloatArray]) -> SeedSpread | None:
    """The spread of a typical configuration; None for too few of them.

    groups: the PSNRs (dB) of each configuration's runs; those with one run are left out
    """
    groups = [group for group in groups if len(group) > 1]
    if len(groups) < MIN_CONFIGURATIONS_FOR_SPREAD:
        return None
    mu, _, weights = _posterior(groups)
    density = weights.sum(axis=1)
    low, middle, high = _quantiles(mu, density, (INTERVAL_QUANTILES[0], 0.5, INTERVAL_QUANTILES[1]))
    deviations = [float(group.std(ddof=1)) for group in groups]
    return SeedSpread(
        configurations=len(groups),
        runs=sum(map(len, groups)),
        deviation=float(np.exp(middle)),
        low=float(np.exp(low)),
        high=float(np.exp(high)),
        smallest=min(deviations),
        largest=max(deviations),
    )


def estimate_seed_part(groups: Sequence[FloatArray], psnr: FloatArray) -> SeedPart | None:
    """The part of the variance of `psnr` that seeds make; None for too few configurations.

    groups: the PSNRs (dB) of each configuration's runs, for a random sample of the configurations
    psnr: (runs,) one PSNR for each configuration of the whole design
    """
    groups = [group for group in groups if len(group) > 1]
    variance = float(psnr.var(ddof=1)) if len(psnr) > 2 else 0.0
    if len(groups) < MIN_CONFIGURATIONS_FOR_PART or variance <= 0.0:
        return None
    mu, tau, weights = _posterior(groups)
    # E[sigma^2] of a log-normal sigma, (mu, tau).
    log_mean = 2.0 * mu[:, None] + 2.0 * tau**2
    # The variance over the design is uncertain as well: equally likely values, chi-squared scaled.
    log_total = np.log(variance) + _log_variance_errors(len(psnr) - 1)
    log_shares = log_mean[..., None] - log_total
    # Seeds cannot make more than the whole.
    possible = np.where(log_shares <= 0.0, weights[..., None], 0.0)
    if possible.sum() == 0.0:  # the groups cannot be a sample of this design
        return None
    low, _ = map(float, np.exp(_quantiles(log_shares, possible, INTERVAL_QUANTILES)))
    # Without that limit, or no interval would ever reach the whole.
    unlimited = np.broadcast_to(weights[..., None], log_shares.shape)
    high = min(1.0, float(np.exp(_quantiles(log_shares, unlimited, INTERVAL_QUANTILES[1:])[0])))
    share = float(np.mean([group.var(ddof=1) for group in groups])) / variance
    return SeedPart(len(groups), min(max(share, low), high), low, high)


def _posterior(groups: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Grids of mu and tau, and the (mu, tau) probabilities of their cells."""
    freedom = np.array([len(group) - 1 for group in groups])
    deviations = np.array([group.std(ddof=1) for group in groups]).clip(min=_SMALLEST_DEVIATION)
    mu = np.log(deviations).mean() + np.linspace(-6.0, 6.0, 121)
    tau = np.linspace(0.0, _MAX_TAU, 31)
    log_likelihood = np.zeros((len(mu), len(tau)))
    for nu in np.unique(freedom):
        distances = np.log(deviations[freedom == nu])[:, None] - mu
        grid = np.arange(distances.min() - _STEP, distances.max() + 2 * _STEP, _STEP)
        for j, log_density in enumerate(_log_density(grid, tau, int(nu))):
            log_likelihood[:, j] += np.interp(distances, grid, log_density).sum(axis=0)
    weights = np.exp(log_likelihood - log_likelihood.max())
    return mu, tau, weights / weights.sum()


def _log_density(distances: FloatArray, tau: FloatArray, nu: int) -> FloatArray:
    """(tau, distances) log-density of log s - mu up to a constant, over all configurations."""
    # Standard normal z over configurations: log sigma = mu + tau z, weighted by z's density.
    z = np.linspace(-4.0, 4.0, 81)
    log_ratio = (distances[:, None] - tau[:, None, None] * z).clip(max=300.0)  # log s/sigma
    terms = nu * log_ratio - 0.5 * nu * np.exp(2.0 * log_ratio) - 0.5 * z**2
    largest = terms.max(axis=-1, keepdims=True)  # against underflow
    return np.asarray(np.log(np.exp(terms - largest).sum(axis=-1)) + largest[..., 0])


def _log_variance_errors(freedom: int, count: int = 21) -> FloatArray:
    """log(true variance / sample variance) at `count` equally likely quantiles, for normal data."""
    from scipy.stats import chi2

    middles = (np.arange(count) + 0.5) / count
    return np.asarray(np.log(freedom / chi2.ppf(middles, freedom)))


def _quantiles(values: FloatArray, weights: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Quantiles of weighted values, linear between them."""
    order = np.argsort(values, axis=None)
    cumulative = np.cumsum(weights.ravel()[order])
    middles = (cumulative - 0.5 * weights.ravel()[order]) / cumulative[-1]
    return np.asarray(np.interp(levels, middles, values.ravel()[order]))
