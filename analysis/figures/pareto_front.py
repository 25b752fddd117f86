"""The metric of trials against their training time."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.figures.theme import blank_figure, group_by_outcome, set_axis_titles, trial_markers


def plot_pareto_front(
    trials: pd.DataFrame, front: pd.DataFrame, metric: Metric = PSNR
) -> go.Figure:
    """The metric against seconds of training, with a line through the Pareto front."""
    figure = blank_figure(height=380)
    for outcome, points in group_by_outcome(trials):
        figure.add_scatter(
            x=points["train_seconds"],
            y=metric.values(points["score"]),
            **trial_markers(outcome, points, metric),
        )
    figure.add_scatter(
        x=front["train_seconds"],
        y=metric.values(front["score"]),
        mode="lines",
        name="Pareto front",
        line={"color": "var(--accent)", "width": 2, "shape": "hv"},
        hoverinfo="skip",
    )
    return set_axis_titles(
        figure, "seconds of training" if metric is PSNR else "seconds", metric.title
    )
