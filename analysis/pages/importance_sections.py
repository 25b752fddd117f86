"""The report's sections on importance: for the final metric, for the best trials, over training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.claims.claim import Claim
from analysis.claims.design_claims import list_design_claims
from analysis.claims.list_claims import join_texts, select_claims
from analysis.claims.share_claims import list_share_claims, list_top_claims
from analysis.claims.time_claims import list_time_claims
from analysis.figures.importance_bars import plot_importance_bars, plot_top_bars
from analysis.figures.over_time import plot_importance_over_time, plot_rank_agreement
from analysis.figures.parameter_effect import plot_parameter_pair
from analysis.figures.variance_parts import plot_variance_parts
from analysis.pages.section_answers import answer_headline, answer_time, answer_top
from analysis.pages.templating import FigureView, render_template, view_figure

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings

_PARTS = ("not_significant", "interaction", "unexplained")


def render_importance_section(findings: Findings) -> Markup:
    """Parts of the variance of the final metric with pair effects, or why there is no ranking."""
    importance, metric = findings.importance, findings.study.metric
    figures = []
    if importance.shares:
        alt = f"Part of the variance of {metric.name} by each parameter"
        figures.append(view_figure(plot_importance_bars(importance, metric.name), alt))
    if importance.parts:
        alt = f"Parts of the variance of {metric.name}, which add up to 100 %"
        figures.append(view_figure(plot_variance_parts(importance, metric.name), alt))
    claims = tuple(list_share_claims(findings))
    designs = [claim.text for claim in list_design_claims(findings)]
    return render_template(
        "importance.html",
        answer=answer_headline(findings, "what_matters"),
        refusals=[claim.text for claim in select_claims(claims, "not_ranked")],
        sentences=_group_by_parameter(claims),
        parts=join_texts([c for c in claims if c.kind in _PARTS]),
        figures=figures,
        pair_maps=_view_pair_maps(findings),
        used=" ".join([findings.comparable.sentence(), *designs]),
        r2=importance.r2,
        metric=metric,
        is_native=findings.study.is_native,
    )


def _group_by_parameter(claims: Sequence[Claim]) -> list[str]:
    """The sentences on each single parameter, as one paragraph."""
    claims = [c for c in claims if c.kind not in _PARTS]
    paths = dict.fromkeys(c.parameters[0] for c in claims if len(c.parameters) == 1)
    has_share = {c.parameters[0] for c in select_claims(claims, "share")}
    groups = [[c for c in claims if c.parameters == (path,)] for path in paths]
    # The sentence on a share has that with runs that broke in it.
    return [
        join_texts([c for c in g if c.kind != "share_with_failures" or path not in has_share])
        for path, g in zip(paths, groups, strict=True)
    ]


def _view_pair_maps(findings: Findings) -> list[FigureView]:
    metric = findings.study.metric
    return [
        view_figure(
            plot_parameter_pair(plane, metric),
            f"Mean {metric.name} over {plane.labels[0]} and {plane.labels[1]}",
        )
        for plane in findings.pair_effects
    ]


def render_top_section(findings: Findings) -> Markup:
    """PED-ANOVA shares: which parameters set the best trials apart."""
    figure = None
    if findings.ped_anova.shares:
        alt = "Each parameter's share of the divergence of the best trials"
        figure = view_figure(plot_top_bars(findings.ped_anova), alt)
    return render_template(
        "top.html",
        answer=answer_top(findings),
        ped_anova=findings.ped_anova,
        figure=figure,
        sentences=[claim.text for claim in list_top_claims(findings)],
    )


def render_time_section(findings: Findings) -> Markup:
    """Shares and rank correlation over training; empty for other tools' sweeps without curves."""
    over, study, metric = findings.over_time, findings.study, findings.study.metric
    if study.curves.empty and not study.is_native:
        return Markup()
    figures = []
    if not over.refusal:
        alt = f"Rank correlation of early and final {metric.name} of trials"
        figures.append(view_figure(plot_rank_agreement(over, metric), alt))
        if findings.importance.ranked:
            figure = plot_importance_over_time(over, metric)
            figures.append(view_figure(figure, "Shares against training steps"))
    return render_template(
        "time.html",
        answer=answer_time(findings),
        over=over,
        sentences=[claim.text for claim in list_time_claims(findings)],
        figures=figures,
        has_shares=findings.importance.ranked,
        metric=metric,
        is_native=study.is_native,
    )
