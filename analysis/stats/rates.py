"""Rates of collapse: Wilson intervals, and exact tests of whether groups of trials differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray

Counts = NDArray[np.int64]
BinIndices = NDArray[np.intp]

_SAMPLED_TABLES = 9999


@dataclass(frozen=True)
class BreakRate:
    """How many trials with one value (or range of values) collapsed.

    low, high: 95 % Wilson interval of the rate
    """

    name: str
    trials: int
    collapsed: int
    rate: float
    low: float
    high: float

    @staticmethod
    def from_counts(name: str, trials: int, collapsed: int) -> BreakRate:
        """The rate with its interval; 0 in [0, 1] without trials."""
        rate = collapsed / trials if trials else 0.0
        return BreakRate(name, trials, collapsed, rate, *wilson_interval(collapsed, trials))

    @property
    def formatted(self) -> str:
        """`12% [3%, 40%]`."""
        return f"{self.rate:.0%} [{self.low:.0%}, {self.high:.0%}]"


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % score interval of a rate (Wilson 1927), by SciPy; (0, 1) without trials."""
    from scipy.stats import binomtest

    if trials == 0:
        return 0.0, 1.0
    # The p-value of this test is not used. For p = the rate itself it is 1 without enumeration, ten
    # times as fast: 40 against 400 microseconds, 400 times a report.
    test = binomtest(successes, trials, p=successes / trials)
    interval = test.proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def count_breaks(bins: BinIndices, collapsed: FloatArray, count: int) -> Counts:
    """(count, 2) trials that completed and that collapsed in each bin.

    bins: (trials,) which of `count` bins each trial lies in; collapsed: (trials,) 0 or 1
    """
    trials = np.bincount(bins, minlength=count)
    counts = np.bincount(bins, weights=collapsed, minlength=count).astype(np.int64)
    return np.column_stack([trials - counts, counts]).astype(np.int64)


def rates_from_counts(names: Sequence[str], counts: Counts) -> list[BreakRate]:
    """A rate for each name, from (names, 2) counts of completed and collapsed."""
    return [
        BreakRate.from_counts(name, int(row.sum()), int(row[1]))
        for name, row in zip(names, counts, strict=True)
    ]


def sample_fisher_p_value(tables: Sequence[Counts], rng: np.random.Generator) -> float:
    """P-value of Fisher's exact test that all groups have one rate, by Monte Carlo.

    tables: (groups, 2) completed and collapsed, one table for each stratum. The p-value is the
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
