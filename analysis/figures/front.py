"""Trials in the plane of two metrics, with those on the Pareto front of all of them."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from analysis.data.metric import Metric
from analysis.figures.theme import blank_figure, escape_text, set_axis_titles, set_log_axis
from analysis.figures.trial_markers import add_trials
from analysis.findings.front import Front

_LOG_RATIO = 10.0
"""Largest over smallest value from which the axis of a cost is logarithmic."""


def plot_front(front: Front, x: Metric, y: Metric) -> go.Figure:
    """Every run that the front was chosen from, the front ringed, the most balanced one starred."""
    figure = blank_figure(height=420)
    across = front.candidates[x.column].astype(float)
    hover = f"{x.hover('x')}<br>{y.hover('y')}"
    add_trials(figure, front.candidates, across, front.candidates[y.column], y, hover=hover)
    rest = front.trials
    if front.balanced is not None:
        rest = rest[rest["trial_id"] != front.balanced["trial_id"]]
        _add_marked(figure, front.balanced.to_frame().T, x, y, "most balanced", "star-open")
    _add_marked(figure, rest, x, y, "on the Pareto front", "circle-open")
    lowest, highest = float(across.min()), float(across.max())
    if x.is_cost and lowest > 0 and highest / lowest > _LOG_RATIO:
        set_log_axis(figure, "x", lowest, highest)
    return set_axis_titles(figure, x.title, y.title)


def _add_marked(
    figure: go.Figure, trials: pd.DataFrame, x: Metric, y: Metric, name: str, symbol: str
) -> None:
    figure.add_scatter(
        x=trials[x.column].astype(float),
        y=trials[y.column].astype(float),
        mode="markers",
        name=name,
        marker={"color": "var(--accent)", "size": 15, "symbol": symbol, "line": {"width": 2}},
        customdata=trials["trial_id"].astype(str).map(escape_text),
        hovertemplate=f"trial %{{customdata}}, {name}<br>{x.hover('x')}<br>{y.hover('y')}"
        "<extra></extra>",
    )
