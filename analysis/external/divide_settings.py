"""Divides parameters and trials: those of the whole analysis, those of branches, and the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.data.design import Branch
from analysis.external.branches import find_branches
from analysis.external.counts import count
from analysis.external.settings import Settings
from analysis.external.sweep import ExternalTrial
from study.spec.space import Dimension

_MAX_MISSING = 0.2  # of the trials: a parameter that more of them lack is left out, else the trials


@dataclass(frozen=True)
class Parts:
    """The parameters that all analysed trials have, and those of branches.

    shared, own: setting -> dimension
    """

    shared: dict[str, Dimension]
    own: dict[str, Dimension]
    branches: tuple[Branch, ...]
    left_out: tuple[str, ...]


def divide_settings(trials: Sequence[ExternalTrial], settings: Settings) -> Parts:
    """Divides the parameters into shared ones and those of branches.

    A parameter that some trials lack for no visible reason is left out, or, where they are few,
    these trials are.
    """
    lacking = {n: sum(n not in t.settings for t in trials) for n in settings.dimensions}
    whole = {n: d for n, d in settings.dimensions.items() if not lacking[n]}
    partial = {n: d for n, d in settings.dimensions.items() if lacking[n]}
    branches = find_branches(trials, whole, partial) if partial else ()
    paths = {dimension.path for branch in branches for dimension in branch.dimensions}
    own = {n: d for n, d in partial.items() if d.path in paths}
    few = {n for n in partial if n not in own and lacking[n] <= _MAX_MISSING * len(trials)}
    left_out = tuple(
        f"{name}: {lacking[name]} of {len(trials)} trials lack it"
        for name in partial
        if name not in own and name not in few
    )
    shared = {n: d for n, d in settings.dimensions.items() if not lacking[n] or n in few}
    return Parts(shared, own, branches, left_out)


def select_within(
    trials: Sequence[ExternalTrial], dimensions: Mapping[str, Dimension]
) -> tuple[list[ExternalTrial], list[str]]:
    """The trials that have a place in the space, and how many of the others lack what.

    Failed trials without a value stay: they count, but nothing is estimated from their settings.
    """
    kept, lacking, outside = [], 0, 0
    for trial in trials:
        held = {name: d for name, d in dimensions.items() if name in trial.settings}
        if len(held) < len(dimensions) and trial.state != "failed":
            lacking += 1
        elif not all(_contains(d, trial.settings[name]) for name, d in held.items()):
            outside += 1
        else:
            kept.append(trial)
    reasons = []
    if lacking:
        reasons.append(f"{count(lacking, 'trial')} without a value of some parameter")
    if outside:
        reasons.append(f"{count(outside, 'trial')} outside the range of some parameter")
    return kept, reasons


def _contains(dimension: Dimension, value: object) -> bool:
    if dimension.choices:
        return value in dimension.choices or str(value) in dimension.choices
    return dimension.low <= float(value) <= dimension.high  # type: ignore[arg-type]
