"""Breaking against one parameter over several studies, blocked by study.

A rate over the studies is the mean over them, weighted by their runs. Tests and differences of
levels compare runs of the same study only, so that a scene on which everything breaks cannot pass
for the effect of a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.findings.breaking import BreakingAnalysis, ParameterBreaking
from analysis.stats.blocked_test import sample_blocked_p_value
from analysis.stats.intervals import SIGNIFICANCE_LEVEL
from analysis.stats.rate_difference import RateDifference, blocked_rate_difference
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

    level, reference: counts added up over all studies
    difference: rate of the level minus that of the reference within studies (Mantel-Haenszel); the
    intervals of all contrasts of all parameters hold at once
    p_value: of an exact Mantel-Haenszel test within studies, Holm-corrected for all contrasts
    """

    level: BreakRate
    reference: BreakRate
    difference: RateDifference
    p_value: float
    order: Order

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is small and the interval, wider than it, without 0."""
        return self.p_value < SIGNIFICANCE_LEVEL and self.difference.sign != 0


@dataclass(frozen=True)
class ParameterAcross:
    """Breaking against one parameter over the studies that vary it over the same levels.

    rates: of each level, the mean over these studies weighted by their runs; the intervals of all
    parameters hold at once
    by_study: label -> rates of each level; the intervals hold at once within a study
    quiet: the studies in which no run breaks, whatever its parameters
    p_value: that all levels have one rate in each study; Holm-corrected for all parameters
    contrasts: of each other level with the reference, if a study has runs of both
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
        return np.array([count_rates(rates) for rates in self.by_study.values()])

    @property
    def reference(self) -> int:
        """The level that others are compared with, by the first study's default."""
        return self.names.index(self.members[0][0].references[self.first.path])

    @property
    def comparable(self) -> list[int]:
        """The other levels of which some study has runs, and of the reference as well."""
        tried = self.counts.sum(axis=-1) > 0  # (studies, levels)
        together = (tried & tried[:, [self.reference]]).any(axis=0)
        return [i for i in np.flatnonzero(together).tolist() if i != self.reference]

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


def analyze_parameters(
    studies: Sequence[StudyBreaking], rng: np.random.Generator
) -> tuple[ParameterAcross, ...]:
    """Every parameter that at least two studies vary over the same levels, lowest p-value first."""
    groups = _group_parameters(studies)
    confidence = bonferroni_confidence(
        sum(int((group.counts.sum(axis=(0, 2)) > 0).sum()) for group in groups)
    )
    p_values = adjust_holm([p_value_within(group.counts, rng) for group in groups])
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
    places = [(g, i) for g in groups for i in g.comparable]
    confidence = bonferroni_confidence(len(places))
    p_values = adjust_holm([p_value_within(g.counts[:, [g.reference, i]], rng) for g, i in places])
    contrasts: dict[int, list[BreakContrast]] = {id(group): [] for group in groups}
    for (group, i), p in zip(places, p_values, strict=True):
        contrasts[id(group)].append(_contrast(group, i, confidence, p))
    return [tuple(contrasts[id(group)]) for group in groups]


def _contrast(group: _Group, level: int, confidence: float, p_value: float) -> BreakContrast:
    own = [level, group.reference]
    names = [group.names[i] for i in own]
    counts = group.counts[:, own]
    first, second = rates_from_counts(names, counts.sum(axis=0), confidence)
    difference = blocked_rate_difference(counts[..., 1:].sum(-1), counts.sum(-1), confidence)
    order = _compare_order(group.by_study, *names)
    return BreakContrast(first, second, difference, p_value, order)


def count_rates(rates: Sequence[BreakRate]) -> Counts:
    """(rates, 3) runs that trained, collapsed and show nothing."""
    return np.array([(r.trials - r.broken, r.collapsed, r.shows_nothing) for r in rates])


def _arrange(rates: Rates, names: Sequence[str]) -> Rates:
    """The rates in the order of the names."""
    own = [rate.name for rate in rates]
    # Names of ranges may repeat ("none"), but ranges of one domain have one order.
    return rates if own == list(names) else tuple(rates[own.index(name)] for name in names)


def p_value_within(counts: Counts, rng: np.random.Generator) -> float:
    """P-value that all levels have one rate within each study; counts: (studies, levels, 3)."""
    tables = np.stack([counts[..., 0], counts[..., 1:].sum(axis=-1)], axis=-1)
    return sample_blocked_p_value(list(tables), rng)


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
