"""The report of one study: a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.claims.claim import Claim
from analysis.claims.list_claims import (
    headline_claims,
    join_texts,
    list_claims,
    select_best,
    select_claims,
)
from analysis.data.metric import PSNR
from analysis.data.outcomes import format_outcomes
from analysis.pages.answers import view_answers
from analysis.pages.best_cards import view_cards, view_values
from analysis.pages.branch_section import render_branch_section
from analysis.pages.breaking_sections import render_bounds_section, render_breaking_section
from analysis.pages.importance_sections import (
    render_importance_section,
    render_time_section,
    render_top_section,
)
from analysis.pages.metric_sections import render_front_section, render_metrics_section
from analysis.pages.templating import TableView, list_contents, render_template
from analysis.pages.trial_sections import (
    render_combinations_section,
    render_cost_section,
    render_curves_section,
    render_trials_section,
)
from analysis.pages.tuning_sections import (
    render_effects_section,
    render_seeds_section,
    render_tuning_section,
)
from analysis.pages.variant_section import render_variants_section
from study.records.outcomes import PRUNED, SHOWS_NOTHING

if TYPE_CHECKING:
    from analysis.data.study import Study
    from analysis.findings.analyze_study import Findings

_LAST_SECTIONS = (
    render_seeds_section,
    render_curves_section,
    render_time_section,
    render_cost_section,
    render_combinations_section,
    render_trials_section,
)
_SECTIONS = (
    render_variants_section,
    render_front_section,
    render_importance_section,
    render_top_section,
    render_breaking_section,
    render_bounds_section,
    render_effects_section,
    render_tuning_section,
    render_metrics_section,
    *_LAST_SECTIONS,
)

# Other tools' records say nothing of runs that broke, bounds or defaults.
_RECORDED_SECTIONS = (
    render_importance_section,
    render_branch_section,
    render_top_section,
    render_effects_section,
    *_LAST_SECTIONS,
)

# Variants sample no space, so nothing of what follows from explored trials.
_VARIANT_SECTIONS = (
    render_variants_section,
    render_front_section,
    render_metrics_section,
    render_curves_section,
    render_cost_section,
    render_trials_section,
)


def render_study_page(findings: Findings) -> str:
    """The whole page of one study as HTML."""
    study, claims = findings.study, list_claims(findings)
    values = view_values(findings)
    sections = [*(render(findings) for render in _choose(study)), _render_claims(claims, study)]
    return render_template(
        "study.html",
        title=study.title,
        kind="NeRF study" if study.is_nerf else _name_study(study),
        kicker="NeRF hyperparameter study" if study.is_nerf else _name_study(study),
        is_nerf=study.is_nerf,
        is_psnr=study.metric == PSNR,
        is_native=study.is_native,
        metric=study.metric,
        assumed=study.assumed,
        decisive=study.decisive,
        answers=view_answers(claims),
        lead=_list_lead(findings, claims),
        summary=dict(_summarize(findings, claims)),
        cards=list(view_cards(findings)),
        values=values,
        has_default=bool(study.defaults),
        has_advice=any(value.good for value in values),
        default_was_run=findings.default is not None,
        contents=list_contents(sections),
        sections=sections,
        facts=_list_facts(findings),
    )


def _name_study(study: Study) -> str:
    """What kind of study it is, of another trainer or another tool."""
    if study.is_native:
        words = [study.trainer]
        if study.spec.get("command"):  # without its options
            words = list(takewhile(lambda word: word[0] not in "-{", study.trainer.split()))
        return f"Hyperparameter study of {' '.join(Path(word).name for word in words)}"
    return f"{study.source} sweep"


def _choose(study: Study) -> Sequence[Callable[[Findings], Markup]]:
    """The sections of a study, in their order."""
    if not study.is_native:
        return _RECORDED_SECTIONS
    return _VARIANT_SECTIONS if study.has_variants else _SECTIONS


def _list_lead(findings: Findings, claims: Sequence[Claim]) -> list[str]:
    """Which variants differ, of a study of variants, which has no five answers."""
    if not findings.study.has_variants:
        return []
    texts = [claim.text for claim in headline_claims(claims)]
    return texts or ["No run of a variant has ended yet."]


def _summarize(findings: Findings, claims: Sequence[Claim]) -> Iterator[tuple[str, str]]:
    """The outcomes and the design of all trials, and the best configuration."""
    study = findings.study
    outcomes = format_outcomes(study.trials) or "none ended yet"
    if study.is_native:
        scene = study.scene.get("name", "an unnamed scene" if study.is_nerf else "")
        counts = f"{len(study.trials)}{' on ' if scene else ''}{scene}: {outcomes}."
        explained = [
            c
            for c in select_claims(claims, "state")
            if c.condition.startswith((SHOWS_NOTHING, PRUNED))
        ]
        yield "Trials", f"{counts} {join_texts(explained)}".strip()
    else:
        left_out = f" Left out: {'; '.join(study.left_out)}." if study.left_out else ""
        counts = f"{len(study.trials)}: {outcomes}."
        if study.has_means:
            counts = join_texts(select_claims(claims, "state"))
        yield "Trials", f"{counts}{left_out}"
    both, best = findings.best_and_default, select_best(claims)
    if findings.front is not None:
        yield "Pareto front", join_texts(select_claims(claims, "front", "balanced"))
    if both is not None and both.is_proved_better:
        best = best[:1]  # the answer to what to set has the gain
    for name, selected in (
        ("Number of trials", select_claims(claims, "stopping")),
        ("Objectives", select_claims(claims, "other_objectives")),
        ("Start", select_claims(claims, "started_from")),
        ("By hand", select_claims(claims, "by_hand")),
        ("Design", select_claims(claims, "design")),
        ("Best", best),
    ):
        if selected:
            yield name, join_texts(selected)


def _render_claims(claims: Sequence[Claim], study: Study) -> Markup:
    """Every claim with what it rests on; the same list as claims.json."""
    rows = [[_name_kind(c, study), c.text, c.condition, c.n, c.confidence] for c in claims]
    heads = ["kind", "claim", "condition", "n", "confidence"]
    noun = "runs" if study.is_native else "trials"
    return render_template("claims.html", table=TableView(heads, rows), noun=noun)


def _name_kind(claim: Claim, study: Study) -> str:
    """The kind in words, for other tools' sweeps with `chance` in place of `seed`."""
    words = claim.kind.replace("_", " ")
    return words if study.is_native else words.replace("seed", "chance")


def _describe_metrics(study: Study) -> str:
    return "; ".join(f"{metric.title}, the {metric.best} is best" for metric in study.metrics)


def _list_facts(findings: Findings) -> dict[str, str]:
    """How the study was made; facts that are not known are left out."""
    study = findings.study
    fixed = ", ".join(f"{path}={value}" for path, value in study.space.fixed)
    if not study.is_native:
        return {
            "recorded by": study.source,
            "metric": f"{study.metric.title}, the {study.metric.best} is best",
            "varied": "; ".join(map(str, study.varied)),
        }
    facts = {
        "command": " ".join(study.command),
        "trainer": study.trainer,
        "metric": "" if study.metrics == (PSNR,) else _describe_metrics(study),
        "scene": f"{study.scene.get('source', '')} ({str(study.scene.get('hash', ''))[:12]})"
        if study.scene
        else "",
        "varied": "; ".join(map(str, study.varied)),
        "held fixed": fixed or "all else at its default",
        "versions": ", ".join(f"{name} {version}" for name, version in study.versions.items()),
        "created": study.created,
    }
    return {name: fact for name, fact in facts.items() if fact}
