"""PSNR of trials over their near and far bounds."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import (
    OUTCOME_STYLES,
    blank_figure,
    group_by_outcome,
    set_axis_titles,
    trial_markers,
)


def plot_near_far_map(trials: pd.DataFrame, near: str, far: str) -> go.Figure:
    """A marker for each trial at its bounds, coloured by PSNR; near, far: columns of `trials`."""
    figure = blank_figure(height=460)
    for outcome, points in group_by_outcome(trials):
        style = trial_markers(outcome, points)
        style["marker"] = {
            "symbol": OUTCOME_STYLES[outcome][1],
            "size": 13,
            "color": points["score"],
            "coloraxis": "coloraxis",
            "line": {"color": "var(--ink)", "width": 0.8},
        }
        style["hovertemplate"] = (
            "trial %{customdata}<br>near %{x:.2f}, far %{y:.2f}<br>%{marker.color:.2f} dB"
            "<extra></extra>"
        )
        figure.add_scatter(x=points[near], y=points[far], **style)
    figure.update_layout(
        coloraxis={"colorscale": "Viridis", "colorbar": {"title": "dB", "thickness": 12}}
    )
    return set_axis_titles(figure, "near (scene units)", "far (scene units)")
