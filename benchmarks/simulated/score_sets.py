"""Are claims on several studies true? Against the truth of each study of a set.

A rate over studies is the mean of their true rates, weighted by the runs that the studies have; a
difference of two rates is that within studies.
Besides the claims, what their sentences say of the order of two levels is counted: "on all studies"
is false if the true rates of one of them are not in that order, "on none" if those of one are in
the other, and a study that is named as reversed should be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

from analysis.claims.claim import Claim
from analysis.data.selection import select_trained_or_broken
from analysis.data.study import Study
from analysis.findings.breaking_across import BreakingAcross
from analysis.findings.parameters_across import ParameterAcross
from analysis.surrogate.unit_cube import to_quantiles
from simulated.scoring import PRINTED, Verdict
from simulated.study_sets import StudySet
from simulated.truth import Truth
from simulated.value_sets import ValueSet

EQUAL_LEVELS = "breaks_across, of a set with levels that are equal"
ON_ALL = "order of worst and safest: on all studies"
ON_NONE = "order of worst and safest: reversed on none"
REVERSED = "order of worst and safest: a study that reverses it"

_EQUAL = 0.01  # rates of levels by brute force, which scatter with other parameters, are equal

_RATE_KINDS = ("breaks_across", "safe_across", "breaks_pair_across")

SET_CLAIMS = (*_RATE_KINDS, "breaks_instead", "psnr_instead", "time_instead")
"""Kinds of claims that are scored here."""


@dataclass(frozen=True)
class SetCase:
    """The studies of a set with the truth behind them, by the same labels."""

    of_set: StudySet
    truths: Mapping[str, Truth]
    studies: Mapping[str, Study]

    def rate(self, sets: Sequence[ValueSet]) -> float:
        """The mean over studies of the true rate with these values, weighted by their runs."""
        runs = [_count_runs(study, sets) for study in self.studies.values()]
        rates = [truth.rate(sets) or 0.0 for truth in self.truths.values()]
        return float(np.average(rates, weights=runs))

    def rate_difference(self, level: ValueSet, reference: ValueSet) -> float:
        """The mean over studies of the difference of true rates, with Mantel-Haenszel weights."""
        weights, differences = [], []
        for label, study in self.studies.items():
            n, m = _count_runs(study, [level]), _count_runs(study, [reference])
            truth = self.truths[label]
            weights.append(n * m / max(n + m, 1))
            differences.append((truth.rate([level]) or 0.0) - (truth.rate([reference]) or 0.0))
        return float(np.average(differences, weights=weights))


def score_set(
    claims: Sequence[Claim], breaking: BreakingAcross, case: SetCase
) -> dict[str, tuple[int, int, int]]:
    """How many claims of each kind, and statements of order, are true, false and not scored."""
    verdicts: Counter[tuple[str, Verdict]] = Counter()
    for claim in claims:
        if claim.kind in SET_CLAIMS:
            held = _holds(claim, _true_value(claim, case))
            verdicts[claim.kind, "true" if held else "false"] += 1
    idle = [p for p in breaking.parameters if _is_idle(p, case)]
    if idle:
        verdicts[EQUAL_LEVELS, "false" if any(p.significant for p in idle) else "true"] += 1
    for parameter in breaking.significant_parameters:
        verdicts.update(_score_order(parameter, case))
    kinds = sorted({kind for kind, _ in verdicts})
    return {kind: (verdicts[kind, "true"], verdicts[kind, "false"], 0) for kind in kinds}


def _holds(claim: Claim, truth: float) -> bool:
    assert claim.low is not None
    assert claim.high is not None
    return claim.low - PRINTED <= truth <= claim.high + PRINTED


def _true_value(claim: Claim, case: SetCase) -> float:
    sets = [ValueSet.parse(parameter) for parameter in claim.parameters]
    if claim.kind in _RATE_KINDS:
        return case.rate(sets)
    level, reference = sets
    if claim.kind == "breaks_instead":
        return case.rate_difference(level, reference)
    tables = {"psnr_instead": case.of_set.kind.psnr, "time_instead": case.of_set.kind.log_seconds}
    places = (_place(level, case), _place(reference, case))
    effect = case.of_set.effect(tables[claim.kind], level.path, *places)
    return exp(effect) if claim.kind == "time_instead" else effect


def _place(level: ValueSet, case: SetCase) -> int:
    """The index of the one level that a claim names."""
    objective = next(iter(case.of_set.objectives.values()))
    dimension = objective.dimensions[objective.paths.index(level.path)]
    return int(level.only_value(dimension) * len(dimension.choices))


def _count_runs(study: Study, sets: Sequence[ValueSet]) -> int:
    trials, dimensions = select_trained_or_broken(study.trials), study.space.dimensions
    units, inside = to_quantiles(trials, dimensions), np.ones(len(trials), dtype=bool)
    for values in sets:
        j = [d.path for d in dimensions].index(values.path)
        inside &= values.select(dimensions[j], units[:, j])
    return int(inside.sum())


def _true_rates(path: str, case: SetCase) -> dict[str, list[float]]:
    return {label: truth.rates(path) for label, truth in case.truths.items()}


def _is_idle(parameter: ParameterAcross, case: SetCase) -> bool:
    rates = _true_rates(parameter.path, case).values()
    return all(max(of_study) - min(of_study) < _EQUAL for of_study in rates)


def _score_order(parameter: ParameterAcross, case: SetCase) -> Counter[tuple[str, Verdict]]:
    """What the sentence on the worst level says of its order against the safest."""
    verdicts: Counter[tuple[str, Verdict]] = Counter()
    names = [rate.name for rate in parameter.rates]
    worst, safest = (names.index(r.name) for r in (parameter.worst, parameter.safest))
    gaps = {
        label: rates[worst] - rates[safest]
        for label, rates in _true_rates(parameter.path, case).items()
    }
    order = parameter.order(parameter.worst.name, parameter.safest.name)
    if len(order.more) == order.studies:
        verdicts[ON_ALL, "true" if all(g > _EQUAL for g in gaps.values()) else "false"] += 1
    if not order.fewer:
        verdicts[ON_NONE, "true" if all(g > -_EQUAL for g in gaps.values()) else "false"] += 1
    for label in order.fewer:
        verdicts[REVERSED, "true" if gaps[label] < 0.0 else "false"] += 1
    return verdicts
