"""Rates of runs that break: exact intervals that hold together, exact tests of differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import SIGNIFICANCE_LEVEL, FloatArray

Counts = NDArray[np.int64]
BinIndices = NDArray[np.intp]

_SAMPLED_TABLES = 9999


@dataclass(frozen=True)
class BreakRate:
    """How many runs with one value (or range of values) broke: collapsed or show nothing.

    rate: (collapsed + shows_nothing) / trials
    low, high: its Clopper-Pearson interval at `confidence`, which is above 95 % where the rate is
    one of several: then all their intervals hold at once in 95 % of studies, so that the worst and
    the safest may be picked after looking
    """

    name: str
    trials: int
    collapsed: int
    shows_nothing: int
    rate: float
    low: float
    high: float
    confidence: float

    @staticmethod
    def from_counts(
        name: str, trials: int, collapsed: int, shows_nothing: int = 0, confidence: float = 0.95
    ) -> BreakRate:
        """The rate with its interval; 0 in [0, 1] without trials."""
        broken = collapsed + shows_nothing
        rate = broken / trials if trials else 0.0
        low, high = clopper_pearson_interval(broken, trials, confidence)
        return BreakRate(name, trials, collapsed, shows_nothing, rate, low, high, confidence)

    @property
    def broken(self) -> int:
        """How many runs collapsed or show nothing."""
        return self.collapsed + self.shows_nothing

    @property
    def formatted(self) -> str:
        """The rate of breaking: `12% [3%, 40%]`."""
        return f"{self.rate:.0%} [{self.low:.0%}, {self.high:.0%}]"


def clopper_pearson_interval(
    successes: int, trials: int, confidence: float = 0.95
) -> tuple[float, float]:
    """The exact interval of a rate (Clopper and Pearson 1934); (0, 1) without trials.

    It covers the true rate at least as often as `confidence` says, for every rate and every number
    of trials. Wilson's score interval, which is narrower, does so on average only: of 10
    trials at 95 % it covers a rate of 1.7 % in 84 % of samples.
    """
    from scipy.special import betaincinv

    tail = (1.0 - confidence) / 2.0
    # Each end is the rate at which so many successes, or so few, have probability `tail`.
    low = betaincinv(successes, trials - successes + 1, tail) if successes else 0.0
    high = betaincinv(successes + 1, trials - successes, 1.0 - tail) if successes < trials else 1.0
    return float(low), float(high)


def bonferroni_confidence(statements: int) -> float:
    """Confidence of each of several intervals that all hold at once in 95 % of studies."""
    return 1.0 - SIGNIFICANCE_LEVEL / max(statements, 1)


def count_breaks(
    bins: BinIndices, collapsed: FloatArray, nothing: FloatArray, count: int
) -> Counts:
    """(count, 3) trials that trained, collapsed and show nothing in each bin.

    bins: (trials,) which of `count` bins each trial lies in; collapsed, nothing: (trials,) 0 or 1
    """
    trials = np.bincount(bins, minlength=count)
    broken = [np.bincount(bins, weights=w, minlength=count) for w in (collapsed, nothing)]
    return np.column_stack([trials - sum(broken), *broken]).astype(np.int64)


def rates_from_counts(
    names: Sequence[str], counts: Counts, confidence: float = 0.95
) -> list[BreakRate]:
    """A rate for each name, from (names, 3) counts of trained, collapsed and showing nothing."""
    return [
        BreakRate.from_counts(name, int(row.sum()), int(row[1]), int(row[2]), confidence)
        for name, row in zip(names, counts, strict=True)
    ]


def sample_fisher_p_value(tables: Sequence[Counts], rng: np.random.Generator) -> float:
    """P-value of Fisher's exact test that all groups have one rate, by Monte Carlo.

    tables: (groups, 2) trained and broken, one table for each stratum. The p-value is the
    share of tables with the same margins that are no likelier than the observed one, which counts
    as well.
    """
    from scipy.special import gammaln

    def log_probability(collapsed: Counts, totals: Counts) -> FloatArray:
        # Multivariate hypergeometric: a product of binomials C(total, collapsed), of which the
        # factors total! are the same for all tables with these margins.
        terms = gammaln(collapsed + 1.0) + gammaln(totals - collapsed + 1.0)
        return np.asarray(-np.sum(terms, axis=-1), dtype=float)

    observed, sampled = 0.0, np.zeros(_SAMPLED_TABLES)
    for table in tables:
        totals, collapses = table.sum(axis=1), int(table[:, 1].sum())
        samples = rng.multivariate_hypergeometric(totals, collapses, size=_SAMPLED_TABLES)
        # Strata are independent: log-probabilities add up.
        observed += float(log_probability(table[:, 1], totals))
        sampled += log_probability(samples, totals)
    return (1 + int((sampled <= observed + 1e-9).sum())) / (1 + _SAMPLED_TABLES)


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number by Holm's step-down method (Holm 1979).

    SciPy has no Holm correction (`false_discovery_control` controls another error rate).
    """
    order = np.argsort(p_values)
    corrected = np.empty(len(p_values))
    largest = 0.0
    for rank, j in enumerate(order):
        # The smallest of m p-values times m, the next times m - 1, ...; never falling, at most 1.
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[j]))
        corrected[j] = largest
    return [float(p) for p in corrected]
