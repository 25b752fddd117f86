"""Tests of how trials were chosen: spread of each parameter, dependence between them.

Each hypothesis is one of independent draws from the prior. P-values of a family are corrected for
their number by Holm's method. Points of a low-discrepancy sequence are spread more evenly than
independent ones, so that the tests reject them less often still.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray
from analysis.stats.nearest import embed_points, nearest_distances
from analysis.stats.rates import adjust_holm

_MAX_POINTS = 400  # in tests on distances, whose time grows with their square
_SHUFFLES = 200
_MIN_EXPECTED = 5.0  # in each cell of a chi-squared test
_MAX_BINS = 8
_LEAST_PRINTED = 1e-6


@dataclass(frozen=True)
class Column:
    """One parameter of the trials.

    units: (trials,) quantiles under the prior; edges: (levels + 1,) quantiles at which levels
    begin, from 0 to 1; empty if continuous
    unordered: levels have no order
    """

    label: str
    units: FloatArray
    edges: tuple[float, ...] = ()
    unordered: bool = False

    @property
    def levels(self) -> tuple[float, ...]:
        """The quantiles of the levels, if they have no order; else empty."""
        edges = np.asarray(self.edges)
        return tuple((edges[1:] + edges[:-1]) / 2.0) if self.unordered else ()


@dataclass(frozen=True)
class Sign:
    """A sign against independent draws from the prior.

    text: what it is, without a full stop; p_value: corrected within its family
    """

    text: str
    p_value: float

    def __str__(self) -> str:
        if self.p_value < _LEAST_PRINTED:
            return f"{self.text} (p < {_LEAST_PRINTED:g})"
        return f"{self.text} (p = {self.p_value:.1g})"


def find_spread_signs(columns: Sequence[Column], seed: int = 0) -> list[Sign]:
    """Signs that parameters are not spread as the prior says."""
    signs = [Sign(f"{c.label} is not spread as its prior says", _uniformity(c)) for c in columns]
    signs.append(Sign("trials lie in clusters", _clusters(columns, seed)))
    return with_holm(signs)


def find_dependence_signs(columns: Sequence[Column]) -> list[Sign]:
    """Signs that parameters depend on one another."""
    return with_holm(
        [
            Sign(f"{a.label} and {b.label} depend on each other", _pair_dependence(a, b))
            for a, b in itertools.combinations(columns, 2)
        ]
    )


def with_holm(signs: Sequence[Sign]) -> list[Sign]:
    """The signs with p-values by Holm's method, the clearest first."""
    corrected = adjust_holm([sign.p_value for sign in signs])
    return sorted(
        (Sign(sign.text, p) for sign, p in zip(signs, corrected, strict=True)),
        key=lambda sign: sign.p_value,
    )


def _uniformity(column: Column) -> float:
    """P-value that units are draws of the prior: Kolmogorov-Smirnov, or chi-squared of levels."""
    from scipy.stats import chisquare, kstest

    if not column.edges:
        return float(kstest(np.clip(column.units, 0.0, 1.0), "uniform").pvalue)
    counts, _ = np.histogram(column.units, column.edges)
    expected = np.diff(column.edges) * len(column.units)
    merged = _merge(expected, _MIN_EXPECTED)
    observed, expected = (np.bincount(merged, weights=w) for w in (counts, expected))
    return float(chisquare(observed, expected).pvalue) if len(expected) > 1 else 1.0


def _merge(expected: FloatArray, least: float) -> FloatArray:
    """(levels,) the group of each level; neighbours are joined until each group expects `least`."""
    groups, group, total = [], 0, 0.0
    for i, value in enumerate(expected):
        groups.append(group)
        total += value
        if total >= least and expected[i + 1 :].sum() >= least:
            group, total = group + 1, 0.0
    return np.array(groups)


def _dependence(column: Column, other: FloatArray) -> float:
    """P-value that a number does not depend on a parameter: Spearman, or Kruskal and Wallis."""
    from scipy.stats import kruskal, spearmanr

    if column.unordered:
        groups = [other[column.units == level] for level in np.unique(column.units)]
        return float(kruskal(*groups).pvalue) if len(groups) > 1 and np.ptp(other) > 0 else 1.0
    if np.ptp(column.units) == 0 or np.ptp(other) == 0:
        return 1.0
    return float(spearmanr(column.units, other).pvalue)


def _pair_dependence(a: Column, b: Column) -> float:
    """P-value that two parameters do not depend on each other.

    Twice the smaller of that of their ranks, and of a table of their levels or of four ranges.
    """
    ranks = 1.0
    if not (a.unordered and b.unordered):
        first, second = (b, a) if b.unordered else (a, b)
        ranks = _dependence(first, second.units)
    return min(1.0, 2.0 * min(ranks, _table(a, b)))


def _table(a: Column, b: Column) -> float:
    """P-value of a chi-squared test of independence."""
    from scipy.stats import chi2_contingency

    n = len(a.units)
    bins = int(np.clip(np.sqrt(n / _MIN_EXPECTED), 2, 4))
    x, y = (_group(c, bins) for c in (a, b))
    table = np.zeros((x.max() + 1, y.max() + 1))
    np.add.at(table, (x, y), 1.0)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2 or n < _MIN_EXPECTED * table.size:
        return 1.0
    return float(chi2_contingency(table).pvalue)


def _group(column: Column, bins: int) -> NDArray[np.intp]:
    """(trials,) the level of each trial, or which of some ranges that hold as many it is in."""
    from scipy.stats import rankdata

    values, index = np.unique(column.units, return_inverse=True)
    if len(values) <= (_MAX_BINS if column.unordered else bins):
        return np.asarray(index, dtype=np.intp)
    ranks = rankdata(column.units) - 0.5
    return np.asarray(np.minimum(ranks / len(ranks) * bins, bins - 1), dtype=np.intp)


def _clusters(columns: Sequence[Column], seed: int) -> float:
    """P-value of how near trials lie to their nearest, against draws of the prior.

    A configuration that was repeated counts once.
    """
    rows = _spaced(len(columns[0].units))
    rng = np.random.default_rng(seed)
    units = np.column_stack([c.units[rows] for c in columns])
    observed = _mean_nearest(columns, _snap(columns, units))
    drawn = []
    for _ in range(_SHUFFLES):
        units = rng.random((len(rows), len(columns)))
        drawn.append(_mean_nearest(columns, _snap(columns, units)))
    return _lower_tail(observed, np.array(drawn))


def _mean_nearest(columns: Sequence[Column], units: FloatArray) -> float:
    distinct = np.unique(units, axis=0)
    if len(distinct) < 3:
        return 0.0
    return float(nearest_distances(embed_points(distinct, [c.levels for c in columns])).mean())


def _snap(columns: Sequence[Column], units: FloatArray) -> FloatArray:
    """Quantiles moved to the middle of their levels, as those of the trials are."""
    snapped = units.copy()
    for j, c in enumerate(columns):
        if c.edges:
            edges = np.asarray(c.edges)
            level = np.searchsorted(edges[1:-1], units[:, j], side="right")
            snapped[:, j] = (edges[level] + edges[level + 1]) / 2.0
    return snapped


def embed(columns: Sequence[Column]) -> FloatArray:
    """(trials, coordinates) places of trials, see `embed_points`."""
    return embed_points(np.column_stack([c.units for c in columns]), [c.levels for c in columns])


def _lower_tail(observed: float, null: FloatArray) -> float:
    """P-value of so low a value, by a normal approximation to its null distribution."""
    from scipy.stats import norm

    spread = float(null.std(ddof=1))
    return float(norm.cdf((observed - float(null.mean())) / spread)) if spread > 0 else 1.0


def _spaced(count: int) -> NDArray[np.intp]:
    """Evenly spaced rows, at most `_MAX_POINTS` of them."""
    spaced = np.linspace(0, count - 1, min(count, _MAX_POINTS)).round()
    return np.unique(spaced.astype(np.intp))
