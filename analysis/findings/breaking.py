"""Which parameters break training: rates with exact intervals and Fisher's exact test.

A run breaks if it collapses or shows nothing. Over the explored runs that trained or broke: for
each parameter the rate of breaking in each of its choices or of four equally likely ranges, and for
each pair of parameters the same in a grid.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import select_trained_or_broken
from analysis.stats.intervals import SIGNIFICANCE_LEVEL, FloatArray
from analysis.stats.rates import (
    BinIndices,
    BreakRate,
    Counts,
    adjust_holm,
    bonferroni_confidence,
    count_breaks,
    rates_from_counts,
    sample_fisher_p_value,
)
from analysis.surrogate.unit_cube import to_quantiles
from nerf.config.parameters import Value
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING
from study.spec.space import Dimension

_BINS = 4
_PAIR_BINS = 3  # fewer: a pair has their square in cells


@dataclass(frozen=True)
class ParameterBreaking:
    """Breaking against one parameter.

    rates: their intervals hold at once for all levels of all parameters, in 95 % of studies
    p_value: of Fisher's exact test that all `rates` are equal, Holm-corrected for all parameters
    """

    path: str
    label: str
    rates: tuple[BreakRate, ...]
    p_value: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below `SIGNIFICANCE_LEVEL`."""
        return self.p_value < SIGNIFICANCE_LEVEL

    @property
    def worst(self) -> BreakRate:
        """The level with which most runs break, among those that were tried."""
        return max((r for r in self.rates if r.trials), key=lambda r: r.rate)

    @property
    def safest(self) -> BreakRate:
        """The level with which fewest runs break, among those that were tried."""
        return min((r for r in self.rates if r.trials), key=lambda r: r.rate)

    @property
    def without_breaks(self) -> tuple[BreakRate, ...]:
        """The levels with which no run broke, among those that were tried."""
        return tuple(r for r in self.rates if r.trials and not r.broken)


@dataclass(frozen=True)
class PairBreaking:
    """Breaking against two parameters at once.

    names: ranges or choices of the first and of the second parameter
    rates: for each range or choice of the second parameter, those of the first; their intervals
    hold at once for all cells of all pairs, in 95 % of studies
    p_value: of "one of the two has no effect while the other is held fixed"; Holm-corrected for all
    pairs
    """

    paths: tuple[str, str]
    labels: tuple[str, str]
    rates: tuple[tuple[BreakRate, ...], ...]
    names: tuple[tuple[str, ...], tuple[str, ...]]
    p_value: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below `SIGNIFICANCE_LEVEL`."""
        return self.p_value < SIGNIFICANCE_LEVEL


@dataclass(frozen=True)
class BreakingAnalysis:
    """All findings on what breaks training; parameters, and pairs, of lowest p-value first.

    overall: over all explored runs that trained or broke; if none broke, `overall.high` bounds how
    many do
    refusal: why there is nothing to compare; empty if there is
    """

    overall: BreakRate
    parameters: tuple[ParameterBreaking, ...]
    pairs: tuple[PairBreaking, ...]
    refusal: str

    @property
    def ranked(self) -> bool:
        """Whether some runs broke and some did not."""
        return not self.refusal

    def rate_at(self, dimension: Dimension, value: Value) -> BreakRate:
        """The rate of the level of one parameter in which `value` lies, such as its best value."""
        rates = next(p.rates for p in self.parameters if p.path == dimension.path)
        _, (level,) = bin_levels(dimension, np.array([dimension.to_unit(value)]))
        return rates[int(level)]

    @property
    def significant_parameters(self) -> tuple[ParameterBreaking, ...]:
        """The parameters with which the rate of breaking differs significantly."""
        return tuple(p for p in self.parameters if p.significant) if self.ranked else ()

    @property
    def significant_pairs(self) -> tuple[PairBreaking, ...]:
        """The pairs of which each parameter matters while the other is held fixed."""
        return tuple(p for p in self.pairs if p.significant) if self.ranked else ()


def analyze_breaking(
    trials: pd.DataFrame, dimensions: Sequence[Dimension], rng: np.random.Generator
) -> BreakingAnalysis:
    """Analyzes which explored runs collapsed or show nothing, by parameter and by pair.

    Args:
        trials: a study's trials table; only explore trials that trained, collapsed or show nothing
            count, at any budget.
        dimensions: the varied parameters, each a column of `trials`.
        rng: draws tables, bootstrap samples and shuffles; the same state gives the same result.

    Returns:
        Rates and p-values; with a `refusal` if no run or every run broke.

    Example:
        >>> study = load_study("studies/default")
        >>> breaking = analyze_breaking(study.trials, study.space.dimensions, rng)
        >>> [(p.path, p.worst, p.safest) for p in breaking.significant_parameters]
    """
    ended = select_trained_or_broken(trials)
    broken = _Broken(
        np.asarray(ended["outcome"] == COLLAPSED, dtype=float),
        np.asarray(ended["outcome"] == SHOWS_NOTHING, dtype=float),
    )
    units = to_quantiles(ended, dimensions)
    overall = BreakRate.from_counts(
        "all", len(ended), int(broken.collapsed.sum()), int(broken.shows_nothing.sum())
    )
    return BreakingAnalysis(
        overall,
        _test_parameters(dimensions, units, broken, rng),
        _test_pairs(dimensions, units, broken, rng),
        _reason_to_refuse(overall),
    )


@dataclass(frozen=True)
class _Broken:
    """Which runs broke, and how; collapsed, shows_nothing: (trials,) 0 or 1."""

    collapsed: FloatArray
    shows_nothing: FloatArray

    def count(self, bins: BinIndices, count: int) -> Counts:
        """(count, 3) runs that trained, collapsed and show nothing in each bin."""
        return count_breaks(bins, self.collapsed, self.shows_nothing, count)


def _reason_to_refuse(overall: BreakRate) -> str:
    if overall.broken == 0:
        return f"none of {overall.trials} explored runs collapsed or shows nothing."
    if overall.broken == overall.trials:
        return f"all {overall.trials} explored runs collapsed or show nothing."
    return ""


def _test_parameters(
    dimensions: Sequence[Dimension], units: FloatArray, broken: _Broken, rng: np.random.Generator
) -> tuple[ParameterBreaking, ...]:
    """Rates of each parameter, of lowest corrected p-value first; units: (trials, d) quantiles."""
    binned = [bin_levels(d, units[:, j]) for j, d in enumerate(dimensions)]
    counts = [broken.count(bins, len(names)) for names, bins in binned]
    # The parameter, its worst and its safest level are all picked after looking.
    confidence = bonferroni_confidence(sum(_count_tried(c) for c in counts))
    p_values = adjust_holm([sample_fisher_p_value([_merge_broken(c)], rng) for c in counts])
    parameters = [
        ParameterBreaking(d.path, d.label, tuple(rates_from_counts(names, c, confidence)), p)
        for d, (names, _), c, p in zip(dimensions, binned, counts, p_values, strict=True)
    ]
    return tuple(sorted(parameters, key=lambda parameter: parameter.p_value))


def _test_pairs(
    dimensions: Sequence[Dimension], units: FloatArray, broken: _Broken, rng: np.random.Generator
) -> tuple[PairBreaking, ...]:
    """Rates of each pair, of lowest corrected p-value first; units: (trials, d) quantiles."""
    binned = [_bin_quantiles(d, units[:, j], _PAIR_BINS) for j, d in enumerate(dimensions)]
    places = list(itertools.combinations(range(len(dimensions)), 2))
    counts = [_count_cells(binned[j], binned[k], broken) for j, k in places]
    confidence = bonferroni_confidence(sum(_count_tried(c) for c in counts))
    p_values = adjust_holm([_test_pair(c, rng) for c in counts])
    pairs = [
        _make_pair((dimensions[j], dimensions[k]), (binned[j][0], binned[k][0]), c, confidence, p)
        for (j, k), c, p in zip(places, counts, p_values, strict=True)
    ]
    return tuple(sorted(pairs, key=lambda pair: pair.p_value))


def _count_cells(
    first: tuple[list[str], BinIndices], second: tuple[list[str], BinIndices], broken: _Broken
) -> Counts:
    """(rows, columns, 3) counts; a column for each level of `first`, a row for each of `second`."""
    (columns, x), (rows, y) = first, second
    flat = broken.count(y * len(columns) + x, len(rows) * len(columns))
    return flat.reshape(len(rows), len(columns), -1)


def _count_tried(counts: Counts) -> int:
    """How many levels or cells hold a run; the others have (0, 1), which always holds."""
    return int((counts.sum(axis=-1) > 0).sum())


def _merge_broken(counts: Counts) -> Counts:
    """(..., 2) trained and broken, from (..., 3) trained, collapsed and showing nothing."""
    return np.stack([counts[..., 0], counts[..., 1:].sum(axis=-1)], axis=-1)


def _test_pair(counts: Counts, rng: np.random.Generator) -> float:
    """The uncorrected p-value; counts: (rows, columns, 3)."""
    table = _merge_broken(counts)
    # Test each parameter within strata of the other; both must matter, so the larger p counts.
    return max(sample_fisher_p_value(list(s), rng) for s in (table, table.swapaxes(0, 1)))


def _make_pair(
    dimensions: tuple[Dimension, Dimension],
    names: tuple[list[str], list[str]],
    counts: Counts,
    confidence: float,
    p_value: float,
) -> PairBreaking:
    first, second = dimensions
    columns, rows = names
    rates = tuple(
        tuple(rates_from_counts([f"{column}, {row}" for column in columns], cells, confidence))
        for row, cells in zip(rows, counts, strict=True)
    )
    return PairBreaking(
        (first.path, second.path),
        (first.label, second.label),
        rates,
        (tuple(columns), tuple(rows)),
        p_value,
    )


def bin_levels(dimension: Dimension, quantiles: FloatArray) -> tuple[list[str], BinIndices]:
    """Names of the levels that rates of a parameter are given for, and the level of each trial."""
    return _bin_quantiles(dimension, quantiles, _BINS)


def _bin_quantiles(
    dimension: Dimension, places: FloatArray, bins: int
) -> tuple[list[str], BinIndices]:
    """Names of the choices, or of equally likely ranges, and which of them each trial is in."""
    if dimension.choices:
        indices = np.searchsorted(dimension.edges[1:-1], places, side="right")
        return [str(choice) for choice in dimension.choices], indices
    indices = np.clip((places * bins).astype(np.intp), 0, bins - 1)
    if dimension.levels:
        return _name_levels(dimension, bins), indices
    edges = [dimension.from_unit(i / bins) for i in range(bins + 1)]
    names = [f"{float(a):.3g} to {float(b):.3g}" for a, b in itertools.pairwise(edges)]
    return names, indices


def _name_levels(dimension: Dimension, bins: int) -> list[str]:
    """The levels in each equally likely range, such as `3 to 5`, `6` or `none`."""
    held: list[list[str]] = [[] for _ in range(bins)]
    for place in range(dimension.levels):
        value = dimension.value_at(place)
        held[int(dimension.to_unit(value) * bins)].append(str(value))
    return ["none" if not v else v[0] if len(v) == 1 else f"{v[0]} to {v[-1]}" for v in held]
