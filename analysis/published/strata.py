"""Rates of breaking within strata: what holds for some values of the others may reverse for more.

A difference between two choices of a parameter is tested within each combination of values of
other parameters. Over all of them it is stated only if no stratum has the opposite order.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from analysis.data.selection import select_trained_or_broken
from analysis.data.study import Study
from analysis.stats.intervals import SIGNIFICANCE_LEVEL
from analysis.stats.rates import adjust_holm
from nerf.config.parameters import parameter
from study.records.outcomes import BROKEN


@dataclass(frozen=True)
class RateDifference:
    """Runs that broke with two choices of a parameter, the one with the higher rate first.

    stratum: the values of other parameters in words; empty for all runs
    p_value: of Fisher's exact test, corrected for all differences that were tested together
    """

    stratum: str
    first: str
    second: str
    broken: tuple[int, int]
    runs: tuple[int, int]
    p_value: float

    @property
    def significant(self) -> bool:
        return self.p_value < SIGNIFICANCE_LEVEL

    @property
    def text(self) -> str:
        """`relu 5/16 against sine 0/13 (p = 0.03)`."""
        (a, b), (n, m) = self.broken, self.runs
        return f"{self.first} {a}/{n} against {self.second} {b}/{m} (p = {self.p_value:.2g})"


def compare_within_strata(study: Study, path: str, strata: Sequence[str]) -> list[RateDifference]:
    """All pairs of choices within all strata, their p-values corrected together (Holm 1979)."""
    trials = select_trained_or_broken(study.trials)
    groups = [("", trials)]
    if strata:
        groups = [
            (_name_stratum(strata, values), group)
            for values, group in trials.groupby(list(strata), observed=True)
        ]
    tested = [
        _compare(name, group, path, pair)
        for name, group in groups
        for pair in itertools.combinations(sorted(group[path].unique()), 2)
    ]
    corrected = adjust_holm([d.p_value for d in tested])
    return [replace(d, p_value=p) for d, p in zip(tested, corrected, strict=True)]


def describe_within_strata(study: Study, path: str, strata: Sequence[str]) -> str:
    """The significant differences within strata, the clearest first."""
    tested = compare_within_strata(study, path, strata)
    significant = sorted((d for d in tested if d.significant), key=lambda d: d.p_value)
    within = " and ".join(parameter(other).label for other in strata)
    label = parameter(path).label
    tests = f"Fisher's exact tests of {len(tested)} pairs, corrected for their number"
    if not significant:
        return f"Within no {within} does breaking differ significantly by {label} ({tests})."
    found = "; ".join(f"{d.stratum}: {d.text}" for d in significant)
    rest = "; no other pair" if len(significant) < len(tested) else ""
    return (
        f"Runs that break by {label}, within each {within} ({tests}); significant: {found}{rest}."
    )


def describe_pooled(study: Study, path: str, strata: Sequence[str]) -> str:
    """The significant differences over all strata, of pairs whose order no stratum reverses."""
    pooled = [d for d in compare_within_strata(study, path, ()) if d.significant]
    within = compare_within_strata(study, path, strata)
    label, others = parameter(path).label, " and ".join(parameter(p).label for p in strata)
    stated: list[RateDifference] = []
    reversed_: list[RateDifference] = []
    for difference in pooled:
        pair = {difference.first, difference.second}
        of_pair = [d for d in within if {d.first, d.second} == pair and d.broken != (0, 0)]
        opposite = any(_is_opposite(d, difference) for d in of_pair)
        (reversed_ if opposite else stated).append(difference)
    parts = []
    if stated:
        parts.append(
            f"Over all values of {others}, none of which reverses the order: "
            f"{'; '.join(d.text for d in stated)}."
        )
    if reversed_:
        pairs = "; ".join(f"{d.first} and {d.second}" for d in reversed_)
        parts.append(f"Not stated over all values of {others}, some of which reverse it: {pairs}.")
    return " ".join(parts) or f"Over all values of {others} no pair of {label} differs."


def _is_opposite(stratum: RateDifference, pooled: RateDifference) -> bool:
    """Whether the order within a stratum is the other one, not just equal rates."""
    (a, b), (n, m) = stratum.broken, stratum.runs
    return stratum.first != pooled.first and a * m != b * n


def _compare(
    stratum: str, trials: pd.DataFrame, path: str, pair: tuple[object, object]
) -> RateDifference:
    from scipy.stats import fisher_exact

    broken = trials["outcome"].isin(BROKEN)
    counts = [
        (
            name_choice(path, c),
            int((broken & (trials[path] == c)).sum()),
            int((trials[path] == c).sum()),
        )
        for c in pair
    ]
    (first, a, n), (second, b, m) = sorted(counts, key=lambda c: -c[1] / c[2])
    p_value = float(fisher_exact([[a, n - a], [b, m - b]]).pvalue)
    return RateDifference(stratum, first, second, (a, b), (n, m), p_value)


def _name_stratum(strata: Sequence[str], values: Sequence[object]) -> str:
    return ", ".join(
        f"{parameter(path).label} {_format(value)}"
        for path, value in zip(strata, values, strict=True)
    )


def name_choice(path: str, value: object) -> str:
    """A choice as a heading; numbers are preceded by the parameter's label."""
    return value if isinstance(value, str) else f"{parameter(path).label} {value:g}"


def _format(value: object) -> str:
    return value if isinstance(value, str) else f"{value:g}"
