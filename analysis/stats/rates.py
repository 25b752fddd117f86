"""Rates of an event: their intervals, and exact tests of whether groups differ."""

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
class CollapseRate:
    """How often trials with one value, or within one range of values, collapsed: 95 % Wilson."""

    name: str
    trials: int
    collapsed: int
    rate: float
    low: float
    high: float

    @staticmethod
    def from_counts(name: str, trials: int, collapsed: int) -> CollapseRate:
        rate = collapsed / trials if trials else 0.0
        return CollapseRate(name, trials, collapsed, rate, *wilson_interval(collapsed, trials))

    @property
    def formatted(self) -> str:
        return f"{self.rate:.0%} [{self.low:.0%}, {self.high:.0%}]"


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % score interval of a rate (Wilson 1927); (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    rate, shrink = successes / trials, 1.0 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / shrink
    half = z / shrink * np.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def count_collapses(cells: BinIndices, dead: FloatArray, count: int) -> Counts:
    """(count, 2) how many trials in each cell live and died."""
    trials = np.bincount(cells, minlength=count)
    lost = np.bincount(cells, weights=dead, minlength=count).astype(np.int64)
    return np.column_stack([trials - lost, lost]).astype(np.int64)


def rates_from_counts(names: Sequence[str], counts: Counts) -> list[CollapseRate]:
    """A rate for each name, from (names, 2) counts of alive and dead."""
    return [CollapseRate.from_counts(n, int(row.sum()), int(row[1])) for n, row in zip(names, counts, strict=True)]


def sample_fisher_p_value(tables: Sequence[Counts], rng: np.random.Generator) -> float:
    """Fisher's exact test of (groups, 2) tables of alive and dead, one for each stratum.

    By sampling tables with the same margins: the share of `_TABLES` samples that are no likelier
    than what was seen, itself counted.
    """
    from scipy.special import gammaln

    def log_chance(collapsed: Counts, totals: Counts) -> FloatArray:
        ways = gammaln(collapsed + 1.0) + gammaln(totals - collapsed + 1.0)
        return np.asarray(-np.sum(ways, axis=-1), dtype=float)

    seen, sampled = 0.0, np.zeros(_SAMPLED_TABLES)
    for table in tables:
        totals, dead = table.sum(axis=1), int(table[:, 1].sum())
        drawn = rng.multivariate_hypergeometric(totals, dead, size=_SAMPLED_TABLES)
        seen += float(log_chance(table[:, 1], totals))
        sampled += log_chance(drawn, totals)
    return (1 + int((sampled <= seen + 1e-9).sum())) / (1 + _SAMPLED_TABLES)


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction for looking at several parameters."""
    order = np.argsort(p_values)
    corrected = np.empty(len(p_values))
    highest = 0.0
    for rank, j in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[j]))
        corrected[j] = highest
    return [float(p) for p in corrected]
