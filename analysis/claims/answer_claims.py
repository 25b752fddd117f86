"""The answers to what matters, what breaks and how sure that is, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim, Kind
from analysis.claims.wording import (
    count_compared,
    count_runs,
    format_part,
    join_names,
    name_compared,
)
from analysis.findings.analyze_study import Findings
from analysis.findings.breaking import BreakingAnalysis
from analysis.importance.conditional_test import ConditionalTest
from analysis.importance.permutation_test import PermutationTest
from analysis.importance.shares import SobolShare
from analysis.stats.rates import BreakRate
from study.records.outcomes import FAILED

_MAX_NAMED = 3


def list_answers(findings: Findings) -> Iterator[Claim]:
    """What matters, what breaks, and for what all claims hold."""
    if findings.study.has_variants:
        return
    yield _answer_what_matters(findings)
    yield _answer_what_breaks(findings)
    yield _answer_how_sure(findings)


def _answer_what_matters(findings: Findings) -> Claim:
    study, importance = findings.study, findings.importance
    significant = importance.significant_shares
    metric, compared = study.metric.name, count_compared(study, importance.trials)
    if significant:
        first, *others = significant[:_MAX_NAMED]
        text = f"The most important parameter is {first.label}: {_format_share(first)} of the "
        text += f"variance of {metric}"
        if others:
            text += f", then {join_names([f'{s.label} {_format_share(s)}' for s in others])}"
        text += "; shares overlap where parameters act together." if _overlap(significant) else "."
        if rest := [s.label for s in significant[_MAX_NAMED:]]:
            text += f" Less, but clearly: {join_names(rest)}."
    else:
        tests: list[PermutationTest | ConditionalTest] = [
            *findings.permutation_tests,
            *findings.conditional_tests,
        ]
        named = [test.label for test in tests if test.significant]
        if named:
            text = (
                f"Shown to affect {metric}: {join_names(named)}; {compared} are too few to tell "
                "by how much."
            )
        elif importance.ranked:
            text = f"No parameter matters clearly: none has a sure effect on {metric}."
        else:
            text = f"Not known yet: {compared}, too few to rank the parameters."
    paths = tuple(share.path for share in significant)
    return _make("what_matters", paths, importance.trials, f"among the {compared}", text)


def _format_share(share: SobolShare) -> str:
    return format_part(share.share, share.share_low, share.share_high)


def _overlap(shares: tuple[SobolShare, ...]) -> bool:
    return sum(share.share for share in shares) > 1.0


def _answer_what_breaks(findings: Findings) -> Claim:
    study, breaking = findings.study, findings.breaking
    overall = breaking.overall
    if not study.is_native:
        failed = int((study.trials["outcome"] == FAILED).sum())
        text = (
            f"{failed} of {len(study.trials)} trials failed; whether others went wrong, the record "
            "does not say."
        )
        return _make("what_fails", (), len(study.trials), "all trials", text)
    if not overall.trials:
        text = "Not known yet: no explored run trained, collapsed or showed nothing."
    elif not overall.broken:
        text = (
            f"Nothing did: none of {count_runs(overall.trials)} broke, so that over the whole "
            f"space at most {100 * overall.high:.0f} % do."
        )
    else:
        text = (
            f"{_format_rate(overall)} of {count_runs(overall.trials)} break: they collapse or show "
            f"nothing{describe_worst(breaking)}."
        )
    paths = tuple(p.path for p in breaking.significant_parameters)
    return _make(
        "what_breaks", paths, overall.trials, "over explored runs that trained or broke", text
    )


def describe_worst(breaking: BreakingAnalysis) -> str:
    """With which values most and fewest break, of the parameters that decide it."""
    if not breaking.ranked:
        return ""
    if not breaking.significant_parameters:
        return "; no parameter clearly decides which"
    first, *others = breaking.significant_parameters
    text = f", most with {first.label} {first.worst.name} ({_format_rate(first.worst)})"
    if len(first.without_breaks) > 1:  # none of them is the safest
        names = [rate.name for rate in first.without_breaks]
        runs = sum(rate.trials for rate in first.without_breaks)
        text += f", none of {runs} with {join_names(names)}"
    else:
        text += f", fewest with {first.safest.name} ({_format_rate(first.safest)})"
    if others:
        named = [f"{p.label} ({p.worst.name})" for p in others[: _MAX_NAMED - 1]]
        text += f"; also with {join_names(named)}"
    return text


def _format_rate(rate: BreakRate) -> str:
    return format_part(rate.rate, rate.low, rate.high)


def _answer_how_sure(findings: Findings) -> Claim:
    study, n = findings.study, findings.importance.trials
    if study.is_native:
        steps = study.spec.get("steps", "")
        scene = study.scene.get("name", "one scene" if study.is_nerf else "")
        place, others = (f", on {scene}", "other scenes and ") if scene else ("", "")
        text = (
            f"{count_runs(n)} trained{place} for {steps} steps; {others}longer training may differ."
        )
    else:
        text = f"It rests on {count_compared(study, n)}."
    text += " Brackets are 95 % intervals"
    if (spread := findings.seeds.spread) is not None:
        cause = "another random seed" if study.is_native else "chance"
        moved = study.metric.format_size(spread.deviation, spread.low, spread.high)
        if _has_gain(findings):
            text += "; that of the gain allows for lucky and unlucky random seeds"
        else:
            text += f"; {cause} alone typically moves {study.metric.name} by {moved}"
    elif study.is_native:
        text += "; how much the seed alone does is not known"
    return _make("how_sure", (), n, f"among {name_compared(study.is_native)}", f"{text}.")


def _has_gain(findings: Findings) -> bool:
    """Whether what to set names a gain over the default, whose interval rests on seeds."""
    both = findings.best_and_default
    return both is not None and both.is_proved_better and both.difference is not None


def _make(kind: Kind, parameters: tuple[str, ...], n: int, condition: str, text: str) -> Claim:
    return Claim(kind, parameters, None, None, None, "", n, 0.95, condition, text)
