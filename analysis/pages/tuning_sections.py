"""The report's sections on how parameters act, what tuning gains, and what the seed does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.claims.claim import Claim
from analysis.claims.default_claims import list_default_claims, list_tuning_claims
from analysis.claims.list_claims import join_texts
from analysis.claims.seed_claims import list_seed_claims
from analysis.claims.value_claims import is_seed, list_value_claims
from analysis.data.selection import select_measured
from analysis.figures.parameter_effect import plot_parameter_effect
from analysis.figures.seed_runs import plot_seed_runs
from analysis.figures.trial_markers import describe_markers
from analysis.figures.tuning_gains import plot_path_to_best, plot_tuning_gains
from analysis.pages.section_answers import answer_effects, answer_seeds, answer_tuning
from analysis.pages.templating import render_template, view_figure

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings
    from analysis.findings.partial_dependence import Effect


def render_effects_section(findings: Findings) -> Markup:
    """The metric against each parameter, with its mean curve and what can be said of its values."""
    claims, metric = tuple(list_value_claims(findings)), findings.study.metric
    return render_template(
        "effects.html",
        answer=answer_effects(findings),
        markers=describe_markers(select_measured(findings.study.trials)),
        has_lines=any(effect.curve and not effect.choices for effect in findings.effects),
        has_dashes=any(effect.curve and effect.choices for effect in findings.effects),
        figures=[
            view_figure(
                plot_parameter_effect(effect, metric),
                f"{metric.name} against {effect.label}",
                _describe_effect(effect, claims),
            )
            for effect in findings.effects
        ],
        span_varies=any(d.path == "sampling.span" for d in findings.study.space.dimensions),
        metric=metric,
        is_native=findings.study.is_native,
    )


def _describe_effect(effect: Effect, claims: Sequence[Claim]) -> str:
    """The sentences on the values of one parameter; empty without a curve."""
    if effect.curve is None:
        return ""
    if is_seed(effect.label):
        return "A seed has no best value."
    of_effect = [c for c in claims if c.parameters[0].partition("=")[0] == effect.path]
    return join_texts(of_effect) or "No significant effect on its own: no best value is claimed."


def render_tuning_section(findings: Findings) -> Markup:
    """The best configuration and the default one, gains over the default and the path between."""
    tuning, spread, both = findings.tunability, findings.seeds.spread, findings.best_and_default
    figures, metric = [], findings.study.metric
    if both is not None and both.default.scores:
        alt = f"{metric.name} of each run of the {both.choice} configuration and of the default"
        figures.append(view_figure(plot_seed_runs(both, metric), alt))
    if tuning is not None:
        alt = f"{metric.unit or metric.name} gained over the defaults by each parameter"
        figures.append(view_figure(plot_tuning_gains(tuning, spread, metric), alt))
        if len(tuning.path) > 1:
            alt = f"{metric.name} from the defaults to the best trial"
            figures.append(view_figure(plot_path_to_best(tuning, spread, metric), alt))
    claims = [*list_default_claims(findings), *list_tuning_claims(findings)]
    return render_template(
        "tuning.html",
        answer=answer_tuning(findings),
        sentences=[claim.text for claim in claims],
        figures=figures,
        has_tuning=tuning is not None,
        spread=spread and metric.with_unit(metric.format_number(spread.deviation)),
    )


def render_seeds_section(findings: Findings) -> Markup:
    """The spread between seeds, its part of the variance, and runs that only some seeds break.

    Empty for another tool's sweep with too few repeated configurations.
    """
    if findings.seeds.spread is None and not findings.study.is_native:
        return Markup()
    return render_template(
        "seeds.html",
        answer=answer_seeds(findings),
        measured=findings.seeds.spread is not None,
        is_native=findings.study.is_native,
        sentences=[claim.text for claim in list_seed_claims(findings)],
    )
