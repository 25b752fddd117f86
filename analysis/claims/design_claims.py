"""Claims on how another tool's trials were chosen, and on what follows without a ranking."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim
from analysis.claims.wording import begin_with, count_compared
from analysis.findings.analyze_study import Findings

_DESIGNS = {
    "grid": "The trials are a grid",
    "space-filling": "The trials look like draws from the prior",
    "optimiser": "Results decided where trials lie",
    "correlated": "The trials were not drawn from the prior",
    "few": "It is open whether the trials were drawn from the prior",
}


def list_design_claims(findings: Findings) -> Iterator[Claim]:
    """What the trials of another tool look like, and what the shares rest on for that."""
    design, importance = findings.study.design, findings.importance
    if design is None:
        return
    text = f"{_DESIGNS[design.kind]}: {design.evidence}."
    if design.is_even:
        rest = "its levels, each as likely" if design.kind == "grid" else "the prior"
        text += f" Shares are over {rest}."
    elif importance.effective is not None:
        text += (
            " A model of all trials stands in for trials drawn from the prior; for the whole space "
            f"they are worth {_count_effective(findings)}."
        )
    yield Claim(
        "design", (), importance.effective, None, None, "trials", design.trials, None, design.kind,
        text,
    )  # fmt: skip


def list_conditional_claims(findings: Findings) -> Iterator[Claim]:
    """The parameters with a significant effect given all others."""
    study, n = findings.study, findings.importance.trials
    among = f"among the {count_compared(study, n)}"
    for test in findings.conditional_tests:
        if test.significant:
            text = (
                f"{begin_with(study, test.description)}: significant effect on "
                f"{study.metric.name} {among}, in a test given all other parameters; no size is "
                "claimed."
            )
            yield Claim("moves", (test.path,), None, None, None, "", n, 0.99, among, text)


def list_conditional_top_claims(findings: Findings) -> Iterator[Claim]:
    """The parameters that set the best quarter of the trials apart, all others accounted for."""
    study, n = findings.study, findings.importance.trials
    among = f"among the {count_compared(study, n)}"
    for test in findings.top_conditional_tests:
        if test.significant:
            text = (
                f"{begin_with(study, test.description)} sets the best quarter of "
                f"{count_compared(study, n)} apart, in a test given all other parameters."
            )
            yield Claim(
                "top_given_others", (test.path,), None, None, None, "", n, 0.99, among, text
            )


def describe_reweighting(findings: Findings) -> str:
    """What shares of trials that are not spread evenly rest on, in brackets; empty otherwise."""
    if findings.importance.effective is None:
        return ""
    return f" (reweighted to the prior; effective sample size {findings.importance.effective:.0f})"


def _count_effective(findings: Findings) -> str:
    return f"about {findings.importance.effective:.0f} of the {findings.importance.trials}"
