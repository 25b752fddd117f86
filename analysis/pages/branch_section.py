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
        answer="",
        metric=findings.study.metric,
        branches=[_view_branch(findings, branch) for branch in findings.branches],
    )


def _view_branch(findings: Findings, branch_findings: BranchFindings) -> dict[str, object]:
    importance, metric = branch_findings.findings.importance, findings.study.metric
    name = name_branch(findings, branch_findings)
    figure = None
    if importance.ranked:
        alt = f"{name}: part of the variance of {metric.name} by each parameter"
        figure = view_figure(plot_importance_bars(importance, metric.name), alt)
    claims = list_claims_of_branch(findings, branch_findings)
    return {
        "name": name,
        "used": branch_findings.findings.comparable.sentence(),
        "sentences": [claim.text for claim in claims],
        "figure": figure,
    }
