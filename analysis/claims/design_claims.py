"""Claims on how another tool's trials were chosen, and on what holds however they were."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim, Kind
from analysis.claims.wording import begin_with, count_compared
from analysis.findings.analyze_study import Findings
from analysis.importance.conditional_test import ConditionalTest

_DESIGNS = {
    "grid": "The trials form a grid",
    "uneven grid": "The trials are a grid with gaps or repeats",
    "space-filling": "The trials look like draws from the prior",
    "optimiser": "Results decided where trials lie",
    "correlated": "The trials were not drawn from the prior",
    "few": "It is not known whether the trials were drawn from the prior",
}


def list_design_claims(findings: Findings) -> Iterator[Claim]:
    """How another tool's trials were chosen, and what the shares are computed over for that."""
    design, importance = findings.study.design, findings.importance
    if design is None:
        return
    text = f"{_DESIGNS[design.kind]}: {design.evidence}."
    if design.is_even:
        space = "its levels, all equally likely" if design.kind == "grid" else "the prior"
        text += f" Shares are over {space}."
    elif importance.effective is not None:
        text += (
            " Shares are over the prior all the same, by a model of all trials; for the whole "
            f"space, these {importance.trials} are worth about {importance.effective:.0f} drawn "
            "from it."
        )
    yield Claim(
        "design", (), importance.effective, None, None, "trials", design.trials, None, design.kind,
        text,
    )  # fmt: skip


def list_conditional_claims(findings: Findings) -> Iterator[Claim]:
    """The parameters with a significant effect given all others."""
    effect = f"significant effect on {findings.study.metric.name} {_among(findings)}"
    for test in findings.conditional_tests:
        if test.significant:
            text = f": {effect}, in a test given all other parameters; no size is claimed."
            yield _make(findings, "moves", test, text)


def list_conditional_top_claims(findings: Findings) -> Iterator[Claim]:
    """The parameters that set the best quarter of the trials apart, given all others."""
    compared = count_compared(findings.study, findings.importance.trials)
    for test in findings.top_conditional_tests:
        if test.significant:
            text = (
                f" sets the best quarter of {compared} apart, in a test given all other parameters."
            )
            yield _make(findings, "top_given_others", test, text)


def describe_reweighting(findings: Findings) -> str:
    """That shares are reweighted, and the effective sample size, in brackets; empty otherwise."""
    if findings.importance.effective is None:
        return ""
    return f" (reweighted to the prior; effective sample size {findings.importance.effective:.0f})"


def _make(findings: Findings, kind: Kind, test: ConditionalTest, text: str) -> Claim:
    """A claim from a conditional test; its sentence begins with the parameter."""
    text = f"{begin_with(findings.study, test.description)}{text}"
    n, among = findings.importance.trials, _among(findings)
    return Claim(kind, (test.path,), None, None, None, "", n, 0.99, among, text)


def _among(findings: Findings) -> str:
    return f"among the {count_compared(findings.study, findings.importance.trials)}"
