"""Shares of several studies side by side."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import plotly.graph_objects as go

from analysis.figures.choice_axis import wrap_label
from analysis.figures.interval_traces import add_intervals, set_share_axis
from analysis.figures.theme import LINE_COLOURS, blank_figure, escape_text
from analysis.findings.comparison import ComparedParameter, Comparison

_HOVER = "%{x:.0%} [%{customdata[0]:.0%}, %{customdata[1]:.0%}]"
_POOLED = ""  # stands for the pooled share; no study has an empty name
_ROW = 0.7
"""Part of a parameter's row within which its intervals stand, one below the other."""


def plot_compared_shares(comparison: Comparison) -> go.Figure:
    """Shares with intervals, a colour for each study, above them those that can be pooled."""
    parameters = comparison.parameters
    by_series = {
        label: [_list_intervals(c).get(label) for c in parameters]
        for label in (_POOLED, *comparison.names)
    }
    drawn = {label: values for label, values in by_series.items() if any(values)}
    figure = blank_figure(height=110 + 18 * len(parameters) * len(drawn))
    studies = [label for label in drawn if label != _POOLED]
    for label, values in drawn.items():
        present = [row for row, value in enumerate(values) if value is not None]
        places = np.array([_place(parameters[row], drawn, row, label) for row in present])
        intervals = np.array([values[row] for row in present])
        colour = "var(--ink)"
        if label != _POOLED:
            colour = LINE_COLOURS[studies.index(label) % len(LINE_COLOURS)]
        add_intervals(figure, places, escape_text(label or "pooled"), intervals, _HOVER, colour)
    labels = [wrap_label(c.label) for c in parameters]
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.5, -0.5]
    )
    return set_share_axis(figure, f"share of the variance of {comparison.metric}")


def _list_intervals(compared: ComparedParameter) -> dict[str, tuple[float, float, float]]:
    """Estimate and ends of what one parameter has: the pooled share, and that of each study."""
    intervals = {
        name: (share.share, share.share_low, share.share_high)
        for name, share in compared.shares.items()
    }
    if (pooled := compared.pooled) is not None:
        intervals[_POOLED] = (pooled.mean, max(pooled.low, 0.0), min(pooled.high, 1.0))
    return intervals


def _place(compared: ComparedParameter, series: Iterable[str], row: int, label: str) -> float:
    """Height of one interval: those of a parameter stand evenly about its row."""
    present = [name for name in series if name in _list_intervals(compared)]
    return row + _ROW * ((present.index(label) + 0.5) / len(present) - 0.5)
