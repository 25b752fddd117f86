"""Claims on why a study has this many trials: a claim was settled, or its hours ended."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim
from analysis.findings.analyze_study import Findings
from analysis.findings.settle import describe_coverage
from study.records.schema import phase_name
from study.spec.stopping_rule import StoppingRule


def list_stopping_claims(findings: Findings) -> Iterator[Claim]:
    """A claim on the rule that ended exploring, and one on what was left out for lack of time."""
    study = findings.study
    if study.looks:
        yield _make(findings, _describe_looks(findings))
    if lost := _list_left_out(findings):
        cut = study.cut
        limit = f"{cut['hours']:g} hours" if cut["hours"] else f"{cut['budget']:g} GPU hours"
        text = f"To finish within {limit}, these trials were left out: {', '.join(lost)}."
        yield _make(findings, text)


def _describe_looks(findings: Findings) -> str:
    study = findings.study
    rule, last = StoppingRule.parse(str(study.spec["until"])), study.looks[-1]
    count = f"{len(study.looks)} look{'' if len(study.looks) == 1 else 's'}"
    trials = f"{last['trials']} explored trials ({count})"
    if last["is_settled"]:
        return (
            f"Settled after {trials} that {rule.describe()}: {last['text']}. "
            f"{describe_coverage(rule)}"
        )
    if study.spec.get("is_exploring"):
        return f"Not settled yet after {trials} that {rule.describe()}: {last['text']}."
    return f"Not settled by {trials} that {rule.describe()}: {last['text']}."


def _list_left_out(findings: Findings) -> list[str]:
    """How many trials of each phase were left out for lack of time and have not been run since."""
    study = findings.study
    wanted = study.cut.get("from", {})
    fields = {"explore": "explore", "optimize": "optimize", "replicate": "replicates"}
    return [
        f"{wanted[phase] - study.spec.get(field, 0)} of {wanted[phase]} {phase_name(phase)}"
        for phase, field in fields.items()
        if wanted.get(phase, 0) > study.spec.get(field, 0)
    ]


def _make(findings: Findings, text: str) -> Claim:
    trials = len(findings.study.trials)
    return Claim("stopping", (), None, None, None, "", trials, None, "of the design", text)
