"""Tests of dependence between all pairs of parameters at once.

With the ranks r and s of two parameters, centred, Spearman's correlation is

    rho = r.s / (|r| |s|),    t = rho sqrt((n - 2) / (1 - rho^2))    of Student's t, n - 2,

and between the groups g, of n_g trials, of one without order and the ranks s of another, Kruskal
and Wallis's statistic, corrected for ties, is

    H = (n - 1) sum_g (sum of s in g)^2 / n_g / |s|^2                of chi-squared, groups - 1.

With a column of ones and zeros for each group of each parameter, matrix products are the sums of H
and the counts of all tables. Two hundred parameters make 19,900 pairs, for which the functions of
`scipy.stats`, a call for each pair, take minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray

_MIN_EXPECTED = 5.0  # trials in each cell of a table on average, below which it tells nothing
_MAX_LEVELS = 8  # of a parameter without order; more are joined to a few ranges
_MAX_RANGES = 4

Codes = NDArray[np.intp]


def pair_p_values(units: FloatArray, unordered: Sequence[bool]) -> FloatArray:
    """(pairs,) p-values that two parameters do not depend on each other, as `combinations` orders.

    Twice the smaller of that of their ranks, and of a table of their levels or of four ranges.

    Args:
        units: (trials, parameters) quantiles; unordered: of each parameter, whether it is a choice.
    """
    from scipy.stats import rankdata

    n, count = units.shape
    if count < 2:
        return np.ones(0)
    ranks = rankdata(units, axis=0) - (n + 1) / 2.0
    ranges = int(np.clip(np.sqrt(n / _MIN_EXPECTED), 2, _MAX_RANGES))
    groups = [
        _group(u, _MAX_LEVELS if c else ranges, ranges)
        for u, c in zip(units.T, unordered, strict=True)
    ]
    rows = zip(_rank_rows(units, ranks, unordered), _table_rows(groups), strict=True)
    return np.concatenate([np.minimum(1.0, 2.0 * np.minimum(*row)) for row in rows])


def _rank_rows(
    units: FloatArray, ranks: FloatArray, unordered: Sequence[bool]
) -> Iterator[FloatArray]:
    """For each parameter but the last, p-values of its ranks against those of each later one."""
    from scipy.stats import t as student_t

    n, lengths = len(ranks), np.linalg.norm(ranks, axis=0)
    choices = np.asarray(unordered)
    # A parameter that does not vary has no length, and no test.
    directions = ranks / np.where(lengths > 0, lengths, 1.0)
    correlations = np.clip(directions.T @ directions, -1.0, 1.0)
    with np.errstate(divide="ignore"):  # a correlation of 1 has an infinite t
        t = correlations * np.sqrt((n - 2) / (1.0 - correlations**2))
    p_values = 2.0 * student_t.sf(np.abs(t), n - 2)
    for j in np.flatnonzero(choices):
        by_group = _kruskal(np.unique(units[:, j], return_inverse=True)[1], directions)
        p_values[j] = np.where(choices, 1.0, by_group)  # two choices have no ranks
        p_values[~choices, j] = by_group[~choices]
    varies = lengths > 0
    p_values = np.where(varies[:, None] & varies[None, :], p_values, 1.0)
    return (p_values[i, i + 1 :] for i in range(len(p_values) - 1))


def _kruskal(codes: Codes, directions: FloatArray) -> FloatArray:
    """(parameters,) p-values of H for groups of trials; directions: ranks of length 1."""
    from scipy.stats import chi2

    sizes = np.bincount(codes)
    if len(sizes) < 2:
        return np.ones(directions.shape[1])
    sums = _indicators(codes).T @ directions
    h = (len(codes) - 1) * (sums**2 / sizes[:, None]).sum(axis=0)
    return np.asarray(chi2.sf(h, len(sizes) - 1))


def _table_rows(groups: Sequence[Codes]) -> Iterator[FloatArray]:
    """For each parameter but the last, p-values of chi-squared tests with each later one."""
    n, width = len(groups[0]), max(int(codes.max()) for codes in groups) + 1
    # (parameters, trials, width), padded with levels that no trial has
    indicators = np.stack([_indicators(codes, width) for codes in groups])
    for i in range(len(groups) - 1):
        tables = np.einsum("tk,ptl->pkl", indicators[i], indicators[i + 1 :], optimize=True)
        yield _chi_squared(tables, n)


def _chi_squared(tables: FloatArray, n: int) -> FloatArray:
    """(tables,) p-values of independence; 1 of tables too large for `n` trials."""
    from scipy.stats import chi2

    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    heights, widths = (rows > 0).sum(axis=1), (columns > 0).sum(axis=1)
    freedom = (heights - 1) * (widths - 1)
    expected = rows[:, :, None] * columns[:, None, :] / n
    differences = np.abs(tables - expected)
    # Yates's correction of tables of two by two: half a trial, at most the difference itself.
    halves = np.where(freedom == 1, 0.5, 0.0)[:, None, None]
    differences -= np.minimum(halves, differences)
    terms = np.divide(differences**2, expected, out=np.zeros_like(expected), where=expected > 0)
    usable = (freedom > 0) & (n >= _MIN_EXPECTED * heights * widths)
    p_values = chi2.sf(terms.sum(axis=(1, 2)), np.maximum(freedom, 1))
    return np.asarray(np.where(usable, p_values, 1.0))


def _group(units: FloatArray, most: int, ranges: int) -> Codes:
    """(trials,) the level of each trial, or of more than `most` levels the range it is in."""
    from scipy.stats import rankdata

    values, index = np.unique(units, return_inverse=True)
    if len(values) <= most:
        return np.asarray(index, dtype=np.intp)
    ranks = rankdata(units) - 0.5
    return np.asarray(np.minimum(ranks / len(ranks) * ranges, ranges - 1), dtype=np.intp)


def _indicators(codes: Codes, width: int = 0) -> FloatArray:
    """(trials, groups) 1 where a trial is in a group, else 0."""
    return np.asarray(codes[:, None] == np.arange(width or codes.max() + 1), dtype=float)
