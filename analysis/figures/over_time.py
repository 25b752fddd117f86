"""Importance and ranks of trials during training."""

from __future__ import annotations

import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.figures.theme import (
    LINE_COLOURS,
    blank_figure,
    escape_text,
    set_axis_titles,
    set_percent_axis,
)
from analysis.importance.over_time import SharesOverTime


def plot_importance_over_time(over: SharesOverTime, metric: Metric = PSNR) -> go.Figure:
    """Shares at each step with a ranking, for the parameters with the highest final shares."""
    figure = blank_figure(height=360)
    final = over.at_steps[-1].importance.shares[: len(LINE_COLOURS)]
    for colour, last in zip(LINE_COLOURS, final, strict=False):
        points = [(m.step, s) for m in over.at_steps if (s := m.share(last.path)) is not None]
        figure.add_scatter(
            x=[step for step, _ in points],
            y=[s.share for _, s in points],
            mode="lines+markers",
            name=escape_text(last.label),
            line={"color": colour, "width": 2.5},
            error_y={
                "array": [s.share_high - s.share for _, s in points],
                "arrayminus": [s.share - s.share_low for _, s in points],
                "color": colour,
                "width": 0,
                "thickness": 1,
            },
            hovertemplate="step %{x}<br>%{y:.0%}<extra></extra>",
        )
    set_percent_axis(figure, "y", margin=0.02)
    figure.update_xaxes(range=[0, 1.04 * over.at_steps[-1].step])
    return set_axis_titles(figure, _name_steps(metric), "share, with interactions")


def plot_rank_agreement(over: SharesOverTime, metric: Metric = PSNR) -> go.Figure:
    """Rank correlation between the trials' metric at each step and at the end."""
    figure = blank_figure(height=360)
    at_steps = over.at_steps
    figure.add_scatter(
        x=[m.step for m in at_steps],
        y=[m.agreement for m in at_steps],
        mode="lines+markers",
        line={"color": "var(--accent)", "width": 2.5},
        marker={"size": 8},
        error_y={
            "array": [m.agreement_high - m.agreement for m in at_steps],
            "arrayminus": [m.agreement - m.agreement_low for m in at_steps],
            "color": "var(--accent)",
            "width": 0,
        },
        customdata=[m.psnr_lost for m in at_steps],
        hovertemplate="step %{x}<br>rank correlation %{y:.2f}<br>keeping the best third here "
        f"loses {metric.hover('customdata')}<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(range=[min(0.0, *(m.agreement_low for m in at_steps)), 1.03])
    title = f"rank correlation with the final {metric.name}"
    return set_axis_titles(figure, _name_steps(metric), title)


def _name_steps(metric: Metric) -> str:
    """Steps of training; of other tools' metrics the steps at which they were reported."""
    return "training steps" if metric == PSNR else "step"
