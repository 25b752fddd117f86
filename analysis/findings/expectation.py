"""Checks an expectation, such as `lr > width`, against a study's shares: for use in CI."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from analysis.findings.analyze_study import Findings
from analysis.importance.shares import SobolShare
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

    It does not where nothing is ranked. Raises `InputError` for a parameter that was not analysed.
    """
    names = {n: d.path for d in findings.study.space.dimensions for n in (d.label, d.path)}
    paths = [_find(name, names) for name in (expectation.parameter, expectation.bound)]
    importance, name = findings.importance, findings.study.name
    if not importance.ranked or findings.sobol.model is None:
        return Check(False, f"{name}: {expectation.text}: nothing is ranked: {importance.refusal}")
    shares = {share.path: share for share in importance.shares}
    first = shares[str(paths[0])]
    if isinstance(paths[1], float):
        bound = paths[1]
        holds = first.share_low > bound if expectation.is_greater else first.share_high < bound
        return Check(holds, _sentence(holds, f"{name}: {expectation.text}", _format(first)))
    second = shares[paths[1]]
    low, high = _difference(findings, first.path, second.path)
    holds = low > 0 if expectation.is_greater else high < 0
    found = (
        f"{_format(first)}, {_format(second)}, difference [{100 * low:+.0f}, {100 * high:+.0f}] "
        "points"
    )
    return Check(holds, _sentence(holds, f"{name}: {expectation.text}", found))


def _difference(findings: Findings, first: str, second: str) -> tuple[float, float]:
    """95 % interval of the difference of two shares, from the same posterior draws."""
    assert findings.sobol.model is not None
    paths = [d.path for d in findings.study.space.dimensions]
    draws = findings.sobol.model.sample.variances.shares
    difference = widen(draws[paths.index(first)] - draws[paths.index(second)])
    low, high = (float(q) for q in np.quantile(difference, INTERVAL_QUANTILES))
    return low, high


def _find(name: str | float, names: dict[str, str]) -> str | float:
    if isinstance(name, float):
        return name
    if name not in names:
        raise InputError(
            f"--expect names {name!r}, which was not analysed{closest(name, list(names))}; "
            f"analysed are {', '.join(dict.fromkeys(names.values()))}"
        )
    return names[name]


def _format(share: SobolShare) -> str:
    return (
        f"{share.label} {100 * share.share:.0f} % "
        f"[{100 * share.share_low:.0f}, {100 * share.share_high:.0f}]"
    )


def _sentence(holds: bool, what: str, found: str) -> str:
    return f"{what} {'holds' if holds else 'does not hold'}: {found}"
