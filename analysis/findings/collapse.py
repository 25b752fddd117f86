"""Which parameters break training: rates of collapse with Wilson intervals and an exact test."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.importance.sobol import SobolAnalysis, estimate_sobol_shares
from analysis.stats.intervals import FloatArray
from analysis.stats.rates import BinIndices, CollapseRate, count_collapses, sample_fisher_p_value, adjust_holm, rates_from_counts
from analysis.surrogate.unit_cube import make_axis, to_quantiles
from study.spec.space import Dimension

_BINS = 4
_PAIR_BINS = 3


@dataclass(frozen=True)
class ParameterCollapse:
    """Collapse against one parameter.

    p_value: of Fisher's exact test that all `rates` are one, corrected after Holm for the number
    of parameters looked at
    """

    path: str
    label: str
    rates: tuple[CollapseRate, ...]
    p_value: float

    @property
    def significant(self) -> bool:
        return self.p_value < 0.05

    @property
    def sentence(self) -> str:
        """Where training collapses most and least often, with intervals."""
        tried = [rate for rate in self.rates if rate.trials]
        worst, safest = max(tried, key=lambda r: r.rate), min(tried, key=lambda r: r.rate)
        return (
            f"{worst.formatted} of trials collapse with {self.label} {worst.name}, {safest.formatted} "
            f"with {safest.name}"
        )


@dataclass(frozen=True)
class PairCollapse:
    """Collapse against two parameters at once.

    rates: for each range or choice of the second parameter those of the first, left to right
    p_value: that one of the two does not matter where the other one is held; corrected after Holm
    for the number of pairs looked at
    """

    paths: tuple[str, str]
    labels: tuple[str, str]
    rates: tuple[tuple[CollapseRate, ...], ...]
    names: tuple[tuple[str, ...], tuple[str, ...]]
    p_value: float

    @property
    def significant(self) -> bool:
        return self.p_value < 0.05


@dataclass(frozen=True)
class CollapseAnalysis:
    """What is known about collapse; parameters, and pairs, with the lowest p-value first.

    sobol: shares of the variance of "did it collapse", its surrogate the chance of it
    """

    trials: int
    collapsed: int
    parameters: tuple[ParameterCollapse, ...]
    pairs: tuple[PairCollapse, ...]
    sobol: SobolAnalysis
    refusal: str

    @property
    def ranked(self) -> bool:
        return not self.refusal

    @property
    def significant_parameters(self) -> tuple[ParameterCollapse, ...]:
        return tuple(p for p in self.parameters if p.significant) if self.ranked else ()

    @property
    def significant_pairs(self) -> tuple[PairCollapse, ...]:
        return tuple(p for p in self.pairs if p.significant) if self.ranked else ()


def analyze_collapse(
    trials: pd.DataFrame, dimensions: Sequence[Dimension], rng: np.random.Generator
) -> CollapseAnalysis:
    """Collapse over the explore trials that ended by themselves, whatever budget they reached."""
    ended = select_completed_or_collapsed(trials)
    dead = np.asarray(ended["state"] == "collapsed", dtype=float)
    units = to_quantiles(ended, dimensions)
    axes = [make_axis(d) for d in dimensions]
    sobol = estimate_sobol_shares(units, dead, axes, rng)
    found = [_breaking(d, units[:, j], dead, rng) for j, d in enumerate(dimensions)]
    corrected = adjust_holm([breaking.p_value for breaking in found])
    found = [replace(b, p_value=p) for b, p in zip(found, corrected, strict=True)]
    found.sort(key=lambda breaking: breaking.p_value)
    pairs = [
        _pair((dimensions[j], dimensions[k]), units[:, [j, k]], dead, rng)
        for j, k in itertools.combinations(range(len(dimensions)), 2)
    ]
    p_values = adjust_holm([pair.p_value for pair in pairs])
    pairs = [replace(pair, p_value=p) for pair, p in zip(pairs, p_values, strict=True)]
    pairs.sort(key=lambda pair: pair.p_value)
    count = int(dead.sum())
    return CollapseAnalysis(
        len(ended), count, tuple(found), tuple(pairs), sobol, _refusal(len(ended), count)
    )


def select_completed_or_collapsed(trials: pd.DataFrame) -> pd.DataFrame:
    """The explore trials that nobody stopped and that raised no error."""
    explore = trials["phase"] == "explore"
    return trials[explore & trials["state"].isin(["completed", "collapsed"])]


def _refusal(trials: int, collapsed: int) -> str:
    if collapsed == 0:
        return f"none of {trials} explored trials collapsed."
    if collapsed == trials:
        return f"all {trials} explored trials collapsed."
    return ""


def _breaking(
    dimension: Dimension, places: FloatArray, dead: FloatArray, rng: np.random.Generator
) -> ParameterCollapse:
    names, cells = _cells(dimension, places, _BINS)
    counts = count_collapses(cells, dead, len(names))
    p_value = sample_fisher_p_value([counts], rng)
    return ParameterCollapse(dimension.path, dimension.label, tuple(rates_from_counts(names, counts)), p_value)


def _pair(
    dimensions: tuple[Dimension, Dimension], places: FloatArray, dead: FloatArray, rng: np.random.Generator
) -> PairCollapse:
    first, second = dimensions
    columns, x = _cells(first, places[:, 0], _PAIR_BINS)
    rows, y = _cells(second, places[:, 1], _PAIR_BINS)
    flat = count_collapses(y * len(columns) + x, dead, len(rows) * len(columns))
    counts = flat.reshape(len(rows), len(columns), 2)
    p_value = max(sample_fisher_p_value(list(strata), rng) for strata in (counts, counts.swapaxes(0, 1)))
    rates = tuple(
        tuple(rates_from_counts([f"{column}, {row}" for column in columns], of_row))
        for row, of_row in zip(rows, counts, strict=True)
    )
    return PairCollapse(
        (first.path, second.path), (first.label, second.label), rates,
        (tuple(columns), tuple(rows)), p_value,
    )  # fmt: skip


def _cells(dimension: Dimension, places: FloatArray, bins: int) -> tuple[list[str], BinIndices]:
    """The choices, or equally likely ranges, and which of them each trial falls in."""
    count = len(dimension.choices) or bins
    cells = np.clip((places * count).astype(np.intp), 0, count - 1)
    if dimension.choices:
        return [str(choice) for choice in dimension.choices], cells
    edges = [dimension.from_unit(i / count) for i in range(count + 1)]
    names = [f"{float(a):.3g} to {float(b):.3g}" for a, b in itertools.pairwise(edges)]
    return names, cells
