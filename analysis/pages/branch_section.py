"""The report's section on parameters that only some trials of another tool have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.claims.branch_claims import list_claims_of_branch, name_branch
from analysis.figures.importance_bars import plot_importance_bars
from analysis.pages.templating import render_template, view_figure

if TYPE_CHECKING:
    from analysis.findings.analyze_study import BranchFindings, Findings


def render_branch_section(findings: Findings) -> Markup:
    """Each branch with its claims and shares; empty where all trials have the same parameters."""
    if not findings.branches:
        return Markup()
    return render_template(
        "branches.html",
        metric=findings.study.metric,
        branches=[_view_branch(findings, of_branch) for of_branch in findings.branches],
    )


def _view_branch(findings: Findings, of_branch: BranchFindings) -> dict[str, object]:
    importance, metric = of_branch.findings.importance, findings.study.metric
    name = name_branch(findings, of_branch)
    figure = None
    if importance.ranked:
        alt = f"{name}: part of the variance of {metric.name} by each parameter"
        figure = view_figure(plot_importance_bars(importance, metric.name), alt)
    claims = list_claims_of_branch(findings, of_branch)
    return {
        "name": name,
        "used": of_branch.findings.comparable.sentence(),
        "sentences": [claim.text for claim in claims],
        "figure": figure,
    }
