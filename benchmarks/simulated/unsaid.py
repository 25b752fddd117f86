"""True things of some size that no claim of a study says."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.claims.claim import Claim, Kind
from simulated.scoring import Case
from simulated.truth import Truth
from simulated.value_sets import ValueSet

LARGE_SHARE = 0.1
"""Share of the variance from which a parameter or an interaction should be named."""

SMALL_LOSS = 0.1
"""Loss in dB up to which values should be claimed as good."""

LARGE_LOSS = 0.5
"""Loss in dB beyond which values should be claimed as worse."""

LARGE_GAIN = 0.3
"""True gain in dB of the best configuration that should be claimed."""

LARGE_RATE_DIFFERENCE = 0.25
"""Difference between the rates of breaking of two levels, from which a parameter breaks."""

LARGE_DIVERGENCE = 0.3
"""Pearson divergence of the best tenth from which a parameter sets it apart."""


@dataclass(frozen=True)
class Unsaid:
    """How much of what could be said was not; of values the prior probability, else a count."""

    missed: float
    possible: float


def find_unsaid(claims: Sequence[Claim], case: Case) -> dict[Kind, Unsaid]:
    """What is left unsaid, by the kind of claim that would say it; only what could be said."""
    truth = case.truth
    paths = truth.objective.paths
    large = [path for path in paths if truth.share(path) > LARGE_SHARE]
    unsaid: dict[Kind, Unsaid] = {
        "share": _count(large, _named(claims, "share")),
        "moves": _count(large, _named(claims, "share", "moves")),
        "best_value": _count(large, _named(claims, "best_value")),
        "as_good": _unclaimed_values(claims, truth, "as_good"),
        "worse": _unclaimed_values(claims, truth, "worse"),
        "interaction": _unnamed_pairs(claims, truth),
        "breaks": _count(
            [path for path in paths if np.ptp(truth.rates(path)) > LARGE_RATE_DIFFERENCE],
            _named(claims, "breaks", "safe", "breaks_pair"),
        ),
        "top_tenth": _count(
            [path for path in paths if truth.divergence_of_top(path) > LARGE_DIVERGENCE],
            _named(claims, "top_tenth"),
        ),
        "gain_over_default": _unclaimed_gain(claims, case),
        "edge_of_range": _count(
            [path for path in large if _rises_to_an_edge(truth, path)],
            _named(claims, "edge_of_range"),
        ),
    }
    return {kind: one for kind, one in unsaid.items() if one.possible > 0.0}


def _named(claims: Sequence[Claim], *kinds: Kind) -> set[str]:
    return {
        ValueSet.parse(parameter).path
        for claim in claims
        if claim.kind in kinds
        for parameter in claim.parameters
    }


def _count(true: Collection[str], named: Collection[str]) -> Unsaid:
    return Unsaid(len([path for path in true if path not in named]), len(true))


def _unclaimed_values(claims: Sequence[Claim], truth: Truth, kind: Kind) -> Unsaid:
    """The part of the prior that is truly as good, or worse, and not claimed to be."""
    missed = possible = 0.0
    for path, dimension in zip(truth.objective.paths, truth.objective.dimensions, strict=True):
        profile, losses = truth.profile(path), truth.losses(path)
        true = losses <= SMALL_LOSS if kind == "as_good" else losses > LARGE_LOSS
        sets = [ValueSet.parse(c.parameters[0]) for c in claims if c.kind == kind]
        claimed = np.zeros(len(true), dtype=bool)
        for values in sets:
            if values.path == path:
                claimed |= values.select(dimension, profile.grid)
        possible += float(profile.chances[true].sum())
        missed += float(profile.chances[true & ~claimed].sum())
    return Unsaid(missed, possible)


def _unnamed_pairs(claims: Sequence[Claim], truth: Truth) -> Unsaid:
    in_interactions = [
        path
        for path in truth.objective.paths
        if truth.share(path) - truth.alone(path) > LARGE_SHARE / 2.0
    ]
    true = {
        frozenset(pair)
        for pair in itertools.combinations(in_interactions, 2)
        if truth.interaction(*pair) > LARGE_SHARE
    }
    named = {frozenset(claim.parameters) for claim in claims if claim.kind == "interaction"}
    return Unsaid(len(true - named), len(true))


def _unclaimed_gain(claims: Sequence[Claim], case: Case) -> Unsaid:
    if case.best is None or case.true_gain(case.best) <= LARGE_GAIN:
        return Unsaid(0, 0)
    gains = [claim for claim in claims if claim.kind == "gain_over_default"]
    claimed = any(claim.low is not None and claim.low >= 0.0 for claim in gains)
    return Unsaid(0 if claimed else 1, 1)


def _rises_to_an_edge(truth: Truth, path: str) -> bool:
    """Whether the best value is an end of the range, and a tenth of the range within is worse."""
    losses = truth.losses(path)
    objective = truth.objective
    if objective.dimensions[objective.paths.index(path)].choices or len(losses) < 10:
        return False
    inner = len(losses) // 10
    return bool(
        (losses[0] == 0.0 and losses[inner] > SMALL_LOSS)
        or (losses[-1] == 0.0 and losses[-1 - inner] > SMALL_LOSS)
    )
