"""Comparison of several studies: shares in each, pooled, and where the studies disagree."""

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
    """One parameter's total share in each study that varied it and ranked its parameters.

    shares: study name -> share; pooled, low, high: mean over those studies with its 95 % interval
    disagreeing: pairs of studies whose intervals do not overlap
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
    unranked: study name -> why its parameters are not ranked
    """

    parameters: tuple[ComparedParameter, ...]
    differences: tuple[str, ...]
    unranked: dict[str, str]


def compare_studies(studies: Sequence[Findings]) -> Comparison:
    """Compares the shares of several studies, parameter by parameter.

    Raises `InputError` if two studies have the same name or no parameter is varied by two of them.

    Example:
        >>> comparison = compare_studies([analyze_study("studies/a"), analyze_study("studies/b")])
        >>> [(p.label, p.pooled, p.disagreeing) for p in comparison.parameters]
    """
    names = [findings.study.name for findings in studies]
    if len(set(names)) < len(names):
        raise InputError(f"two studies have the same name ({', '.join(names)}); give each its own")
    ranked = [findings for findings in studies if findings.importance.ranked]
    varied = [[d.path for d in findings.study.space.dimensions] for findings in studies]
    paths = list(dict.fromkeys(path for of_study in varied for path in of_study))
    if len(studies) > 1 and len(paths) == sum(map(len, varied)):
        raise InputError("the studies vary no parameter in common; there is nothing to compare")
    compared = [c for path in paths if (c := _compare_parameter(path, ranked)) is not None]
    compared.sort(key=lambda c: c.pooled, reverse=True)
    unranked = {f.study.name: f.importance.refusal for f in studies if not f.importance.ranked}
    return Comparison(tuple(compared), _list_differences(studies), unranked)


def _compare_parameter(path: str, ranked: Sequence[Findings]) -> ComparedParameter | None:
    shares: dict[str, SobolShare] = {}
    draws = []  # of each study, (R,) total shares
    for findings in ranked:
        paths = [d.path for d in findings.study.space.dimensions]
        model = findings.sobol.model
        if path in paths and model is not None:
            share = next(s for s in findings.importance.shares if s.path == path)
            shares[findings.study.name] = share
            draws.append(model.bootstrapped.total_shares[paths.index(path)])
    if not shares:
        return None
    pooled = float(np.mean([share.total for share in shares.values()]))
    # Studies are independent: the mean of their r-th draws is a draw of the mean.
    low, high = (float(q) for q in np.quantile(np.mean(draws, axis=0), INTERVAL_QUANTILES))
    disagreeing = tuple(
        (a, b)
        for (a, first), (b, second) in itertools.combinations(shares.items(), 2)
        if first.total_low > second.total_high or second.total_low > first.total_high
    )
    label = next(iter(shares.values())).label
    return ComparedParameter(
        path, label, shares, pooled, min(low, pooled), max(high, pooled), disagreeing
    )


def _list_differences(studies: Sequence[Findings]) -> tuple[str, ...]:
    """What else differs between the studies: scenes, budgets, domains."""
    differences = []
    scenes = {f.study.name: str(f.study.scene.get("name", "unknown")) for f in studies}
    budgets = {
        f.study.name: int(f.study.trials["budget_steps"].max())
        for f in studies
        if len(f.study.trials)
    }
    for what, values in (("scene", scenes), ("budget in steps", budgets)):
        if len(set(values.values())) > 1:
            listed = ", ".join(f"{name} {value}" for name, value in values.items())
            differences.append(f"{what}: {listed}")
    domains: dict[str, set[str]] = {}
    for findings in studies:
        for dimension in findings.study.space.dimensions:
            domains.setdefault(dimension.path, set()).add(str(dimension))
    differences += [
        f"domain: {' against '.join(sorted(texts))}" for texts in domains.values() if len(texts) > 1
    ]
    return tuple(differences)
