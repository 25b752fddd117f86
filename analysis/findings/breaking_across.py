"""Which choices break training on several studies, such as one for each scene: blocked by study.

Studies that vary a parameter over the same levels are compared level by level. A rate over all of
them is the mean over these studies, weighted by their runs; tests compare runs of the same study
only, so that a scene on which everything breaks cannot pass for the effect of a parameter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.findings.breaking import BreakingAnalysis, PairBreaking, ParameterBreaking
from analysis.stats.blocked_test import sample_blocked_p_value
from analysis.stats.intervals import SIGNIFICANCE_LEVEL
from analysis.stats.rate_difference import difference_interval
from analysis.stats.rates import (
    BreakRate,
    Counts,
    adjust_holm,
    bonferroni_confidence,
    rates_from_counts,
)

Rates = tuple[BreakRate, ...]


@dataclass(frozen=True)
class StudyBreaking:
    """What breaks in one study; label: its scene, or its name where two have the same scene.

    references: for each varied parameter the level that holds its default, else the first one
    """

    label: str
    breaking: BreakingAnalysis
    references: Mapping[str, str]


@dataclass(frozen=True)
class Order:
    """The studies in which one level breaks more, fewer or equally many runs than another.

    By the observed rates; a study without a run of either level is in none of the three.
    """

    more: tuple[str, ...]
    fewer: tuple[str, ...]
    equal: tuple[str, ...]

    @property
    def studies(self) -> int:
        """How many studies have runs of both levels."""
        return len(self.more) + len(self.fewer) + len(self.equal)

    @property
    def flipped(self) -> Order:
        """The order of the other level against the first."""
        return Order(self.fewer, self.more, self.equal)


@dataclass(frozen=True)
class BreakContrast:
    """A level against the reference level, over all studies.

    difference, low, high: rate of the level minus that of the reference; the intervals of all
    contrasts of all parameters hold at once
    p_value: of an exact Mantel-Haenszel test within studies, Holm-corrected for all contrasts
    """

    level: BreakRate
    reference: BreakRate
    difference: float
    low: float
    high: float
    p_value: float
    order: Order

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is small and the interval, wider than it, without 0."""
        return self.p_value < SIGNIFICANCE_LEVEL and not self.low <= 0.0 <= self.high


@dataclass(frozen=True)
class ParameterAcross:
    """Breaking against one parameter over the studies that vary it over the same levels.

    rates: of each level, the mean over these studies weighted by their runs; the intervals of all
    parameters hold at once
    by_study: label -> rates of each level; the intervals hold at once within a study
    quiet: the studies in which no run breaks, whatever its parameters
    p_value: that all levels have one rate in each study; Holm-corrected for all parameters
    """

    path: str
    label: str
    rates: Rates
    by_study: Mapping[str, Rates]
    quiet: tuple[str, ...]
    p_value: float
    contrasts: tuple[BreakContrast, ...]

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

    def order(self, level: str, other: str) -> Order:
        """In which studies `level` breaks more runs than `other`."""
        return _compare_order(self.by_study, level, other)

    def range_by_study(self, level: str) -> tuple[float, float]:
        """The lowest and the highest rate of a level in any study that has runs of it."""
        rates = [r.rate for rates in self.by_study.values() for r in rates if _is_tried(r, level)]
        return min(rates), max(rates)


@dataclass(frozen=True)
class PairAcross:
    """Breaking against two parameters at once; fields as in `PairBreaking`, over all studies.

    by_study: label -> counted cells of each study that varies both over the same levels
    p_value: of "one of the two has no effect while the other and the study are held fixed";
    Holm-corrected for all pairs
    """

    paths: tuple[str, str]
    labels: tuple[str, str]
    rates: tuple[Rates, ...]
    names: tuple[tuple[str, ...], tuple[str, ...]]
    by_study: Mapping[str, tuple[Rates, ...]]
    p_value: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below `SIGNIFICANCE_LEVEL`."""
        return self.p_value < SIGNIFICANCE_LEVEL

    @property
    def studies(self) -> tuple[str, ...]:
        """The labels of the studies."""
        return tuple(self.by_study)

    @property
    def worst(self) -> tuple[BreakRate, str, str]:
        """The cell in which most runs break, and its column and row."""
        y, x = self._worst_place
        return self.rates[y][x], self.names[0][x], self.names[1][y]

    @property
    def breaking_in_worst(self) -> tuple[str, ...]:
        """The studies in which some run of the worst cell breaks."""
        y, x = self._worst_place
        return tuple(label for label, cells in self.by_study.items() if cells[y][x].broken)

    @property
    def tried_in_worst(self) -> tuple[str, ...]:
        """The studies that have runs of the worst cell."""
        y, x = self._worst_place
        return tuple(label for label, cells in self.by_study.items() if cells[y][x].trials)

    @property
    def _worst_place(self) -> tuple[int, int]:
        places = ((y, x) for y, row in enumerate(self.rates) for x, r in enumerate(row) if r.trials)
        return max(places, key=lambda place: self.rates[place[0]][place[1]].rate)


@dataclass(frozen=True)
class BreakingAcross:
    """What breaks training over several studies; parameters, and pairs, of lowest p-value first.

    studies: their labels; overall: over all explored runs that trained or broke
    left_out: labels of parameters that several studies vary, but over different levels
    """

    studies: tuple[str, ...]
    overall: BreakRate
    parameters: tuple[ParameterAcross, ...]
    pairs: tuple[PairAcross, ...]
    left_out: tuple[str, ...]

    @property
    def significant_parameters(self) -> tuple[ParameterAcross, ...]:
        """The parameters with which the rate of breaking differs significantly."""
        return tuple(p for p in self.parameters if p.significant)

    @property
    def significant_pairs(self) -> tuple[PairAcross, ...]:
        """The pairs of which each parameter matters while the other is held fixed."""
        return tuple(p for p in self.pairs if p.significant)


def analyze_breaking_across(
    studies: Sequence[StudyBreaking], rng: np.random.Generator
) -> BreakingAcross:
    """Analyzes which levels break training over several studies, with study as a block.

    Args:
        studies: at least two, with different labels.
        rng: draws tables; the same state gives the same result.

    Returns:
        Every parameter, and pair, that at least two of the studies vary over the same levels.
    """
    overall = _add_up([s.breaking.overall for s in studies])
    groups = _group_parameters(studies)
    shared = {group.first.path for group in groups}
    varied = Counter((p.path, p.label) for s in studies for p in s.breaking.parameters)
    left_out = [
        label for (path, label), count in varied.items() if count > 1 and path not in shared
    ]
    return BreakingAcross(
        tuple(s.label for s in studies),
        BreakRate.from_counts("all", *overall),
        _test_parameters(groups, rng),
        _test_pairs(studies, rng),
        tuple(sorted(left_out)),
    )


@dataclass(frozen=True)
class _Group:
    """One parameter of the studies that vary it over the same levels."""

    members: tuple[tuple[StudyBreaking, ParameterBreaking], ...]

    @property
    def first(self) -> ParameterBreaking:
        return self.members[0][1]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(rate.name for rate in self.first.rates)

    @cached_property
    def by_study(self) -> dict[str, Rates]:
        """The rates of each study in the order of the first one's levels."""
        return {s.label: _arrange(p.rates, self.names) for s, p in self.members}

    @cached_property
    def counts(self) -> Counts:
        """(studies, levels, 3) runs that trained, collapsed and show nothing."""
        return np.array([_count_rates(rates) for rates in self.by_study.values()])

    @property
    def reference(self) -> int:
        """The level that others are compared with, by the first study's default."""
        return self.names.index(self.members[0][0].references[self.first.path])

    @property
    def quiet(self) -> tuple[str, ...]:
        return tuple(s.label for s, _ in self.members if s.breaking.overall.broken == 0)


def _group_parameters(studies: Sequence[StudyBreaking]) -> list[_Group]:
    members: dict[object, list[tuple[StudyBreaking, ParameterBreaking]]] = {}
    for study in studies:
        for parameter in study.breaking.parameters:
            key = (parameter.path, *sorted(rate.name for rate in parameter.rates))
            members.setdefault(key, []).append((study, parameter))
    # By path: the p-values that a generator draws then do not depend on the order within a study.
    groups = [_Group(tuple(group)) for group in members.values() if len(group) > 1]
    return sorted(groups, key=lambda group: group.first.path)


def _test_parameters(
    groups: Sequence[_Group], rng: np.random.Generator
) -> tuple[ParameterAcross, ...]:
    confidence = bonferroni_confidence(
        sum(int((group.counts.sum(axis=(0, 2)) > 0).sum()) for group in groups)
    )
    p_values = adjust_holm([_test_within(group.counts, rng) for group in groups])
    contrasts = _contrast_all(groups, rng)
    parameters = [
        ParameterAcross(
            group.first.path,
            group.first.label,
            tuple(rates_from_counts(group.names, group.counts.sum(axis=0), confidence)),
            group.by_study,
            group.quiet,
            p,
            own,
        )
        for group, p, own in zip(groups, p_values, contrasts, strict=True)
    ]
    return tuple(sorted(parameters, key=lambda parameter: parameter.p_value))


def _contrast_all(
    groups: Sequence[_Group], rng: np.random.Generator
) -> list[tuple[BreakContrast, ...]]:
    """For each group the contrasts of its other levels with the reference."""
    places = [(g, i) for g in groups for i in range(len(g.names)) if i != g.reference]
    confidence = bonferroni_confidence(len(places))
    p_values = adjust_holm([_test_within(g.counts[:, [g.reference, i]], rng) for g, i in places])
    contrasts: dict[int, list[BreakContrast]] = {id(group): [] for group in groups}
    for (group, i), p in zip(places, p_values, strict=True):
        contrasts[id(group)].append(_contrast(group, i, confidence, p))
    return [tuple(contrasts[id(group)]) for group in groups]


def _contrast(group: _Group, level: int, confidence: float, p_value: float) -> BreakContrast:
    pooled = rates_from_counts(group.names, group.counts.sum(axis=0), confidence)
    first, second = pooled[level], pooled[group.reference]
    low, high = difference_interval(first, second)
    if (first.rate - second.rate) * _blocked_difference(group.counts, level, group.reference) <= 0:
        p_value = 1.0  # the mean over studies has another sign than the difference within them
    order = _compare_order(group.by_study, first.name, second.name)
    return BreakContrast(first, second, first.rate - second.rate, low, high, p_value, order)


def _blocked_difference(counts: Counts, level: int, reference: int) -> float:
    """Difference of two levels' rates of breaking within studies (Mantel-Haenszel weights).

    counts: (studies, levels, 3) runs that trained, collapsed and show nothing
    """
    runs = counts.sum(axis=-1).astype(float)
    broken = counts[..., 1:].sum(axis=-1)
    n, m = runs[:, level], runs[:, reference]
    both = (n > 0) & (m > 0)
    n, m = n[both], m[both]
    weights = n * m / (n + m)
    differences = broken[both, level] / n - broken[both, reference] / m
    return float(weights @ differences)


def _test_pairs(
    studies: Sequence[StudyBreaking], rng: np.random.Generator
) -> tuple[PairAcross, ...]:
    groups = _group_pairs(studies)
    counts = [np.array([_count_cells(pair) for _, pair in group]) for group in groups]
    confidence = bonferroni_confidence(sum(int((c.sum(axis=(0, 3)) > 0).sum()) for c in counts))
    p_values = adjust_holm([_test_pair_within(c, rng) for c in counts])
    pairs = [
        _make_pair(group, c.sum(axis=0), confidence, p)
        for group, c, p in zip(groups, counts, p_values, strict=True)
    ]
    return tuple(sorted(pairs, key=lambda pair: pair.p_value))


_PairGroup = list[tuple[str, PairBreaking]]
"""One pair of parameters in each study that varies both over the same levels, with its label."""


def _group_pairs(studies: Sequence[StudyBreaking]) -> list[_PairGroup]:
    members: dict[tuple[object, ...], _PairGroup] = {}
    for study in studies:
        for pair in study.breaking.pairs:
            members.setdefault((pair.paths, pair.names), []).append((study.label, pair))
    shared = {key: group for key, group in members.items() if len(group) > 1}
    return [shared[key] for key in sorted(shared, key=str)]


def _make_pair(group: _PairGroup, counts: Counts, confidence: float, p: float) -> PairAcross:
    """counts: (rows, columns, 3) over all studies."""
    _, first = group[0]
    rates = tuple(
        tuple(rates_from_counts([rate.name for rate in row], cells, confidence))
        for row, cells in zip(first.rates, counts, strict=True)
    )
    by_study = {label: pair.rates for label, pair in group}
    return PairAcross(first.paths, first.labels, rates, first.names, by_study, p)


def _count_cells(pair: PairBreaking) -> Counts:
    """(rows, columns, 3) runs that trained, collapsed and show nothing."""
    return np.array([_count_rates(row) for row in pair.rates])


def _count_rates(rates: Sequence[BreakRate]) -> Counts:
    """(rates, 3) runs that trained, collapsed and show nothing."""
    return np.array([(r.trials - r.broken, r.collapsed, r.shows_nothing) for r in rates])


def _arrange(rates: Rates, names: Sequence[str]) -> Rates:
    """The rates in the order of the names."""
    own = [rate.name for rate in rates]
    # Names of ranges may repeat ("none"), but ranges of one domain have one order.
    return rates if own == list(names) else tuple(rates[own.index(name)] for name in names)


def _test_within(counts: Counts, rng: np.random.Generator) -> float:
    """P-value that all levels have one rate within each study; counts: (studies, levels, 3)."""
    tables = np.stack([counts[..., 0], counts[..., 1:].sum(axis=-1)], axis=-1)
    return sample_blocked_p_value(list(tables), rng)


def _test_pair_within(counts: Counts, rng: np.random.Generator) -> float:
    """The uncorrected p-value of a pair; counts: (studies, rows, columns, 3)."""
    # Test each parameter within strata of study and the other; the larger p counts.
    strata = (counts, counts.swapaxes(1, 2))
    return max(_test_within(s.reshape(-1, *s.shape[2:]), rng) for s in strata)


def _compare_order(by_study: Mapping[str, Rates], level: str, other: str) -> Order:
    signs: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for label, rates in by_study.items():
        own = [r for r in rates if _is_tried(r, level)]
        others = [r for r in rates if _is_tried(r, other)]
        if own and others:
            signs[int(np.sign(own[0].rate - others[0].rate))].append(label)
    return Order(tuple(signs[1]), tuple(signs[-1]), tuple(signs[0]))


def _is_tried(rate: BreakRate, level: str) -> bool:
    return rate.name == level and rate.trials > 0


def _add_up(rates: Sequence[BreakRate]) -> tuple[int, int, int]:
    """Runs, collapsed ones and those that show nothing, over all rates."""
    return (
        sum(r.trials for r in rates),
        sum(r.collapsed for r in rates),
        sum(r.shows_nothing for r in rates),
    )
