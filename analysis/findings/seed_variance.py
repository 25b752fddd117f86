"""What the seed alone does: between runs of one configuration, and beside what parameters do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import select_finished, match_configuration
from analysis.importance.sobol import FittedSurrogate
from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from study.search.sobol_design import repeats_explored

MIN_CONFIGURATIONS_FOR_SEEDS = 3
"""Configurations run more than once below which nothing is said about seeds."""


@dataclass(frozen=True)
class SeedSpread:
    """Standard deviation of PSNR in dB between seeds, pooled over configurations run repeatedly.

    low, high: its 95 % interval, exact where the spread is normal and alike everywhere
    """

    configurations: int
    runs: int
    deviation: float
    low: float
    high: float

    @property
    def degrees_of_freedom(self) -> int:
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
    """What is known of seeds; `everywhere` over the whole space, `best` among the best trials.

    repeated: explored configurations run again; torn: those that collapsed with one seed and not
    with another. parts: the variance split into single parameters, interactions and seed; empty
    where shares or the spread everywhere are not known.
    """

    everywhere: SeedSpread | None
    best: SeedSpread | None
    repeated: int
    partly_collapsed: int
    parts: tuple[VariancePart, ...]

    @property
    def reference(self) -> SeedSpread | None:
        """What a difference of single runs is to be held against."""
        return self.everywhere or self.best


def estimate_seed_variance(
    trials: pd.DataFrame, paths: Sequence[str], model: FittedSurrogate | None, rng: np.random.Generator
) -> SeedVariance:
    """What the replicates say.

    Of the explored configurations the first run counts as well: it was repeated whatever became
    of it. A run that was repeated because it was among the best was lucky, and does not count.
    """
    phase = trials["phase"]
    place = trials.loc[phase == "replicate", "number"].rank(method="first").astype(int) - 1
    explored = int((phase == "explore").sum())
    of_best = [i for i, index in place.items() if not repeats_explored(int(index), explored)]
    best = trials.loc[of_best]
    design = trials[phase != "optimize"].drop(index=of_best)
    everywhere = _spread(_groups(select_finished(design), paths))
    torn = [g["state"].eq("collapsed").agg(["any", "all"]) for g in _groups(design, paths)]
    return SeedVariance(
        everywhere,
        _spread(_groups(select_finished(best), paths)),
        len(torn),
        sum(bool(t["any"] and not t["all"]) for t in torn),
        _parts(everywhere, select_finished(design[design["phase"] == "explore"]), model, rng),
    )


def select_other_seeds(trials: pd.DataFrame, paths: Sequence[str], trial: pd.Series) -> pd.DataFrame:
    """The replicates of one trial's configuration."""
    again = trials[trials["phase"] == "replicate"]
    return again[match_configuration(again, {path: trial[path] for path in paths})]


def _groups(trials: pd.DataFrame, paths: Sequence[str]) -> list[pd.DataFrame]:
    if trials.empty or not paths:
        return []
    groups = trials.groupby([*paths, "budget_steps"], observed=True)
    return [group for _, group in groups if len(group) > 1]


def _spread(groups: Sequence[pd.DataFrame]) -> SeedSpread | None:
    from scipy.stats import chi2

    if len(groups) < MIN_CONFIGURATIONS_FOR_SEEDS:
        return None
    squares = sum(float(((g["psnr"] - g["psnr"].mean()) ** 2).sum()) for g in groups)
    runs = sum(map(len, groups))
    freedom = runs - len(groups)
    high, low = (float(np.sqrt(squares / q)) for q in chi2.ppf(INTERVAL_QUANTILES, freedom))
    return SeedSpread(len(groups), runs, float(np.sqrt(squares / freedom)), low, high)


def _parts(
    spread: SeedSpread | None,
    explored: pd.DataFrame,
    model: FittedSurrogate | None,
    rng: np.random.Generator,
) -> tuple[VariancePart, ...]:
    """The seed's share is its variance over that of explored trials; the surrogate has the rest."""
    whole = float(explored["psnr"].var()) if len(explored) > 2 else 0.0
    if spread is None or model is None or whole <= 0.0:
        return ()
    alone = model.decomposition.first_shares[:, 0].sum()
    again = model.bootstrapped.first_shares.sum(axis=0)
    n = len(explored)
    likely = spread.deviation**2 * spread.degrees_of_freedom / rng.chisquare(spread.degrees_of_freedom, len(again))
    around = whole * (n - 1) / rng.chisquare(n - 1, len(again))
    seed, drawn = min(spread.deviation**2 / whole, 1.0), np.minimum(likely / around, 1.0)
    return (
        _part("single parameters", alone * (1.0 - seed), again * (1.0 - drawn)),
        _part("interactions", (1.0 - alone) * (1.0 - seed), (1.0 - again) * (1.0 - drawn)),
        _part("seed", seed, drawn),
    )


def _part(name: str, share: float, drawn: FloatArray) -> VariancePart:
    low, high = (float(q) for q in np.quantile(drawn, INTERVAL_QUANTILES))
    return VariancePart(name, float(share), min(low, float(share)), max(high, float(share)))
