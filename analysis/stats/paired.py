"""Paired differences between configurations that were run with the same seeds.

Two runs that share a seed share their initial random draws; their difference is one observation.
Over seeds the mean difference has Student's t interval, exact if differences are normal. With few
seeds it is wide, as it should be.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.stats.intervals import SIGNIFICANCE_LEVEL, FloatArray
from analysis.stats.rates import adjust_holm

PairVerdict = Literal["agrees", "disagrees", "open"]


@dataclass(frozen=True)
class PairedDifference:
    """Mean of `first` minus `second` over the seeds that have a value of both.

    interval: 95 %; None, as the p-values are, for fewer than two seeds
    p_value: of Student's paired t test, two-sided; holm_p_value: corrected for all that were tested
    together
    """

    first: str
    second: str
    seeds: int
    mean: float
    interval: tuple[float, float] | None
    p_value: float | None
    holm_p_value: float | None = None

    @property
    def description(self) -> str:
        """The mean and its interval, such as `+0.49 [+0.08, +0.89]`; a dash without seeds."""
        if self.seeds == 0:
            return "–"
        if self.interval is None:
            return f"{self.mean:+.2f}"
        return f"{self.mean:+.2f} [{self.interval[0]:+.2f}, {self.interval[1]:+.2f}]"

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval, and 0 is outside it."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    def verdict(self, expected: float) -> PairVerdict:
        """Whether the sign agrees with that of `expected` (not 0); open if the interval holds 0."""
        if self.interval is None:
            return "open"
        low, high = self.interval if expected > 0 else (-self.interval[1], -self.interval[0])
        return "agrees" if low > 0 else "disagrees" if high < 0 else "open"


@dataclass(frozen=True)
class Judgement:
    """A difference beside the published one, both in the published order (so that it is positive).

    significant: whether the verdict remains after the correction for all pairs
    """

    difference: PairedDifference
    published: float
    verdict: PairVerdict
    significant: bool


def compare_pair(
    first: str, second: str, values: pd.DataFrame, level: float = 0.95
) -> PairedDifference:
    """The paired difference of two columns of `values`: a row for each seed, NaN where missing."""
    from scipy.stats import t

    differences: FloatArray = (values[first] - values[second]).dropna().to_numpy(np.float64)
    count = len(differences)
    mean = float(differences.mean()) if count else float("nan")
    if count < 2:
        return PairedDifference(first, second, count, mean, None, None)
    # Standard error of the mean, and the half-width of its t interval.
    error = float(differences.std(ddof=1)) / count**0.5
    half = float(t.ppf((1 + level) / 2, count - 1)) * error
    # If every seed has the same difference, it is certain: p is 0, or 1 for a difference of 0.
    p_value = float(2 * t.sf(abs(mean) / error, count - 1)) if error else float(mean == 0)
    return PairedDifference(first, second, count, mean, (mean - half, mean + half), p_value)


def compare_all_pairs(values: pd.DataFrame) -> list[PairedDifference]:
    """The difference of every pair of columns, its p-value corrected for all pairs (Holm 1979)."""
    return _correct_p_values(
        [compare_pair(a, b, values) for a, b in itertools.combinations(values.columns, 2)]
    )


def compare_with_first(values: pd.DataFrame) -> list[PairedDifference]:
    """Each other column minus the first, its p-value corrected for all of these (Holm 1979)."""
    first, *others = values.columns
    return _correct_p_values([compare_pair(other, first, values) for other in others])


def _correct_p_values(pairs: Sequence[PairedDifference]) -> list[PairedDifference]:
    # A pair that could not be tested counts as p = 1: it was looked at too.
    corrected = adjust_holm([1.0 if d.p_value is None else d.p_value for d in pairs])
    return [
        d if d.p_value is None else dataclasses.replace(d, holm_p_value=p)
        for d, p in zip(pairs, corrected, strict=True)
    ]


def judge_against_published(
    differences: Sequence[PairedDifference],
    published: Mapping[str, float],
    level: float = SIGNIFICANCE_LEVEL,
) -> list[Judgement]:
    """Whether each pair has the published order, the pair furthest apart there first.

    Pairs that are equal in `published` are left out.
    """
    judgements = []
    for d in differences:
        gap = published[d.first] - published[d.second]
        if gap == 0:
            continue
        ordered = d if gap > 0 else reverse_difference(d)
        verdict = ordered.verdict(abs(gap))
        significant = verdict != "open" and d.holm_p_value is not None and d.holm_p_value < level
        judgements.append(Judgement(ordered, abs(gap), verdict, significant))
    return sorted(judgements, key=lambda j: -j.published)


def reverse_difference(d: PairedDifference) -> PairedDifference:
    """The same difference with the other sign: `second` minus `first`."""
    interval = None if d.interval is None else (-d.interval[1], -d.interval[0])
    return PairedDifference(
        d.second, d.first, d.seeds, -d.mean, interval, d.p_value, d.holm_p_value
    )
