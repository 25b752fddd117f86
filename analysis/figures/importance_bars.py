"""Importance of each parameter: shares of variance, and shares among the best trials."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from analysis.figures.choice_axis import wrap_label
from analysis.figures.interval_traces import add_chance_line, add_intervals, set_share_axis
from analysis.figures.theme import blank_figure, mark_not_ranked
from analysis.importance.ped_anova import PedAnova
from analysis.importance.shares import Importance
from analysis.stats.intervals import FloatArray


def plot_importance_bars(importance: Importance, metric: str = "PSNR") -> go.Figure:
    """Two bars with intervals for each parameter: its share alone, and with interactions.

    Grey, and marked, where the parameters are not ranked; without bars if nothing could be fitted.
    """
    shares = importance.shares[::-1]
    names = [wrap_label(share.label) for share in shares]
    figure = blank_figure(height=130 + 46 * len(shares))
    # The bar that is added last is drawn on top.
    alone = np.array([(s.alone, s.alone_low, s.alone_high) for s in shares]).reshape(-1, 3)
    _add_bars(figure, names, "alone", "var(--band)", alone)
    whole = np.array([(s.share, s.share_low, s.share_high) for s in shares]).reshape(-1, 3)
    _add_bars(figure, names, "with interactions", "var(--alive)", whole)
    figure.update_layout(barmode="group", bargap=0.35, legend_traceorder="reversed")
    set_share_axis(figure, f"part of the variance of {metric}")
    return figure if importance.ranked else mark_not_ranked(figure)


def _add_bars(
    figure: go.Figure, names: list[str], legend: str, colour: str, values: FloatArray
) -> None:
    """values: (names, 3) estimate, low, high"""
    estimate, low, high = values.T
    figure.add_bar(
        y=names,
        x=estimate,
        orientation="h",
        name=legend,
        marker_color=colour,
        error_x={
            "array": high - estimate,
            "arrayminus": estimate - low,
            "color": "var(--ink)",
            "thickness": 1.5,
            "width": 3,
        },
        customdata=values[:, 1:],
        hovertemplate="%{y}<br>" + legend + " %{x:.0%} [%{customdata[0]:.0%}, "
        "%{customdata[1]:.0%}]<extra></extra>",
    )


def plot_top_bars(top: PedAnova) -> go.Figure:
    """Shares of PED-ANOVA's divergence of the best trials, with intervals and the chance line.

    Grey, and marked, where nothing is ranked.
    """
    shares = top.shares[::-1]
    names = [wrap_label(share.label) for share in shares]
    figure = blank_figure(height=110 + 38 * len(shares))
    values = np.array([(s.share, s.low, s.high) for s in shares])
    add_intervals(figure, names, "share, 95 % interval", values)
    add_chance_line(figure, names, [s.null for s in shares])
    set_share_axis(figure, "share of the total divergence")
    return figure if top.ranked else mark_not_ranked(figure)
