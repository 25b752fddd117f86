"""The report's sections on a study of several metrics: the front, and each further metric."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.claims.metric_claims import (
    explain_correction,
    list_claims_of_metric,
    list_front_claims,
)
from analysis.figures.front import plot_front
from analysis.figures.importance_bars import plot_importance_bars
from analysis.figures.parameter_effect import plot_parameter_effect
from analysis.findings.front import tabulate_front
from analysis.pages.templating import FigureView, TableView, render_template, view_figure

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings


def render_front_section(findings: Findings) -> Markup:
    """The Pareto front as figure and table; empty for a study of one metric."""
    front = findings.front
    if front is None:
        return Markup()
    answer, *more = (claim.text for claim in list_front_claims(findings))
    table = tabulate_front(findings.study, front)
    figures = [
        view_figure(plot_front(front, x, y), f"{y.name} of each run against its {x.name}")
        for y, x in itertools.combinations(front.metrics, 2)
        if len(front.candidates)
    ]
    return render_template(
        "front.html",
        answer=answer,
        sentences=more,
        figures=figures,
        table=TableView(list(table.columns), table.to_numpy(dtype=object).tolist()),
        names=[metric.name for metric in front.metrics],
    )


def render_metrics_section(findings: Findings) -> Markup:
    """What matters and what is best by each further metric; empty for a study of one."""
    if findings.front is None:
        return Markup()
    return render_template(
        "metrics.html",
        answer="",
        first=findings.study.metric.name,
        correction=explain_correction(findings),
        metrics=[_view_metric(other) for other in findings.other_metrics],
    )


def _view_metric(other: Findings) -> dict[str, object]:
    metric, claims = other.study.metric, list_claims_of_metric(other)
    figures: list[FigureView] = []
    if other.importance.shares:
        alt = f"Part of the variance of {metric.name} by each parameter"
        figures.append(view_figure(plot_importance_bars(other.importance, metric.name), alt))
    effects = [
        view_figure(plot_parameter_effect(effect, metric), f"{metric.name} against {effect.label}")
        for effect in other.effects
    ]
    return {
        "title": metric.title,
        "best": metric.best,
        "sentences": [claim.text for claim in claims],
        "used": other.comparable.sentence(),
        "figures": figures,
        "effects": [] if other.study.has_variants else effects,
    }
