"""The first sentence of each section: the answer to the question of its heading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.claims.answer_claims import list_answers
from analysis.claims.bounds_claims import list_bounds_claims
from analysis.claims.claim import Kind
from analysis.claims.default_claims import list_default_claims
from analysis.claims.list_claims import select_best, select_claims
from analysis.claims.seed_claims import list_seed_claims
from analysis.claims.time_claims import list_time_claims
from analysis.claims.value_claims import list_value_claims
from analysis.claims.wording import begin_with, format_value, join_names
from analysis.data.outcomes import format_outcomes
from analysis.data.replicate_command import replicate_command
from analysis.findings.recommendation import tolerated_loss
from analysis.stats.seed_spread import MIN_CONFIGURATIONS_FOR_SPREAD

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings


def answer_headline(findings: Findings, kind: Kind) -> str:
    """One of the five answers of the head of the page, such as what matters."""
    return "".join(claim.text for claim in list_answers(findings) if claim.kind == kind)


def answer_top(findings: Findings) -> str:
    """Which parameters set the best trials apart."""
    top = findings.ped_anova
    if top.refusal:
        return f"Not known: {top.refusal}"
    names = [share.label for share in top.significant_shares]
    if not names:
        return "Nothing clearly: no parameter reaches beyond the chance line."
    label = begin_with(findings.study, join_names(names))
    return f"{label}, whose values in the best {top.top_count} trials are not by chance."


def answer_bounds(findings: Findings) -> str:
    """Where the object lies, and what bounds that cut it cost."""
    texts = [claim.text for claim in list_bounds_claims(findings)]
    return " ".join(texts) or "The scene suggests no bounds; these were tried."


def answer_effects(findings: Findings) -> str:
    """The best value on average of each parameter that has one."""
    labels = {effect.path: effect.label for effect in findings.effects}
    best = []
    for claim in select_claims(tuple(list_value_claims(findings)), "best_value"):
        path, _, value = claim.parameters[0].partition("=")
        if claim.estimate is None:
            best.append(f"{labels[path]} {value}")
        else:
            ends = f"[{format_value(claim.low)}, {format_value(claim.high)}]"
            best.append(f"{labels[path]} {format_value(claim.estimate)} {ends}")
    if best:
        text = f"Best on average: {join_names(best)}"
        all_known = len(best) >= len(findings.study.space.dimensions)
        return f"{text}." if all_known else f"{text}; of the others no best value is sure."
    if not findings.importance.ranked:
        return "Not known: the trials allow no mean curve, so only the trials themselves are drawn."
    return "No best value of a parameter is sure."


def answer_tuning(findings: Findings) -> str:
    """What the best configuration gains over the default."""
    gains = [c.text for c in select_best(tuple(list_default_claims(findings)))[1:]]
    return " ".join(gains) or "Not known: no trial completed its budget."


def answer_seeds(findings: Findings) -> str:
    """How much the seed alone moves the metric."""
    if findings.seeds.spread is None:
        return (
            f"Not known: fewer than {MIN_CONFIGURATIONS_FOR_SPREAD} explored configurations "
            f"trained with several seeds; for more: {replicate_command(findings.study, 12)}"
        )
    return next(c.text for c in list_seed_claims(findings) if c.kind == "seed_sd")


def answer_curves(findings: Findings) -> str:
    """How many trials ended with each outcome."""
    trials = findings.study.trials
    return f"Of {len(trials)} trials: {format_outcomes(trials)}."


def answer_time(findings: Findings) -> str:
    """From which step the shares, or the order of the trials, are near the final ones."""
    if findings.over_time.refusal:
        return f"Not known: {findings.over_time.refusal}"
    return next(iter(list_time_claims(findings))).text


def answer_cost(findings: Findings, trials: pd.DataFrame) -> str:
    """How long the best trial took, and the fastest one that is nearly as good.

    trials: those that were measured, with known seconds
    """
    metric, tolerated = findings.study.metric, tolerated_loss(findings.study)
    best = trials.iloc[int(trials["score"].argmax())]
    near = trials[trials["score"] >= best["score"] - tolerated]
    fast = near.iloc[int(near["train_seconds"].argmin())]
    within = metric.with_unit_of_difference(f"{tolerated:g}")
    took = f"took {best['train_seconds']:.3g} s"
    text = f"The trial of the best {metric.name} ({metric.format(best['score'])}) {took}"
    if fast["trial_id"] == best["trial_id"]:
        return f"{text}; none within {within} of it was faster."
    return f"{text}, the fastest within {within} of it {fast['train_seconds']:.3g} s."


def answer_combinations(findings: Findings) -> str:
    """The values of the best trial."""
    best = findings.best
    if best is None:
        return ""
    dimensions = findings.study.space.dimensions
    values = [f"{d.label} {format_value(best[d.path])}" for d in dimensions]
    return f"Best of all: {', '.join(values)} (trial {best['trial_id']})."
