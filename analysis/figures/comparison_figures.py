"""Every figure of the page about several studies by name, with its caption."""

from __future__ import annotations

from analysis.figures.compared_shares import plot_compared_shares
from analysis.figures.rates_across import plot_rates_across
from analysis.figures.study_figures import StudyFigure, name_figure
from analysis.findings.comparison import Comparison

_SHOWN_IF_NONE_BREAKS = 2  # parameters of lowest p-value


def list_comparison_figures(comparison: Comparison) -> dict[str, StudyFigure]:
    """File name without suffix -> figure, in the order of the page."""
    figures = []
    if (breaking := comparison.breaking) is not None:
        shown = breaking.significant_parameters or breaking.parameters[:_SHOWN_IF_NONE_BREAKS]
        for parameter in shown:
            figure = StudyFigure(
                name_figure("breaks_across", parameter.path),
                plot_rates_across(parameter),
                f"Explored runs that break by {parameter.label}: each of "
                f"{len(parameter.by_study)} studies, and their mean with its interval "
                f"(p = {parameter.p_value:.2g}, corrected).",
            )
            figures.append(figure)
    if comparison.parameters:
        figure = StudyFigure(
            "compared_shares",
            plot_compared_shares(comparison),
            f"Shares of the variance of {comparison.metric}, with interactions, of each study that "
            "ranks its parameters, with 95 % intervals; pooled: random-effects mean.",
        )
        figures.append(figure)
    return {figure.name: figure for figure in figures}
