"""Checks an expectation, such as `lr > width`, against a study's shares: for use in CI."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from analysis.findings.analyze_study import BranchFindings, Findings
from analysis.stats.intervals import INTERVAL_QUANTILES
from analysis.surrogate.posterior_draws import widen
from nerf.common.errors import InputError, closest

_FORM = re.compile(r"\s*(.+?)\s*([<>])\s*(.+?)\s*")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True)
class Expectation:
    """`A > B` or `A < B`: a parameter's share against another's, or against a per cent of the
    variance.
    """

    text: str
    parameter: str
    is_greater: bool
    bound: str | float
    """Another parameter, or a fraction."""


@dataclass(frozen=True)
class Check:
    """An expectation held against a study; text: what was estimated, a sentence."""

    holds: bool
    text: str


def parse_expectation(text: str) -> Expectation:
    """Parses `A > B`, `A < B`, `A > 30%` or `A < 5%`; raises `InputError` for anything else."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise InputError(f"--expect must be like 'lr > width' or 'lr > 30%', got {text!r}")
    parameter, relation, other = match.groups()
    percent = _PERCENT.fullmatch(other)
    bound = float(percent[1]) / 100 if percent else other
    return Expectation(text.strip(), parameter, relation == ">", bound)


def check_expectation(expectation: Expectation, findings: Findings) -> Check:
    """Whether the expectation holds with its whole 95 % interval.

    It does not where nothing is ranked. A parameter that only some trials have is named as
    `momentum` or, of one branch among several, as `opt=sgd:momentum`. Raises `InputError` for a
    parameter that was not analysed, or two that no trials have in common.
    """
    name = findings.study.title
    findings, names = _choose_trials(expectation, findings)
    importance = findings.importance
    if not importance.ranked or findings.sobol.model is None:
        return Check(False, f"{name}: {expectation.text}: nothing is ranked: {importance.refusal}")
    shares = {share.path: share for share in importance.shares}
    first, bound = shares[names[expectation.parameter]], expectation.bound
    if isinstance(bound, float):
        holds = first.share_low > bound if expectation.is_greater else first.share_high < bound
        return Check(holds, _sentence(holds, f"{name}: {expectation.text}", first.describe()))
    second = shares[names[bound]]
    low, high = _difference(findings, first.path, second.path)
    holds = low > 0 if expectation.is_greater else high < 0
    found = (
        f"{first.describe()}, {second.describe()}, "
        f"difference [{100 * low:+.0f}, {100 * high:+.0f}] points"
    )
    return Check(holds, _sentence(holds, f"{name}: {expectation.text}", found))


def _choose_trials(expectation: Expectation, findings: Findings) -> tuple[Findings, dict[str, str]]:
    """The analysis that has all parameters of an expectation: of all trials, else of a branch.

    Beside it the path of each name there.
    """
    whole = _list_names(findings)
    branches = [(b, _list_names(b.findings, _key(findings, b))) for b in findings.branches]
    named = [n for n in (expectation.parameter, expectation.bound) if isinstance(n, str)]
    every = list(dict.fromkeys([*whole, *(name for _, names in branches for name in names)]))
    for name in named:
        if name not in every:
            listed = dict.fromkeys([*whole.values(), *(n for n in every if n not in whole)])
            hint = closest(name, every, f"analysed are {', '.join(listed)}")
            raise InputError(f"--expect names {name!r}, which was not analysed{hint}")
    if all(name in whole for name in named):
        return findings, whole
    fitting = [(b, names) for b, names in branches if all(name in names for name in named)]
    own = [
        (b, names)
        for b, names in fitting
        if {names[name] for name in named} & {d.path for d in b.branch.dimensions}
    ]
    if len(own) != 1:
        keys = " or ".join(_key(findings, b) for b, _ in branches)
        raise InputError(
            f"--expect {expectation.text!r} needs trials that have {' and '.join(named)}, and "
            f"{len(own)} branches do; name one, as in {keys}PARAMETER"
        )
    return own[0][0].findings, own[0][1]


def _list_names(findings: Findings, key: str = "") -> dict[str, str]:
    """The path of each name that an expectation may use of these trials' parameters."""
    names: dict[str, str] = {}
    for d in findings.study.space.dimensions:
        names |= dict.fromkeys((d.label, d.path, f"{key}{d.label}"), d.path)
    return names


def _key(findings: Findings, branch_findings: BranchFindings) -> str:
    """What stands before a parameter of one branch: `opt=sgd:`; empty if no parameter decides."""
    branch = branch_findings.branch
    labels = {d.path: d.label for d in findings.study.space.dimensions}
    labels |= {d.path: d.label for b in findings.study.branches for d in b.dimensions}
    values = ",".join(map(str, branch.values))
    return f"{labels[branch.parent]}={values}:" if branch.parent else ""


def _difference(findings: Findings, first: str, second: str) -> tuple[float, float]:
    """95 % interval of the difference of two shares, from the same posterior draws."""
    assert findings.sobol.model is not None
    paths = [d.path for d in findings.study.space.dimensions]
    draws = findings.sobol.model.sample.variances.shares
    difference = widen(draws[paths.index(first)] - draws[paths.index(second)])
    low, high = (float(q) for q in np.quantile(difference, INTERVAL_QUANTILES))
    return low, high


def _sentence(holds: bool, what: str, found: str) -> str:
    return f"{what} {'holds' if holds else 'does not hold'}: {found}"
