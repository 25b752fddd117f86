"""Is a claim settled by the trials so far? Decides each look of a study that explores until it is.

A study that stops at the first narrow interval is more likely to stop at one that is narrow by
luck. The intervals of shares are wide enough to allow for that: `benchmarks/until_sure.py` measures
how often they hold the truth when a study stops. Tests do not allow for it, so their level is
divided by the number of looks.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.findings.breaking import BreakingAnalysis
from analysis.importance.shares import NEGLIGIBLE_SHARE, Importance, SobolShare
from analysis.stats.intervals import SIGNIFICANCE_LEVEL
from study.spec.stopping_rule import StoppingRule

TOP = 3
"""How many of the highest shares the rules `sure` and `order` are about."""

SIMULATED_STUDIES, SIMULATED_HELD = 44, "280 of 282"
"""Those of `benchmarks/until_sure.py --half reported --studies 6 --full 1 --first 1000` that
settled to 0.1 within 128 trials, and how many of their 95 % intervals held the truth."""

NO_SHARE = 0.05
"""A parameter is shown not to matter where its interval ends below this."""


@dataclass(frozen=True)
class Verdict:
    """Whether a look settles the claim; text: what is settled, or not yet, as a clause."""

    is_settled: bool
    text: str


def judge(
    rule: StoppingRule, importance: Importance, breaking: BreakingAnalysis, looks: int
) -> Verdict:
    """Whether the trials so far settle what the rule asks for; looks: how many there may be."""
    if rule.kind == "breaks":
        return _judge_breaking(rule.path, breaking, looks)
    if not importance.ranked:
        return Verdict(False, importance.refusal.rstrip("."))
    if rule.kind == "matters":
        share = next(s for s in importance.shares if s.path == rule.path)
        is_settled = share.share_low > NEGLIGIBLE_SHARE or share.share_high < NO_SHARE
        return Verdict(is_settled, share.describe())
    top = importance.shares[:TOP]
    if rule.kind == "order":
        is_settled = all(s.rank_low == s.rank_high for s in top)
        return Verdict(is_settled, ", ".join(map(_describe_rank, top)))
    is_settled = max(map(half_width, top)) <= rule.margin
    return Verdict(is_settled, ", ".join(s.describe() for s in top))


def half_width(share: SobolShare) -> float:
    """Half the width of a share's interval."""
    return 0.5 * (share.share_high - share.share_low)


def _describe_rank(share: SobolShare) -> str:
    low, high = share.rank_low, share.rank_high
    return f"{share.label} rank {low}" if low == high else f"{share.label} rank {low} to {high}"


def _judge_breaking(path: str, breaking: BreakingAnalysis, looks: int) -> Verdict:
    """By Fisher's test at its level divided by the number of looks: all of them hold together."""
    if not breaking.ranked:
        return Verdict(False, breaking.refusal.rstrip("."))
    tested = next(p for p in breaking.parameters if p.path == path)
    level = SIGNIFICANCE_LEVEL / looks
    text = f"{tested.label}: p-value {tested.p_value:.2g}, {level:.2g} is asked for"
    is_settled = tested.p_value < level
    if is_settled:
        text = (
            f"with {tested.label} {tested.worst.name} {tested.worst.rate:.0%} of "
            f"{tested.worst.trials} runs break, with {tested.safest.name} "
            f"{tested.safest.rate:.0%} of {tested.safest.trials} (p-value {tested.p_value:.2g})"
        )
    return Verdict(is_settled, text)


def describe_coverage(rule: StoppingRule) -> str:
    """What the intervals of a study that stops by a rule allow for, as a sentence."""
    if rule.kind == "breaks":
        return "The test allows for all looks that there may be."
    if rule.kind == "sure":
        return (
            f"Intervals do not widen for looks: where {SIMULATED_STUDIES} simulated studies "
            f"stopped with a margin of 0.1, {SIMULATED_HELD} of them held the truth."
        )
    return "Intervals do not widen for looks; how often this rule errs is not known."
