"""The report's sections on importance: for the final PSNR, for the best trials, during training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.figures.importance_bars import plot_importance_bars, plot_top_bars
from analysis.figures.over_time import plot_importance_over_time, plot_rank_agreement
from analysis.figures.parameter_effect import plot_parameter_pair
from analysis.pages.templating import FigureView, render_template, view_figure

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings


def render_importance_section(findings: Findings) -> Markup:
    """Sobol' shares of the final PSNR with pair effects, or why there is no ranking."""
    importance = findings.importance
    figure = None
    if importance.shares:
        alt = "Share of the variance of PSNR for each parameter"
        figure = view_figure(plot_importance_bars(importance), alt)
    return render_template(
        "importance.html",
        refusal="" if importance.ranked else importance.headline(),
        figure=figure,
        pairs=_describe_pairs(findings),
        pair_maps=_view_pair_maps(findings),
        used=findings.comparable.sentence(),
        assumed="; ".join(findings.study.assumed),
        surrogate=importance.surrogate,
        quality=", ".join(f"{name} {r2:.2f}" for name, r2 in importance.r2.items()),
    )


def _describe_pairs(findings: Findings) -> str:
    pairs = findings.importance.pairs[: len(findings.pair_effects)]
    return ", ".join(
        f"{p.labels[0]} × {p.labels[1]} {p.share:.0%} [{p.low:.0%}, {p.high:.0%}]" for p in pairs
    )


def _view_pair_maps(findings: Findings) -> list[FigureView]:
    return [
        view_figure(
            plot_parameter_pair(plane), f"Mean PSNR over {plane.labels[0]} and {plane.labels[1]}"
        )
        for plane in findings.pair_effects
    ]


def render_top_section(findings: Findings) -> Markup:
    """PED-ANOVA shares: which parameters set the best trials apart."""
    figure = None
    if findings.ped_anova.shares:
        alt = "Each parameter's share of the divergence of the best trials"
        figure = view_figure(plot_top_bars(findings.ped_anova), alt)
    return render_template("top.html", ped_anova=findings.ped_anova, figure=figure)


def render_time_section(findings: Findings) -> Markup:
    """Shares and rank correlation during training."""
    over = findings.over_time
    if over.refusal:
        return render_template("time.html", over=over, figures=[])
    figures = [
        view_figure(plot_rank_agreement(over), "Rank correlation of early and final PSNR of trials")
    ]
    if findings.importance.ranked:
        figures.append(
            view_figure(plot_importance_over_time(over), "Shares against training steps")
        )
    return render_template(
        "time.html",
        over=over,
        early=over.at_steps[min(1, len(over.at_steps) - 1)],
        ranked=findings.importance.ranked,
        figures=figures,
    )
