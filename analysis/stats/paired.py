"""Configurations that were run with the same seeds, held against one another pair by pair.

Two runs that share a seed share their initial random draws; their difference is the observation.
Over seeds it has Student's t interval, exact where differences are normal. With few seeds that is
wide, as it should be.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.stats.intervals import FloatArray
from analysis.stats.rates import adjust_holm

Verdict = Literal["agrees", "disagrees", "open"]


@dataclass(frozen=True)
class PairedDifference:
    """How much more `first` has than `second`, mean over the seeds that both have figures for.

    interval: 95 %; None, with p_value and holm, where fewer than two seeds have
    p_value: of Student's paired t test, two-sided; holm: the same, corrected for every pair
    """

    first: str
    second: str
    seeds: int
    mean: float
    interval: tuple[float, float] | None
    p_value: float | None
    holm_p_value: float | None = None

    def verdict(self, expected: float) -> Verdict:
        """Does its interval lie on that side of 0 on which `expected`, not 0, does?"""
        if self.interval is None:
            return "open"
        low, high = self.interval if expected > 0 else (-self.interval[1], -self.interval[0])
        return "agrees" if low > 0 else "disagrees" if high < 0 else "open"


@dataclass(frozen=True)
class Judgement:
    """A difference beside the one that was published; both of the order that was published."""

    difference: PairedDifference
    published: float
    verdict: Verdict
    significant: bool
    """Does the verdict stand after the correction for all pairs?"""


def compare_pair(first: str, second: str, values: pd.DataFrame, level: float = 0.95) -> PairedDifference:
    """The paired difference of two columns of `values`, a row a seed, NaN where there is none."""
    from scipy.stats import t

    gaps: FloatArray = (values[first] - values[second]).dropna().to_numpy(np.float64)
    count = len(gaps)
    mean = float(gaps.mean()) if count else float("nan")
    if count < 2:
        return PairedDifference(first, second, count, mean, None, None)
    error = float(gaps.std(ddof=1)) / count**0.5
    half = float(t.ppf((1 + level) / 2, count - 1)) * error
    # Without an error every seed has the same difference.
    p_value = float(2 * t.sf(abs(mean) / error, count - 1)) if error else float(mean == 0)
    return PairedDifference(first, second, count, mean, (mean - half, mean + half), p_value)


def compare_all_pairs(values: pd.DataFrame) -> list[PairedDifference]:
    """Every pair of columns in their order, with p-values corrected for all of them (Holm 1979)."""
    found = [compare_pair(a, b, values) for a, b in itertools.combinations(values.columns, 2)]
    corrected = adjust_holm([1.0 if d.p_value is None else d.p_value for d in found])
    return [
        d if d.p_value is None else dataclasses.replace(d, holm_p_value=p)
        for d, p in zip(found, corrected, strict=True)
    ]


def judge_against_published(
    found: Sequence[PairedDifference], published: Mapping[str, float], level: float = 0.05
) -> list[Judgement]:
    """The pairs whose published figures differ, the widest apart first.

    Each is turned so that its published difference is positive.
    """
    out = []
    for d in found:
        gap = published[d.first] - published[d.second]
        if gap == 0:
            continue
        turned = d if gap > 0 else reverse_difference(d)
        verdict = turned.verdict(abs(gap))
        beyond = verdict != "open" and d.holm_p_value is not None and d.holm_p_value < level
        out.append(Judgement(turned, abs(gap), verdict, beyond))
    return sorted(out, key=lambda j: -j.published)


def reverse_difference(d: PairedDifference) -> PairedDifference:
    """The same difference, of the second from the first."""
    interval = None if d.interval is None else (-d.interval[1], -d.interval[0])
    return PairedDifference(d.second, d.first, d.seeds, -d.mean, interval, d.p_value, d.holm_p_value)
