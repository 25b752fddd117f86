"""Shares of several studies side by side."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from analysis.figures.choice_axis import wrap_label
from analysis.figures.interval_traces import add_intervals, set_share_axis
from analysis.figures.theme import LINE_COLOURS, blank_figure, escape_text
from analysis.findings.comparison import Comparison

_HOVER = "%{x:.0%} [%{customdata[0]:.0%}, %{customdata[1]:.0%}]"


def plot_compared_shares(comparison: Comparison) -> go.Figure:
    """Shares with intervals, a colour for each study, above them those that can be pooled."""
    parameters = comparison.parameters[::-1]
    studies = list(dict.fromkeys(name for c in parameters for name in c.shares))
    figure = blank_figure(height=130 + 22 * len(parameters) * (1 + len(studies)))
    rows = np.arange(len(parameters), dtype=float)
    pooled = [(row, c.pooled) for row, c in zip(rows, parameters, strict=True) if c.pooled]
    if pooled:
        values = np.array([(p.mean, max(p.low, 0.0), min(p.high, 1.0)) for _, p in pooled])
        places = np.array([row for row, _ in pooled])
        add_intervals(figure, places, "pooled", values, _HOVER, "var(--ink)")
    for place, name in enumerate(studies):
        present = [i for i, c in enumerate(parameters) if name in c.shares]
        shares = [parameters[i].shares[name] for i in present]
        values = np.array([(s.share, s.share_low, s.share_high) for s in shares])
        # Studies stand below the pooled estimate, within six tenths of a row.
        heights = rows[present] - 0.6 * (place + 1) / (len(studies) + 1)
        colour = LINE_COLOURS[place % len(LINE_COLOURS)]
        add_intervals(figure, heights, escape_text(name), values, _HOVER, colour)
    figure.update_yaxes(tickvals=rows, ticktext=[wrap_label(c.label) for c in parameters])
    return set_share_axis(
        figure, f"share of the variance of {comparison.metric}, with interactions"
    )
