"""Looks of simulated studies at what they have explored, with the truth: made, stored, stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.findings.rank_parameters import Ranking, rank_parameters
from analysis.findings.settle import TOP
from analysis.importance.shares import NEGLIGIBLE_SHARE
from analysis.stats.threads import single_threaded
from simulated.objectives import find_objective
from simulated.scoring import PRINTED
from simulated.simulate_study import simulate_study
from simulated.truth import find_truth
from study.spec.stopping_rule import list_looks

FIXED = 128
"""Explored trials of the study that does not look, and the most of one that does."""


@dataclass(frozen=True)
class Interval:
    """A share at a look, and the truth."""

    path: str
    truth: float
    share: float
    low: float
    high: float
    rank: int
    rank_low: int
    rank_high: int

    @property
    def half_width(self) -> float:
        return 0.5 * (self.high - self.low)

    @property
    def holds(self) -> bool:
        """Whether the interval, as it is printed, holds the truth."""
        return self.low - PRINTED <= self.truth <= self.high + PRINTED

    @property
    def is_significant(self) -> bool:
        return self.low > NEGLIGIBLE_SHARE


@dataclass(frozen=True)
class Look:
    """What a study knows after so many explored trials; intervals: highest share first.

    trained: how many of them trained; unexplained: part of the variance that no parameter explains
    """

    trials: int
    trained: int
    ranked: bool
    r2: float
    unexplained: float
    intervals: tuple[Interval, ...]

    @property
    def top(self) -> tuple[Interval, ...]:
        return self.intervals[:TOP]

    def is_narrow(self, margin: float) -> bool:
        """Whether the highest shares are known to a margin."""
        return self.ranked and all(one.half_width <= margin for one in self.top)

    @property
    def is_ordered(self) -> bool:
        """Whether the ranks of the highest shares are certain."""
        return self.ranked and all(one.rank_low == one.rank_high for one in self.top)


@dataclass(frozen=True)
class SimulatedLooks:
    """All looks of one study."""

    objective: str
    index: int
    looks: tuple[Look, ...]

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> SimulatedLooks:
        """Reads what `dataclasses.asdict` gave."""
        looks = tuple(
            Look(**{**look, "intervals": tuple(Interval(**i) for i in look["intervals"])})
            for look in data["looks"]
        )
        return SimulatedLooks(data["objective"], data["index"], looks)


@dataclass(frozen=True)
class Stopped:
    """Where a rule stops a study: at its last look, settled or not."""

    look: Look
    is_settled: bool


LAZY_MARGIN = 0.1


def look_at_study(task: tuple[str, int, bool]) -> SimulatedLooks:
    """Simulates a study of `FIXED` trials, and ranks its parameters at each look.

    task: objective, index of the study, and whether to look no further once the highest shares are
    known to `LAZY_MARGIN`
    """
    name, index, is_lazy = task
    study = simulate_study(find_objective(name), FIXED, index)
    explored = study.trials[study.trials["phase"] == "explore"]
    looks: list[Look] = []
    with single_threaded():
        for trials in list_looks(FIXED):
            so_far = dataclasses.replace(study, trials=explored.head(trials))
            looks.append(_describe(name, trials, rank_parameters(so_far)))
            if is_lazy and looks[-1].is_narrow(LAZY_MARGIN):
                break
    return SimulatedLooks(name, index, tuple(looks))


def stop_at(meets: Sequence[bool], looks: Sequence[Look]) -> Stopped:
    """The first look that meets a rule, or the last one."""
    for look, is_met in zip(looks, meets, strict=True):
        if is_met:
            return Stopped(look, True)
    return Stopped(looks[-1], False)


def _describe(name: str, trials: int, ranking: Ranking) -> Look:
    truth, importance = find_truth(name), ranking.importance
    intervals = tuple(
        Interval(
            s.path, truth.share(s.path), s.share, s.share_low, s.share_high, s.rank, s.rank_low,
            s.rank_high,
        )
        for s in importance.shares
    )  # fmt: skip
    unexplained = importance.unexplained.share if importance.unexplained else 1.0
    r2 = importance.r2 if importance.shares else 0.0
    return Look(trials, importance.trials, importance.ranked, r2, unexplained, intervals)
