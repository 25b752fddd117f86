"""The metric of trials against their training time."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.figures.theme import blank_figure, set_axis_titles, set_log_axis
from analysis.figures.trial_markers import add_trials

_LOG_RATIO = 10.0
"""Longest over shortest time from which the axis is logarithmic: few long runs else fill it."""


def plot_pareto_front(
    trials: pd.DataFrame, front: pd.DataFrame, metric: Metric = PSNR
) -> go.Figure:
    """The metric against seconds of training, with a line through the Pareto front."""
    figure = blank_figure(height=380)
    seconds = trials["train_seconds"].astype(float)
    add_trials(figure, trials, seconds, metric.values(trials["score"]), metric)
    figure.add_scatter(
        x=front["train_seconds"],
        y=metric.values(front["score"]),
        mode="lines",
        name="Pareto front",
        line={"color": "var(--accent)", "width": 2, "shape": "hv"},
        hoverinfo="skip",
    )
    shortest, longest = float(seconds.min()), float(seconds.max())
    if shortest > 0 and longest / shortest > _LOG_RATIO:
        set_log_axis(figure, "x", shortest, longest)
    return set_axis_titles(
        figure, "seconds of training" if metric == PSNR else "seconds", metric.title
    )
