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

from analysis.external.dependence import pair_p_values
from analysis.stats.intervals import FloatArray
from analysis.stats.nearest import embed_points, nearest_distances
from analysis.stats.p_values import format_p_value
from analysis.stats.rates import adjust_holm

_MAX_POINTS = 400  # in tests on distances, whose time grows with their square
_SHUFFLES = 200
_MIN_EXPECTED = 5.0  # in each cell of a chi-squared test


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
        return f"{self.text} ({format_p_value(self.p_value, 1)})"


def find_spread_signs(columns: Sequence[Column], seed: int = 0) -> list[Sign]:
    """Signs that parameters are not spread as the prior says."""
    signs = [Sign(f"{c.label} is not spread as its prior says", _uniformity(c)) for c in columns]
    signs.append(Sign("trials lie in clusters", _clusters(columns, seed)))
    return with_holm(signs)


def find_dependence_signs(columns: Sequence[Column]) -> list[Sign]:
    """Signs that parameters depend on one another."""
    units = np.column_stack([c.units for c in columns])
    p_values = pair_p_values(units, [c.unordered for c in columns]).tolist()
    pairs = itertools.combinations(columns, 2)
    return with_holm(
        [
            Sign(f"{a.label} and {b.label} depend on each other", p)
            for (a, b), p in zip(pairs, p_values, strict=True)
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
