"""The same question put to several studies: per study, pooled, and where they disagree."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.findings.analyze_study import Findings
from analysis.importance.shares import SobolShare
from analysis.stats.intervals import INTERVAL_QUANTILES
from nerf.common.errors import InputError


@dataclass(frozen=True)
class ComparedParameter:
    """One parameter's total share in each study that varied it and could rank.

    shares: study name -> share; pooled, low, high: mean over those studies, 95 % interval
    disagreeing: pairs of studies whose intervals do not touch
    """

    path: str
    label: str
    shares: dict[str, SobolShare]
    pooled: float
    low: float
    high: float
    disagreeing: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Comparison:
    """Several studies side by side; highest pooled share first.

    differences: what else differs between the studies and may explain a disagreement
    unranked: study name -> why it could not rank
    """

    parameters: tuple[ComparedParameter, ...]
    differences: tuple[str, ...]
    unranked: dict[str, str]


def compare_studies(studies: Sequence[Findings]) -> Comparison:
    """The shares of all studies; raises `InputError` where two have one name or none varies a
    parameter of another."""
    names = [found.study.name for found in studies]
    if len(set(names)) < len(names):
        raise InputError(f"two studies have one name ({', '.join(names)}); give each its own")
    ranked = [found for found in studies if found.importance.ranked]
    paths = list(dict.fromkeys(d.path for found in studies for d in found.study.space.dimensions))
    if len(studies) > 1 and len(paths) == sum(len(f.study.space.dimensions) for f in studies):
        raise InputError("the studies vary no parameter in common; there is nothing to compare")
    compared = [c for path in paths if (c := _compared(path, ranked)) is not None]
    compared.sort(key=lambda c: c.pooled, reverse=True)
    unranked = {f.study.name: f.importance.refusal for f in studies if not f.importance.ranked}
    return Comparison(tuple(compared), _differences(studies), unranked)


def _compared(path: str, ranked: Sequence[Findings]) -> ComparedParameter | None:
    shares: dict[str, SobolShare] = {}
    again = []
    for found in ranked:
        paths = [d.path for d in found.study.space.dimensions]
        model = found.sobol.model
        if path in paths and model is not None:
            share = next(s for s in found.importance.shares if s.path == path)
            shares[found.study.name] = share
            again.append(model.bootstrapped.total_shares[paths.index(path)])
    if not shares:
        return None
    pooled = float(np.mean([share.total for share in shares.values()]))
    low, high = (float(q) for q in np.quantile(np.mean(again, axis=0), INTERVAL_QUANTILES))
    apart = tuple(
        (a, b)
        for (a, first), (b, second) in itertools.combinations(shares.items(), 2)
        if first.total_low > second.total_high or second.total_low > first.total_high
    )
    label = next(iter(shares.values())).label
    return ComparedParameter(path, label, shares, pooled, min(low, pooled), max(high, pooled), apart)


def _differences(studies: Sequence[Findings]) -> tuple[str, ...]:
    """What the studies do not have in common: scenes, budgets, domains."""
    found = []
    scenes = {f.study.name: str(f.study.scene.get("name", "unknown")) for f in studies}
    budgets = {
        f.study.name: int(f.study.trials["budget_steps"].max())
        for f in studies
        if len(f.study.trials)
    }
    for what, values in (("scene", scenes), ("budget in steps", budgets)):
        if len(set(values.values())) > 1:
            listed = ", ".join(f"{name} {value}" for name, value in values.items())
            found.append(f"{what}: {listed}")
    domains: dict[str, set[str]] = {}
    for study in studies:
        for dimension in study.study.space.dimensions:
            domains.setdefault(dimension.path, set()).add(str(dimension))
    found += [
        f"domain: {' against '.join(sorted(texts))}" for texts in domains.values() if len(texts) > 1
    ]
    return tuple(found)
