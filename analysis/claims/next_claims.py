"""The answers to what to set and what to do next, each with a ready command."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.advice_claims import format_good
from analysis.claims.claim import Claim
from analysis.claims.commands import next_study_command, train_command
from analysis.claims.wording import (
    count_compared,
    format_value,
    join_names,
    state_values,
)
from analysis.data.metric import Metric
from analysis.findings.analyze_study import Findings
from analysis.findings.best_and_default import BestAgainstDefault
from analysis.findings.next_study import NextStudy, plan_next_study, study_steps
from analysis.findings.recommendation import (
    Recommendation,
    recommend,
    tolerated_loss,
)
from study.records.outcomes import FAILED, TRAINED
from study.spec.parse_space import format_dimension
from study.spec.space import Dimension


def list_next_claims(findings: Findings) -> Iterator[Claim]:
    """What to set, and what to do next."""
    if findings.study.has_variants:
        return
    recommended = recommend(findings)
    yield _answer_what_to_set(findings, recommended)
    yield _answer_what_next(findings, plan_next_study(findings, recommended))


def _answer_what_to_set(findings: Findings, recommended: Recommendation) -> Claim:
    """A whole configuration where one is proved better; single values have claims of their own."""
    study, both = findings.study, findings.best_and_default
    n, command = findings.importance.trials, ""
    ends: tuple[float | None, float | None, float | None] = (None, None, None)
    listed = _list_values(findings, recommended)
    if recommended.source == "best" and both is not None:
        gain = _describe_gain(both, study.metric)
        text = f"Train the {both.choice} configuration ({listed}): {gain}."
        n = both.best.breaks.trials + both.default.breaks.trials
        if both.difference is not None:
            ends = (both.difference.mean, both.difference.low, both.difference.high)
        command = train_command(study, recommended.values)
    elif recommended.source == "values":
        text = f"Set {listed}, and keep the other defaults: the model predicts a gain."
        command = train_command(study, recommended.values)
    elif recommended.source == "default":
        text = "Keep the defaults: no configuration is proved better."
        if not (study.trials["outcome"] == TRAINED).any():
            text = "Not known yet: no run trained; begin with the defaults."
        command = train_command(study, {})
    else:
        text = _describe_recorded(recommended)
    values = tuple(state_values(path, [value]) for path, value in recommended.values.items())
    condition = f"among the {count_compared(study, findings.importance.trials)}"
    return Claim("what_to_set", values, *ends, study.metric.unit, n, 0.95, condition, text, command)


def _describe_gain(both: BestAgainstDefault, metric: Metric) -> str:
    """What the best configuration has over the default, from further seeds of both."""
    best, default, gain = both.best, both.default, both.difference
    if gain is None:
        return (
            f"{len(best.scores)} of {best.breaks.trials} further seeds trained, and none of "
            f"{default.breaks.trials} runs of the default did"
        )
    return (
        f"it beats the default by {metric.format_size(gain.mean, gain.low, gain.high)}, over "
        f"{len(best.scores)} further seeds and {len(default.scores)} runs of the default"
    )


def _list_values(findings: Findings, recommended: Recommendation) -> str:
    labels = {d.path: d.label for d in findings.study.varied}
    return ", ".join(f"{labels[p]} {format_value(v)}" for p, v in recommended.values.items())


def _describe_recorded(recommended: Recommendation) -> str:
    """Values of another tool's parameters, which have no default."""
    parts = [f"{p.label} {format_good(p)}" for p in recommended.with_advice("set")]
    free = [p.label for p in recommended.with_advice("keep")]
    text = "Not known yet: no value is proved as good as the best"
    if parts:
        text = f"Set {join_names(parts)}, on average as good as the best"
    return f"{text}; any value of {join_names(free)} does." if free else f"{text}."


def _answer_what_next(findings: Findings, plan: NextStudy) -> Claim:
    study = findings.study
    native = study.is_native
    if native and len(study.trials) and (study.trials["outcome"] == FAILED).all():
        text = "Mend what made every trial fail, and start the study again."
    elif plan.aim == "train":
        outcomes = study.trials.loc[study.trials["phase"] == "explore", "outcome"]
        trained = int((outcomes == TRAINED).sum())
        few = f"{f'only {trained}' if trained else 'none'} of {len(outcomes)} explored runs trained"
        text = f"Change the ranges, or what is fixed: {few}."
        if plan.steps:
            text = f"Train for {plan.steps} steps instead of {study_steps(study)}: {few}."
    elif plan.aim == "rank":
        few = "too few trained" if native else "there are too few"
        trials = "explored trials" if native else "trials"
        explored = int((study.trials["phase"] == "explore").sum())
        text = (
            f"Run {plan.explore} {trials} instead of {explored}, over the same ranges: {few} to "
            "rank the parameters."
        )
    elif plan.aim == "decide":
        text = _describe_open(findings, plan)
    elif plan.aim == "compare":
        choice = findings.best_and_default.choice if findings.best_and_default else "best"
        text = (
            f"Run more seeds of the {choice} configuration and the default: which is better is "
            "open."
        )
    else:
        text = "No parameter that matters is left open within these ranges."
        text += " Train longer, or try another scene." if native else ""
    command = next_study_command(study, plan) if native else ""
    varied = tuple(format_dimension(d) if native else d.path for d in plan.varied)
    return Claim(
        "what_next", varied, float(plan.explore) if plan.explore else None, None, None, "trials",
        findings.importance.trials, None, "all else as it was", text, command,
    )  # fmt: skip


def _describe_open(findings: Findings, plan: NextStudy) -> str:
    """What is open, and over which values to search again."""
    names = join_names([d.label for d in plan.dimensions])
    ranges = join_names([_describe_range(plan, d) for d in plan.dimensions])
    noun = "explored trials" if findings.study.is_native else "trials"
    many = len(plan.dimensions) > 1
    rest = "all else fixed"
    if plan.of_branches:
        rest = f"{join_names([d.label for d in plan.of_branches])} as before, all else fixed"
    half = findings.study.metric.with_unit_of_difference(
        f"{tolerated_loss(findings.study) / 2.0:.2g}"
    )
    return (
        f"The best {names} {'are' if many else 'is'} still open: search {ranges}, {rest}. "
        f"At least {plan.explore} {noun}: chance alone leaves the difference of two values after "
        f"them uncertain by {half}."
    )


def _describe_range(plan: NextStudy, dimension: Dimension) -> str:
    """`near from 0.5 to 2 (narrower)`, `hidden activation relu, gelu or sine`."""
    if dimension.choices:
        *others, last = map(format_value, dimension.choices)
        values = f"{', '.join(others)} or {last}"
    else:
        low, high = (dimension.from_unit(u) for u in (0.0, 1.0))
        values = f"from {format_value(low)} to {format_value(high)}"
    changes = {"narrower": plan.narrowed, "wider": plan.widened}
    how = [word for word, labels in changes.items() if dimension.label in labels]
    return f"{dimension.label} {values}{f' ({join_names(how)})' if how else ''}"
