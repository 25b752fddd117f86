"""PED-ANOVA: which parameters decide whether a trial is among the best.

That is another question than variance: a parameter can decide whether training collapses and yet
not which of the good configurations is best. For each parameter, the values of the best tenth of
trials are compared with the prior by their Pearson divergence

    D = E_prior[(p_top(x) / p_prior(x) - 1)^2]

(Watanabe et al. 2023, arXiv:2304.10255), here with a null line from shuffled trials and intervals
from a bootstrap. Under shuffles D is positive by chance; a share counts what exceeds its mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.blocks import split_resamples
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.surrogate.unit_cube import Axis

MIN_TRIALS_FOR_PED_ANOVA = 64
"""Trials below which the best tenth is too small to estimate a density from."""

_MIN_TOP = 4
_BOOTSTRAPS = 200
_SHUFFLES = 400
_CELLS = 32
_NO_DIFFERENCE = "the best {top} trials differ from the rest no more than a random {top} would."


@dataclass(frozen=True)
class PedAnovaShare:
    """How far the best trials' values of one parameter depart from the prior.

    share: of the divergence of all parameters in excess of chance, in [0, 1]
    low, high: 95 % interval
    null: the null line, below which the largest share of all parameters stays in 95 % of shuffles
    """

    path: str
    label: str
    share: float
    low: float
    high: float
    null: float

    @property
    def significant(self) -> bool:
        """Whether the share lies above the null line and its interval above 0."""
        return self.share > self.null and self.low > 0.0


@dataclass(frozen=True)
class PedAnova:
    """Which parameters decide whether a trial is among the best; highest share first.

    top_count: how many trials count as the best; refusal: why nothing is ranked, empty if it is
    """

    shares: tuple[PedAnovaShare, ...]
    trials: int
    top_count: int
    refusal: str

    @property
    def ranked(self) -> bool:
        """Whether the shares may be relied on."""
        return not self.refusal

    @property
    def significant_shares(self) -> tuple[PedAnovaShare, ...]:
        """The parameters above the null line; none if nothing is ranked."""
        return tuple(s for s in self.shares if s.significant) if self.ranked else ()


def estimate_ped_anova(
    units: FloatArray,
    targets: FloatArray,
    axes: Sequence[Axis],
    rng: np.random.Generator,
    fraction: float = 0.1,
) -> PedAnova:
    """Each parameter's share of what sets the best trials apart from the prior.

    Args:
        units: (trials, axes) quantiles of each trial's values under the prior, in [0, 1].
        targets: (trials,) results, higher is better; trials that are not finite are left out.
        axes: the parameters, in the order of the columns of `units`.
        rng: draws bootstrap samples and shuffles; the same state gives the same result.
        fraction: of the trials that counts as the best; at least 4 of them do.

    Returns:
        A share with its interval for each parameter, or a `refusal`.

    Example:
        >>> best = estimate_ped_anova(units, psnr, axes, np.random.default_rng(0))
        >>> [(s.path, s.share, s.low, s.high) for s in best.significant_shares]
    """
    finite = np.isfinite(targets)
    units, targets = units[finite], targets[finite]
    n = len(targets)
    top = max(_MIN_TOP, round(fraction * n))
    if n < MIN_TRIALS_FOR_PED_ANOVA or not axes:
        too_few = (
            f"{n} comparable trials are too few to look at their best tenth; "
            f"{MIN_TRIALS_FOR_PED_ANOVA} are needed."
        )
        return PedAnova((), n, top, too_few)
    if np.ptp(targets) <= 1e-9 * max(1.0, float(np.abs(targets).max())):
        return PedAnova((), n, top, f"all {n} comparable trials ended with the same result.")
    shares = _estimate_shares(units, targets, axes, top, rng)
    refusal = "" if any(s.significant for s in shares) else _NO_DIFFERENCE.format(top=top)
    return PedAnova(tuple(shares), n, top, refusal)


def refuse_ped_anova(trials: int, limitation: str) -> PedAnova:
    """The refusal for trials that may not stand for the prior.

    limitation: why they may not, see `Design.limitation`

    An optimiser's best trials are late ones, and by then parameters without any effect have moved
    as well.
    """
    top = max(_MIN_TOP, round(0.1 * trials))
    return PedAnova(
        (),
        trials,
        top,
        f"{limitation}, so that the best {top} may differ from the prior only as all trials do.",
    )


def _estimate_shares(
    units: FloatArray,
    targets: FloatArray,
    axes: Sequence[Axis],
    top: int,
    rng: np.random.Generator,
) -> list[PedAnovaShare]:
    n = len(targets)
    once = np.ones((n, 1))
    densities = [_estimate_density(units[:, j], axis) for j, axis in enumerate(axes)]
    divergence = _divergences(densities, _count_best(targets, once, top))[:, 0]
    blocks = []
    for count in split_resamples(_BOOTSTRAPS, n):
        # (n, count) how often each bootstrap sample holds each trial.
        repeats = rng.multinomial(n, np.full(n, 1.0 / n), size=count).T.astype(float)
        blocks.append(_divergences(densities, _count_best(targets, repeats, top)))
    bootstrapped = np.concatenate(blocks, axis=1)
    blocks = []
    for count in split_resamples(_SHUFFLES, n):
        # Shuffled results choose a best tenth at random: what divergence arises by chance.
        shuffled = [_count_best(rng.permutation(targets), once, top)[:, 0] for _ in range(count)]
        blocks.append(_divergences(densities, np.array(shuffled).T))
    by_chance = np.concatenate(blocks, axis=1)
    mean, deviation = by_chance.mean(axis=1), np.maximum(by_chance.std(axis=1), 1e-12)
    # One line for all parameters, in standard deviations: the largest of them in each shuffle.
    z = ((by_chance - mean[:, None]) / deviation[:, None]).max(axis=0)
    z_limit = np.quantile(z, 0.95)
    excess = np.maximum(divergence - mean, 0.0)
    total = max(float(excess.sum()), 1e-12)
    # Repeated trials in a bootstrap sample add divergence of their own: subtract that bias.
    bias = (bootstrapped.mean(axis=1) - divergence)[:, None]
    excesses = np.maximum(bootstrapped - bias - mean[:, None], 0.0)
    resampled_shares = excesses / np.maximum(excesses.sum(axis=0), 1e-12)
    low, high = np.quantile(resampled_shares, INTERVAL_QUANTILES, axis=1)
    shares = [
        PedAnovaShare(
            axis.path,
            axis.label,
            share=float(excess[j] / total),
            low=float(min(low[j], excess[j] / total)),
            high=float(max(high[j], excess[j] / total)),
            null=min(1.0, float(z_limit * deviation[j] / total)),
        )
        for j, axis in enumerate(axes)
    ]
    shares.sort(key=lambda share: share.share, reverse=True)
    return shares


def _count_best(targets: FloatArray, repeats: FloatArray, top: int) -> FloatArray:
    """(n, R) how often each trial is among the best `top` of each of R bootstrap samples.

    repeats: (n, R) how often each sample holds each trial
    """
    order = np.argsort(-targets, kind="stable")
    counts = repeats[order]
    # Places taken by better trials; the last trial within the top may have some of its repeats in.
    before = np.cumsum(counts, axis=0) - counts
    best = np.empty_like(counts)
    best[order] = np.clip(top - before, 0.0, counts)
    return best


def _estimate_density(places: FloatArray, axis: Axis) -> tuple[FloatArray, FloatArray]:
    """Kernel density of each trial on the axis.

    Returns (cells, n) densities relative to the prior, and (cells,) prior probabilities. A trial on
    an unordered axis is its level; on an ordered one it is a Gaussian, reflected at both ends so
    that no mass leaves [0, 1].
    """
    grid, chances = axis.grid(_CELLS)
    if axis.unordered:
        return np.isclose(grid[:, None], places[None, :]) / chances[:, None], chances
    # Scott's rule for the tenth of the trials that is compared: n^(-1/5) standard deviations,
    # which are about those of the uniform prior.
    bandwidth = 0.25 * max(4.0, 0.1 * len(places)) ** -0.2
    gaps = [grid[:, None] - mirrored[None, :] for mirrored in (places, -places, 2.0 - places)]
    density = sum(np.exp(-0.5 * (gap / bandwidth) ** 2) for gap in gaps)
    # Normalise each trial to a mean of 1 under the prior.
    return np.asarray(density / (chances @ density)), chances


def _divergences(
    densities: Sequence[tuple[FloatArray, FloatArray]], counts: FloatArray
) -> FloatArray:
    """(axes, R) Pearson divergence from the prior of trials that count (n, R) times."""
    total = counts.sum(axis=0)
    return np.array(
        [chances @ ((density @ counts) / total - 1.0) ** 2 for density, chances in densities]
    )
