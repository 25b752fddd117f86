"""Which parameters break training: rates of collapse with Wilson intervals and an exact test."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.axes import Floats, axis, quantiles
from analysis.importance import Attribution, variance_shares
from study.space import Dimension

_BINS = 4
_TABLES = 9999


@dataclass(frozen=True)
class Rate:
    """How often trials with one value, or within one range of values, collapsed: 95 % Wilson."""

    name: str
    trials: int
    collapsed: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Breaking:
    """Collapse against one parameter.

    p_value: of Fisher's exact test that all `rates` are one, corrected after Holm for the number
    of parameters looked at
    """

    path: str
    label: str
    rates: tuple[Rate, ...]
    p_value: float

    @property
    def beyond_chance(self) -> bool:
        return self.p_value < 0.05


@dataclass(frozen=True)
class Collapse:
    """What is known about collapse; parameters with the lowest p-value first.

    attribution: shares of the variance of "did it collapse", its surrogate the chance of it
    """

    trials: int
    collapsed: int
    parameters: tuple[Breaking, ...]
    attribution: Attribution
    refusal: str

    @property
    def ranked(self) -> bool:
        return not self.refusal

    @property
    def live(self) -> tuple[Breaking, ...]:
        return tuple(p for p in self.parameters if p.beyond_chance) if self.ranked else ()


def collapse(
    trials: pd.DataFrame, dimensions: Sequence[Dimension], rng: np.random.Generator
) -> Collapse:
    """Collapse over the explore trials that ended by themselves, whatever budget they reached."""
    explore = trials["phase"] == "explore"
    ended = trials[explore & trials["state"].isin(["completed", "collapsed"])]
    dead = np.asarray(ended["state"] == "collapsed", dtype=float)
    units = quantiles(ended, dimensions)
    axes = [axis(d) for d in dimensions]
    attribution = variance_shares(units, dead, axes, rng)
    found = [_breaking(d, units[:, j], dead, rng) for j, d in enumerate(dimensions)]
    corrected = _holm([breaking.p_value for breaking in found])
    found = [Breaking(b.path, b.label, b.rates, p) for b, p in zip(found, corrected, strict=True)]
    found.sort(key=lambda breaking: breaking.p_value)
    count = int(dead.sum())
    return Collapse(len(ended), count, tuple(found), attribution, _refusal(len(ended), count))


def _refusal(trials: int, collapsed: int) -> str:
    if collapsed == 0:
        return f"none of {trials} explored trials collapsed."
    if collapsed == trials:
        return f"all {trials} explored trials collapsed."
    return ""


def wilson(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % score interval of a rate (Wilson 1927); (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    rate, shrink = successes / trials, 1.0 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / shrink
    half = z / shrink * np.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def exact_p_value(
    table: np.ndarray[tuple[int, int], np.dtype[np.int64]], rng: np.random.Generator
) -> float:
    """Fisher's exact test of a (groups, 2) table, by sampling tables with the same margins.

    The share of `_TABLES` sampled tables that are no likelier than the one seen, itself counted.
    """
    from scipy.special import gammaln

    totals, dead = table.sum(axis=1), int(table[:, 1].sum())
    if dead in (0, totals.sum()) or np.count_nonzero(totals) < 2:
        return 1.0

    def log_chance(collapsed: Floats) -> Floats:
        ways = gammaln(collapsed + 1) + gammaln(totals - collapsed + 1)
        return np.asarray(-np.sum(ways, axis=-1), dtype=float)

    sampled = rng.multivariate_hypergeometric(totals, dead, size=_TABLES)
    rarer = int(
        (log_chance(sampled.astype(float)) <= log_chance(table[:, 1].astype(float)) + 1e-9).sum()
    )
    return (1 + rarer) / (1 + _TABLES)


def _breaking(
    dimension: Dimension, places: Floats, dead: Floats, rng: np.random.Generator
) -> Breaking:
    names, cells = _cells(dimension, places)
    counts = np.bincount(cells, minlength=len(names))
    lost = np.bincount(cells, weights=dead, minlength=len(names)).astype(int)
    rates = tuple(
        Rate(name, int(n), int(k), float(k / n) if n else 0.0, *wilson(int(k), int(n)))
        for name, n, k in zip(names, counts, lost, strict=True)
    )
    table = np.column_stack([counts - lost, lost]).astype(np.int64)
    return Breaking(dimension.path, dimension.label, rates, exact_p_value(table, rng))


def _cells(
    dimension: Dimension, places: Floats
) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """The choices, or four equally likely ranges, and which of them each trial falls in."""
    count = len(dimension.choices) or _BINS
    cells = np.clip((places * count).astype(np.intp), 0, count - 1)
    if dimension.choices:
        return [str(choice) for choice in dimension.choices], cells
    edges = [dimension.from_unit(i / count) for i in range(count + 1)]
    names = [f"{float(a):.3g} to {float(b):.3g}" for a, b in itertools.pairwise(edges)]
    return names, cells


def _holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction for looking at several parameters."""
    order = np.argsort(p_values)
    corrected = np.empty(len(p_values))
    highest = 0.0
    for rank, j in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[j]))
        corrected[j] = highest
    return [float(p) for p in corrected]
