"""Claims on parameters that only some trials have, each among those trials."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from analysis.claims.claim import Claim, Kind
from analysis.claims.share_claims import list_share_claims
from analysis.claims.value_claims import list_value_claims
from analysis.claims.wording import count_compared, format_value
from analysis.findings.analyze_study import BranchFindings, Findings

_KINDS: tuple[Kind, ...] = ("share", "moves", "best_value", "as_good", "worse", "not_told_apart")


def list_branch_claims(findings: Findings) -> Iterator[Claim]:
    """For each branch what is known of its own parameters, or why nothing is."""
    for of_branch in findings.branches:
        yield from list_claims_of_branch(findings, of_branch)


def list_claims_of_branch(findings: Findings, of_branch: BranchFindings) -> list[Claim]:
    """What is known of the own parameters of one branch; one claim at least."""
    own = {dimension.path for dimension in of_branch.branch.dimensions}
    where, inner = name_branch(findings, of_branch), of_branch.findings
    claims = [*list_share_claims(inner), *list_value_claims(inner)]
    named = [
        dataclasses.replace(
            claim,
            kind="in_branch",
            condition=f"{where}; {claim.condition}",
            text=f"{where}: {claim.text}",
        )
        for claim in claims
        if claim.kind in _KINDS and _paths(claim) & own
    ]
    return named or [_describe_nothing(of_branch, where)]


def name_branch(findings: Findings, of_branch: BranchFindings) -> str:
    """`With optimizer=sgd`; without a parameter that decides, `Where momentum is set`."""
    branch = of_branch.branch
    labels = {d.path: d.label for d in findings.study.space.dimensions}
    labels |= {d.path: d.label for b in findings.study.branches for d in b.dimensions}
    if branch.parent:
        return f"With {labels[branch.parent]}={' or '.join(map(format_value, branch.values))}"
    names = [dimension.label for dimension in branch.dimensions]
    return f"Where {' and '.join(names)} {'is' if len(names) == 1 else 'are'} set"


def _describe_nothing(of_branch: BranchFindings, where: str) -> Claim:
    """That no effect of the branch's own parameters is known."""
    findings, branch = of_branch.findings, of_branch.branch
    names = " and ".join(dimension.label for dimension in branch.dimensions)
    n = len(findings.comparable.trials)
    among = f"among the {count_compared(findings.study, n)}"
    reason = findings.importance.refusal
    text = f"{where}: no significant effect of {names} {among}{f'; {reason}' if reason else '.'}"
    paths = tuple(dimension.path for dimension in branch.dimensions)
    return Claim("in_branch", paths, None, None, None, "", n, None, f"{where}; {among}", text)


def _paths(claim: Claim) -> set[str]:
    return {parameter.partition("=")[0] for parameter in claim.parameters}
