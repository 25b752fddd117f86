"""Lists all claims about a study, and those that come first."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.claims.advice_claims import list_advice_claims
from analysis.claims.answer_claims import list_answers
from analysis.claims.bounds_claims import list_bounds_claims
from analysis.claims.branch_claims import list_branch_claims
from analysis.claims.breaking_claims import list_breaking_claims
from analysis.claims.claim import Claim, Kind
from analysis.claims.default_claims import list_default_claims, list_tuning_claims
from analysis.claims.design_claims import list_design_claims
from analysis.claims.metric_claims import (
    list_front_claims,
    list_metric_claims,
    name_first_metric,
)
from analysis.claims.next_claims import list_next_claims
from analysis.claims.seed_claims import list_seed_claims
from analysis.claims.share_claims import list_share_claims, list_top_claims
from analysis.claims.state_claims import (
    list_by_hand_claims,
    list_objective_claims,
    list_start_claims,
    list_state_claims,
)
from analysis.claims.stopping_claims import list_stopping_claims
from analysis.claims.time_claims import list_time_claims
from analysis.claims.value_claims import list_value_claims
from analysis.claims.variant_claims import list_variant_claims
from analysis.findings.analyze_study import Findings

_GROUPS = (
    list_answers,
    list_next_claims,
    list_state_claims,
    list_stopping_claims,
    list_objective_claims,
    list_by_hand_claims,
    list_start_claims,
    list_design_claims,
    list_share_claims,
    list_breaking_claims,
    list_bounds_claims,
    list_default_claims,
    list_value_claims,
    list_advice_claims,
    list_top_claims,
    list_tuning_claims,
    list_seed_claims,
    list_time_claims,
    list_branch_claims,
    list_front_claims,
    list_metric_claims,
)
_VARIANT_GROUPS = (
    list_state_claims,
    list_variant_claims,
    list_front_claims,
    list_metric_claims,
)

_MAX_SHARES = 3
_MAX_ADVICE = 3


def list_claims(findings: Findings) -> tuple[Claim, ...]:
    """Every claim about a study, in the order of its report.

    Example:
        >>> for claim in list_claims(analyze_study("studies/default")):
        ...     print(claim.kind, claim.text)
    """
    groups = _VARIANT_GROUPS if findings.study.has_variants else _GROUPS
    return tuple(
        name_first_metric(claim, findings)
        for list_group in groups
        for claim in list_group(findings)
    )


ANSWERS: dict[Kind, str] = {
    "what_matters": "What matters",
    "what_breaks": "What breaks",
    "what_fails": "What fails",
    "what_to_set": "What to set",
    "how_sure": "How sure",
    "what_next": "What to do next",
}
"""The answers that a report begins with and their questions; what fails is of other tools."""


def select_answers(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The five answers, in the order of their questions; none of a study of variants."""
    by_kind = {claim.kind: claim for claim in claims}
    return tuple(by_kind[kind] for kind in ANSWERS if kind in by_kind)


def list_answer_lines(claims: Sequence[Claim]) -> list[str]:
    """The five answers for a terminal, each with its question and its command on a line below.

    Of a study of variants: which of them differ.
    """
    answers = select_answers(claims)
    if not answers:
        return [claim.text for claim in headline_claims(claims)]
    lines = []
    for claim in answers:
        lines.append(f"{ANSWERS[claim.kind]}: {claim.text}")
        if claim.kind == "what_to_set":
            lines += [advice.text for advice in select_advice(claims)]
        if claim.command:
            lines.append(f"  {claim.command}")
    return lines


def select_advice(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """What to set single parameters to, and of those that matter what keeping the default costs."""
    matter = {path for claim in select_claims(claims, "share") for path in claim.parameters}
    kept = [
        claim
        for claim in select_claims(claims, "keep_value")
        if claim.parameters[0].partition("=")[0] in matter
    ]
    return (*select_claims(claims, "set_value"), *kept)[:_MAX_ADVICE]


def select_claims(claims: Sequence[Claim], *kinds: Kind) -> tuple[Claim, ...]:
    """The claims of these kinds, in their order."""
    return tuple(claim for claim in claims if claim.kind in kinds)


def headline_claims(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """What matters and what breaks; of a study of variants, which of them differ."""
    return (*select_matters(claims), *select_breaks(claims))


def select_sweep_claims(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """What a terminal shows of another tool's sweep below the five answers."""
    in_branches = (c for c in select_claims(claims, "in_branch") if c.unit == "fraction")
    return (
        *select_claims(claims, "state", "other_objectives", "design"),
        *headline_claims(claims),
        *select_best(claims),
        *in_branches,
        *select_claims(claims, "top_tenth"),
    )


def select_best(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The run of the best metric, and its configuration against the default one."""
    # Values of a parameter may be not told apart as well; the default has no parameter.
    best = select_claims(claims, "best_run", "gain_over_default", "not_told_apart")
    return tuple(c for c in best if c.kind != "not_told_apart" or not c.parameters)


def select_matters(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The largest shares, or why there is no ranking and which parameters have an effect."""
    variants = select_claims(claims, "variant_difference")[:1]
    shares = select_claims(claims, "share")[:_MAX_SHARES]
    others = select_claims(claims, "not_significant")
    if variants or shares:
        return variants or (*shares, *others)
    with_failures = select_claims(claims, "share_with_failures")[:_MAX_SHARES]
    return (*select_claims(claims, "not_ranked", "moves"), *with_failures, *others)


def name_further_shares(findings: Findings) -> str:
    """A sentence that names the significant shares beyond the largest ones; empty for none."""
    labels = [share.label for share in findings.importance.significant_shares[_MAX_SHARES:]]
    return f"Smaller, but significant as well: {', '.join(labels)}." if labels else ""


def select_breaks(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """How many runs break, and the parameter with the clearest effect on that."""
    rates = select_claims(claims, "breaks", "safe")
    return (*rates[:3], *select_claims(claims, "no_breaking_parameter"))


def join_texts(claims: Sequence[Claim]) -> str:
    """The sentences of the claims as one paragraph."""
    return " ".join(claim.text for claim in claims)
