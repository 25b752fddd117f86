"""Shares of several studies, or of several scenes of one study, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.figures.choice_axis import wrap_label
from analysis.figures.interval_traces import add_intervals, set_share_axis
from analysis.figures.theme import LINE_COLOURS, blank_figure, escape_text
from analysis.findings.comparison import ComparedParameter, Comparison
from analysis.findings.scenes import ScenesFindings
from analysis.importance.shares import SobolShare

_HOVER = "%{x:.0%} [%{customdata[0]:.0%}, %{customdata[1]:.0%}]"
_POOLED = ""  # stands for the pooled share; no study has an empty name
_ROW = 0.7
"""Part of a parameter's row within which its intervals stand, one below the other."""


def plot_compared_shares(comparison: Comparison) -> go.Figure:
    """Shares with intervals, a colour for each study, above them those that can be pooled."""
    rows = {c.label: _list_intervals(c) for c in comparison.parameters}
    return _draw(rows, (_POOLED, *comparison.names), "pooled", comparison.metric)


def plot_scene_shares(findings: ScenesFindings) -> go.Figure:
    """Shares with intervals, a colour for each scene, above them those of the mean over scenes."""
    series = {_POOLED: findings.importance}
    series |= {label: own.importance for label, own in findings.by_scene.items()}
    rows: dict[str, Intervals] = {}
    for dimension in findings.first.space.dimensions:
        shares = {
            label: next((s for s in importance.shares if s.path == dimension.path), None)
            for label, importance in series.items()
            if importance.ranked
        }
        rows[dimension.label] = {label: _interval(s) for label, s in shares.items() if s}
    return _draw(rows, tuple(series), "averaged over scenes", findings.first.metric.name)


Intervals = Mapping[str, tuple[float, float, float]]
"""By series, estimate and ends of what one parameter has."""


def _draw(
    rows: Mapping[str, Intervals], series: Sequence[str], pooled: str, metric: str
) -> go.Figure:
    """A row for each parameter by its label, in each an interval for each series that has one."""
    drawn = [name for name in series if any(name in intervals for intervals in rows.values())]
    figure = blank_figure(height=110 + 18 * len(rows) * len(drawn))
    others = [name for name in drawn if name != _POOLED]
    for name in drawn:
        present = [(row, own) for row, own in enumerate(rows.values()) if name in own]
        places = np.array([_place(own, drawn, row, name) for row, own in present])
        intervals = np.array([own[name] for _, own in present])
        colour = "var(--ink)"
        if name != _POOLED:
            colour = LINE_COLOURS[others.index(name) % len(LINE_COLOURS)]
        add_intervals(figure, places, escape_text(name or pooled), intervals, _HOVER, colour)
    labels = [wrap_label(label) for label in rows]
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.5, -0.5]
    )
    return set_share_axis(figure, f"share of the variance of {metric}")


def _list_intervals(compared: ComparedParameter) -> dict[str, tuple[float, float, float]]:
    """Estimate and ends of what one parameter has: the pooled share, and that of each study."""
    intervals = {name: _interval(share) for name, share in compared.shares.items()}
    if (pooled := compared.pooled) is not None:
        intervals[_POOLED] = (pooled.mean, max(pooled.low, 0.0), min(pooled.high, 1.0))
    return intervals


def _interval(share: SobolShare) -> tuple[float, float, float]:
    return share.share, share.share_low, share.share_high


def _place(intervals: Intervals, series: Sequence[str], row: int, name: str) -> float:
    """Height of one interval: those of a parameter stand evenly about its row."""
    present = [each for each in series if each in intervals]
    return row + _ROW * ((present.index(name) + 0.5) / len(present) - 0.5)
