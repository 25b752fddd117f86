"""Breaking against two parameters at once over several studies, blocked by study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.findings.breaking import PairBreaking
from analysis.findings.parameters_across import Rates, StudyBreaking, count_rates, p_value_within
from analysis.stats.intervals import SIGNIFICANCE_LEVEL
from analysis.stats.rates import (
    BreakRate,
    Counts,
    adjust_holm,
    bonferroni_confidence,
    rates_from_counts,
)


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


def analyze_pairs(
    studies: Sequence[StudyBreaking], rng: np.random.Generator
) -> tuple[PairAcross, ...]:
    """Every pair that at least two studies vary over the same levels, of lowest p-value first."""
    groups = _group_pairs(studies)
    counts = [np.array([_count_cells(pair) for _, pair in group]) for group in groups]
    confidence = bonferroni_confidence(sum(int((c.sum(axis=(0, 3)) > 0).sum()) for c in counts))
    p_values = adjust_holm([_pair_p_value_within(c, rng) for c in counts])
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
    return np.array([count_rates(row) for row in pair.rates])


def _pair_p_value_within(counts: Counts, rng: np.random.Generator) -> float:
    """The uncorrected p-value of a pair; counts: (studies, rows, columns, 3)."""
    # Test each parameter within strata of study and the other; the larger p counts.
    strata = (counts, counts.swapaxes(1, 2))
    return max(p_value_within(s.reshape(-1, *s.shape[2:]), rng) for s in strata)
