"""Importance of each parameter: shares of variance, and shares among the best trials."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from analysis.figures.interval_traces import add_intervals, add_null_ticks, set_share_axis
from analysis.figures.theme import blank_figure, wrap_label
from analysis.importance.ped_anova import PedAnova
from analysis.importance.shares import Importance


def plot_importance_bars(importance: Importance) -> go.Figure:
    """Total Sobol' shares with intervals, first-order shares as bars, and null ticks."""
    shares = importance.shares[::-1]
    names = [wrap_label(share.label) for share in shares]
    figure = blank_figure(height=110 + 38 * len(shares))
    figure.add_bar(
        y=names,
        x=[s.first for s in shares],
        orientation="h",
        name="alone",
        marker_color="var(--band)",
        width=0.5,
        hovertemplate="%{y}<br>alone %{x:.0%}<extra></extra>",
    )
    totals = np.array([(s.total, s.total_low, s.total_high) for s in shares])
    add_intervals(figure, names, "with interactions, 95 % interval", totals)
    add_null_ticks(figure, names, [s.null for s in shares])
    figure.update_layout(barmode="overlay")
    return set_share_axis(figure, "share of the variance of PSNR")


def plot_top_bars(top: PedAnova) -> go.Figure:
    """Shares of PED-ANOVA's divergence of the best trials, with intervals and null ticks."""
    shares = top.shares[::-1]
    names = [wrap_label(share.label) for share in shares]
    figure = blank_figure(height=110 + 38 * len(shares))
    values = np.array([(s.share, s.low, s.high) for s in shares])
    add_intervals(figure, names, "share, 95 % interval", values)
    add_null_ticks(figure, names, [s.null for s in shares])
    return set_share_axis(figure, "share of the total divergence")
