"""Variance of PSNR between seeds: its size, and its share beside that of the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import match_configuration, select_finished
from analysis.importance.sobol import FittedSurrogate
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from study.spec.replicate_order import replicate_role

MIN_CONFIGURATIONS_FOR_SEEDS = 3
"""Configurations run more than once below which no spread is estimated."""


@dataclass(frozen=True)
class SeedSpread:
    """Standard deviation of PSNR in dB between seeds, pooled over repeated configurations.

    low, high: its 95 % interval, exact if PSNR is normal with one variance everywhere
    """

    configurations: int
    runs: int
    deviation: float
    low: float
    high: float

    @property
    def degrees_of_freedom(self) -> int:
        """Runs less the one mean estimated for each configuration."""
        return self.runs - self.configurations


@dataclass(frozen=True)
class VariancePart:
    """A part of the variance of PSNR over the explored trials, with its 95 % interval."""

    name: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class SeedVariance:
    """All findings on seeds.

    everywhere: spread over the whole search space; best: among repeats of the best trials
    repeated: explored configurations run again; partly_collapsed: those that collapsed with one
    seed and not with another
    parts: the variance split into single parameters, interactions and seed; empty unless shares and
    the spread everywhere are known
    """

    everywhere: SeedSpread | None
    best: SeedSpread | None
    repeated: int
    partly_collapsed: int
    parts: tuple[VariancePart, ...]

    @property
    def reference(self) -> SeedSpread | None:
        """The spread to compare a difference of single runs with."""
        return self.everywhere or self.best


def estimate_seed_variance(
    trials: pd.DataFrame,
    paths: Sequence[str],
    model: FittedSurrogate | None,
    rng: np.random.Generator,
) -> SeedVariance:
    """Spread between seeds, from replicates.

    Replicates repeat explored configurations and the best ones in turn. The first run of an
    explored one counts as well: it was repeated whatever its result. The first run of a best one
    does not: it was selected for its result, so that its luck would bias the spread. Repeats of
    variants do not count either: they are a choice of configurations, no sample of the space.

    Args:
        trials: a study's trials table; paths: its varied parameters.
        model: surrogate of the explored trials; without it the variance is not split.
        rng: draws from the sampling distributions of the variances.
    """
    phase = trials["phase"]
    # The place of each replicate among them says what it repeats.
    place = trials.loc[phase == "replicate", "number"].rank(method="first").astype(int) - 1
    explored = int((phase == "explore").sum())
    of_best = [
        i
        for i, index in place.items()
        if replicate_role(int(index), explored, len(place))[0] == "best"
    ]
    best = trials.loc[of_best]
    design = trials[phase.isin(["explore", "replicate"])].drop(index=of_best)
    everywhere = _spread(_groups(select_finished(design), paths))
    repeated = [g["state"].eq("collapsed").agg(["any", "all"]) for g in _groups(design, paths)]
    return SeedVariance(
        everywhere,
        _spread(_groups(select_finished(best), paths)),
        len(repeated),
        sum(bool(g["any"] and not g["all"]) for g in repeated),
        _split_variance(
            everywhere, select_finished(design[design["phase"] == "explore"]), model, rng
        ),
    )


def select_other_seeds(
    trials: pd.DataFrame, paths: Sequence[str], trial: pd.Series
) -> pd.DataFrame:
    """The replicates of one trial's configuration."""
    replicates = trials[trials["phase"] == "replicate"]
    return replicates[match_configuration(replicates, {path: trial[path] for path in paths})]


def _groups(trials: pd.DataFrame, paths: Sequence[str]) -> list[pd.DataFrame]:
    """The trials of each configuration and budget that was run more than once."""
    if trials.empty or not paths:
        return []
    groups = trials.groupby([*paths, "budget_steps"], observed=True)
    return [group for _, group in groups if len(group) > 1]


def _spread(groups: Sequence[pd.DataFrame]) -> SeedSpread | None:
    from scipy.stats import chi2

    if len(groups) < MIN_CONFIGURATIONS_FOR_SEEDS:
        return None
    # squares / sigma^2 is chi-squared with `freedom` degrees: its quantiles give the interval.
    squares = sum(float(((g["psnr"] - g["psnr"].mean()) ** 2).sum()) for g in groups)
    runs = sum(map(len, groups))
    freedom = runs - len(groups)
    high, low = (float(np.sqrt(squares / q)) for q in chi2.ppf(INTERVAL_QUANTILES, freedom))
    return SeedSpread(len(groups), runs, float(np.sqrt(squares / freedom)), low, high)


def _split_variance(
    spread: SeedSpread | None,
    explored: pd.DataFrame,
    model: FittedSurrogate | None,
    rng: np.random.Generator,
) -> tuple[VariancePart, ...]:
    """Shares of seed, single parameters and interactions in the variance of explored trials.

    The seed's share is its variance over that of the explored trials. The surrogate's shares split
    the remainder.
    """
    variance = float(explored["psnr"].var()) if len(explored) > 2 else 0.0
    if spread is None or model is None or variance <= 0.0:
        return ()
    single = model.decomposition.first_shares[:, 0].sum()
    single_draws = model.bootstrapped.first_shares.sum(axis=0)
    n, count = len(explored), len(single_draws)
    # Both variances are uncertain: draw each from its scaled inverse chi-squared distribution.
    freedom = spread.degrees_of_freedom
    seed_variances = spread.deviation**2 * freedom / rng.chisquare(freedom, count)
    variances = variance * (n - 1) / rng.chisquare(n - 1, count)
    seed = min(spread.deviation**2 / variance, 1.0)
    seed_draws = np.minimum(seed_variances / variances, 1.0)
    return (
        _make_part("single parameters", single * (1.0 - seed), single_draws * (1.0 - seed_draws)),
        _make_part(
            "interactions", (1.0 - single) * (1.0 - seed), (1.0 - single_draws) * (1.0 - seed_draws)
        ),
        _make_part("seed", seed, seed_draws),
    )


def _make_part(name: str, share: float, draws: FloatArray) -> VariancePart:
    low, high = (float(q) for q in np.quantile(draws, INTERVAL_QUANTILES))
    return VariancePart(name, float(share), min(low, float(share)), max(high, float(share)))
