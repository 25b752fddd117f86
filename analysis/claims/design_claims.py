"""Claims on how another tool's trials were chosen, and on what holds however they were."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim, Kind
from analysis.claims.wording import begin_with, capitalize, count_compared
from analysis.data.design import Design
from analysis.findings.analyze_study import Findings
from analysis.importance.conditional_test import ConditionalTest
from analysis.importance.design_weights import MAX_TRIALS

_EVEN = {
    "grid": "The trials form a grid",
    "space-filling": "The trials look like draws from the prior",
}


def list_design_claims(findings: Findings) -> Iterator[Claim]:
    """How another tool's trials were chosen, and what the shares are computed over for that."""
    design, importance = findings.study.design, findings.importance
    if design is None:
        return
    text = f"{_EVEN.get(design.kind) or capitalize(design.limitation)}: {design.evidence}."
    if design.is_even and importance.ranked:
        text += f" Shares are over {design.space}."
    elif importance.ranked and importance.effective is not None:
        noun = "configurations" if findings.study.has_means else "trials"
        text += _describe_model(design, importance.trials, importance.effective, noun)
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


def _describe_model(design: Design, trials: int, effective: float, noun: str) -> str:
    """How shares of trials that are not spread evenly come about, and what the trials are worth."""
    used = min(trials, MAX_TRIALS)
    of_all = "" if used == trials else f" of the {trials}"
    return (
        f" Shares are over {design.space}, by a model of {used}{of_all} {noun}; these are not "
        f"spread evenly, and stand for the whole space as about {effective:.0f} that are (their "
        "effective sample size)."
    )


def _make(findings: Findings, kind: Kind, test: ConditionalTest, text: str) -> Claim:
    """A claim from a conditional test; its sentence begins with the parameter."""
    text = f"{begin_with(findings.study, test.description)}{text}"
    n, among = findings.importance.trials, _among(findings)
    return Claim(kind, (test.path,), None, None, None, "", n, 0.99, among, text)


def _among(findings: Findings) -> str:
    return f"among the {count_compared(findings.study, findings.importance.trials)}"
