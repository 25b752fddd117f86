"""Which choices break training on several studies, such as one for each scene: blocked by study.

Studies that vary a parameter over the same levels are compared level by level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.findings.pairs_across import PairAcross, analyze_pairs
from analysis.findings.parameters_across import (
    ParameterAcross,
    StudyBreaking,
    analyze_parameters,
)
from analysis.stats.rates import BreakRate


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
    parameters = analyze_parameters(studies, rng)
    shared = {parameter.path for parameter in parameters}
    varied = Counter((p.path, p.label) for s in studies for p in s.breaking.parameters)
    left_out = [
        label for (path, label), count in varied.items() if count > 1 and path not in shared
    ]
    return BreakingAcross(
        tuple(s.label for s in studies),
        BreakRate.from_counts("all", *overall),
        parameters,
        analyze_pairs(studies, rng),
        tuple(sorted(left_out)),
    )


def _add_up(rates: Sequence[BreakRate]) -> tuple[int, int, int]:
    """Runs, collapsed ones and those that show nothing, over all rates."""
    return (
        sum(r.trials for r in rates),
        sum(r.collapsed for r in rates),
        sum(r.shows_nothing for r in rates),
    )
