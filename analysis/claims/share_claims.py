"""Claims on which parameters matter: shares of the metric's variance, or significant effects."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.breaking_claims import describe_range_of_training
from analysis.claims.claim import Claim, Kind
from analysis.claims.design_claims import (
    list_conditional_claims,
    list_conditional_top_claims,
)
from analysis.claims.wording import (
    begin_with,
    count_compared,
    count_runs,
    format_part,
    name_compared,
    name_variance,
)
from analysis.findings.analyze_study import Findings
from analysis.importance.conditional_test import ConditionalTest
from analysis.importance.permutation_test import PermutationTest
from analysis.importance.shares import NEGLIGIBLE_SHARE, PairShare, SobolShare, VariancePart

_MAX_INTERACTIONS = 3


def list_share_claims(findings: Findings) -> Iterator[Claim]:
    """Shares of the significant parameters, and the parts that belong to no single one.

    Without a ranking: the parameters with a significant effect, of which no size is claimed.
    """
    importance = findings.importance
    if not importance.significant_shares:
        yield _refuse(findings)
        for test in findings.permutation_tests:
            if test.significant:
                yield _move(findings, test)
        yield from list_conditional_claims(findings)
    for share in importance.significant_shares:
        yield from _share(findings, share)
    if not findings.study.is_native:
        yield from _list_not_significant(findings)
    named = {share.path for share in importance.significant_shares}
    for share in _list_with_failures(findings):
        if share.significant or share.path in named:
            yield _with_failures(findings, share)
    if importance.ranked:
        for pair in [p for p in importance.pairs if p.significant][:_MAX_INTERACTIONS]:
            yield _interaction(findings, pair)
        yield from _list_parts(findings)


def _list_not_significant(findings: Findings) -> Iterator[Claim]:
    """The parameters of which no effect was found, at once; none if all have one."""
    importance = findings.importance
    others = [share for share in importance.shares if not share.significant]
    if importance.ranked:
        paths, labels = [s.path for s in others], [s.label for s in others]
        most = max((s.share_high for s in others), default=0.0)
        why = (
            f"the interval of each share reaches below {100 * NEGLIGIBLE_SHARE:.0f} %, and none "
            f"reaches above {100 * most:.0f} %"
        )
    else:
        tests: list[PermutationTest | ConditionalTest] = [
            *findings.permutation_tests,
            *findings.conditional_tests,
        ]
        paths = [test.path for test in tests if not test.significant]
        labels = [test.label for test in tests if not test.significant]
        why = "these trials do not show one, which is no proof that there is none"
    if paths:
        yield Claim(
            "not_significant", tuple(paths), None, None, None, "", importance.trials, 0.95,
            _condition(findings), f"No effect found: {', '.join(labels)}: {why}.",
        )  # fmt: skip


def list_top_claims(findings: Findings) -> Iterator[Claim]:
    """What sets the best runs apart from the others."""
    top = findings.ped_anova
    for share in top.significant_shares:
        text = (
            f"{begin_with(findings.study, share.label)}: the values of the best {top.top_count} "
            f"of {count_compared(findings.study, top.trials)} differ from the prior by more than "
            f"those of a random {top.top_count} would."
        )
        yield Claim(
            "top_tenth", (share.path,), None, None, None, "", top.trials, 0.95,
            _condition(findings), text,
        )  # fmt: skip
    yield from list_conditional_top_claims(findings)


def _condition(findings: Findings) -> str:
    """The runs that shares describe, or the space if these are not spread evenly over it."""
    compared = count_compared(findings.study, findings.importance.trials)
    design = findings.study.design
    if design is None or findings.importance.effective is None:
        return f"among the {compared}"
    return f"over {design.space}"


def _refuse(findings: Findings) -> Claim:
    importance, study = findings.importance, findings.study
    text = (
        f"No ranking of the parameters among {name_compared(study.is_native)}: {importance.refusal}"
    )
    if importance.ranked:
        variance = name_variance(study.metric.name, study.is_native)
        text = f"No parameter has a significant share of {variance} {_condition(findings)}."
    return Claim(
        "not_ranked", (), None, None, None, "", importance.trials, None, _condition(findings), text
    )


def _move(findings: Findings, test: PermutationTest) -> Claim:
    text = (
        f"{begin_with(findings.study, test.description)}: significant effect on "
        f"{findings.study.metric.name} {_condition(findings)}, in a permutation test; no size is "
        "claimed."
    )
    return Claim(
        "moves", (test.path,), None, None, None, "", findings.importance.trials, 0.95,
        _condition(findings), text,
    )  # fmt: skip


def _share(findings: Findings, s: SobolShare) -> Iterator[Claim]:
    """The share with interactions, beside it that with runs that broke; and the share alone."""
    condition, n, study = _condition(findings), findings.importance.trials, findings.study
    clauses = [
        f"{begin_with(study, s.label)}: {format_part(s.share, s.share_low, s.share_high)} of "
        f"{name_variance(study.metric.name, study.is_native)} {condition}"
    ]
    for failed in _list_with_failures(findings):
        if failed.path == s.path:
            part = format_part(failed.share, failed.share_low, failed.share_high)
            clauses.append(f"{part} counting runs that broke, at their last {study.metric.name}")
    if training := describe_range_of_training(findings, s.path):
        clauses.append(training)
    yield Claim(
        "share", (s.path,), s.share, s.share_low, s.share_high, "fraction", n, 0.95, condition,
        f"{'; '.join(clauses)}.",
    )  # fmt: skip
    yield Claim(
        "share_alone", (s.path,), s.alone, s.alone_low, s.alone_high, "fraction", n, 0.95,
        condition,
        f"{begin_with(study, s.label)} alone, without interactions: "
        f"{format_part(s.alone, s.alone_low, s.alone_high)} of that variance.",
    )  # fmt: skip


def _list_with_failures(findings: Findings) -> tuple[SobolShare, ...]:
    """The shares counting runs that broke; none if no run did or they are not ranked."""
    sensitivity = findings.with_failures
    if not sensitivity.ranked or sensitivity.trials == findings.importance.trials:
        return ()
    return sensitivity.shares


def _with_failures(findings: Findings, s: SobolShare) -> Claim:
    runs, metric = count_runs(findings.with_failures.trials), findings.study.metric.name
    text = (
        f"{begin_with(findings.study, s.label)}, counting runs that broke, at their last {metric}: "
        f"{format_part(s.share, s.share_low, s.share_high)} of {metric}'s variance over {runs}."
    )
    return Claim(
        "share_with_failures", (s.path,), s.share, s.share_low, s.share_high, "fraction",
        findings.with_failures.trials, 0.95,
        f"over {runs}, those that broke at their last {metric}", text,
    )  # fmt: skip


def _interaction(findings: Findings, pair: PairShare) -> Claim:
    text = (
        f"{begin_with(findings.study, pair.labels[0])} and {pair.labels[1]} jointly, beyond what "
        f"each does alone: {format_part(pair.share, pair.low, pair.high)} of that variance."
    )
    return Claim(
        "interaction", pair.paths, pair.share, pair.low, pair.high, "fraction",
        findings.importance.trials, 0.95, _condition(findings), text,
    )  # fmt: skip


def _list_parts(findings: Findings) -> Iterator[Claim]:
    """All interactions together, and what no parameter explains."""
    importance = findings.importance
    part, several = importance.interactions, len(importance.pairs) > 1
    if several and part is not None and part.low > NEGLIGIBLE_SHARE:
        text = f"All interactions: {_format(part)} of the variance."
        yield _make_part(findings, "interaction", part, text)
    if (part := importance.unexplained) is not None:
        chance = "seeds" if findings.study.is_native else "chance"
        text = (
            f"Unexplained: {_format(part)} of the variance, by {chance} and by what the model "
            "misses."
        )
        yield _make_part(findings, "unexplained", part, text)


def _make_part(findings: Findings, kind: Kind, part: VariancePart, text: str) -> Claim:
    return Claim(
        kind, (), part.share, part.low, part.high, "fraction", findings.importance.trials, 0.95,
        _condition(findings), text,
    )  # fmt: skip


def _format(part: VariancePart) -> str:
    return format_part(part.share, part.low, part.high)
