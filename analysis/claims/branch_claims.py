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
    """The claims on each branch's own parameters; one claim at least of each branch."""
    for branch_findings in findings.branches:
        yield from list_claims_of_branch(findings, branch_findings)


def list_claims_of_branch(findings: Findings, branch_findings: BranchFindings) -> list[Claim]:
    """The claims on one branch's own parameters, or that none has a significant effect."""
    own = {dimension.path for dimension in branch_findings.branch.dimensions}
    where, inner = name_branch(findings, branch_findings), branch_findings.findings
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
    return named or [_describe_nothing(branch_findings, where)]


def name_branch(findings: Findings, branch_findings: BranchFindings) -> str:
    """`With optimizer=sgd`, or `Where momentum is set` if no parameter decides the branch."""
    branch = branch_findings.branch
    labels = {d.path: d.label for d in findings.study.varied}
    if branch.parent:
        return f"With {labels[branch.parent]}={' or '.join(map(format_value, branch.values))}"
    names = [dimension.label for dimension in branch.dimensions]
    return f"Where {' and '.join(names)} {'is' if len(names) == 1 else 'are'} set"


def _describe_nothing(branch_findings: BranchFindings, where: str) -> Claim:
    """The claim that none of the branch's own parameters has a significant effect."""
    findings, branch = branch_findings.findings, branch_findings.branch
    names = " and ".join(dimension.label for dimension in branch.dimensions)
    n = len(findings.comparable.trials)
    among = f"among the {count_compared(findings.study, n)}"
    reason = findings.importance.refusal
    text = f"{where}: no significant effect of {names} {among}{f'; {reason}' if reason else '.'}"
    paths = tuple(dimension.path for dimension in branch.dimensions)
    return Claim("in_branch", paths, None, None, None, "", n, None, f"{where}; {among}", text)


def _paths(claim: Claim) -> set[str]:
    return {parameter.partition("=")[0] for parameter in claim.parameters}
