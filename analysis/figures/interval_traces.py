"""Traces shared by figures of estimates: points with 95 % intervals, chance line, share axis."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from analysis.figures.theme import set_axis_titles, set_percent_axis
from analysis.stats.intervals import FloatArray

_SHARE_HOVER = "%{y}<br>%{x:.0%} [%{customdata[0]:.0%}, %{customdata[1]:.0%}]<extra></extra>"


def add_intervals(
    figure: go.Figure,
    names: Sequence[str] | FloatArray,
    legend: str,
    values: FloatArray,
    hover: str = _SHARE_HOVER,
    colour: str = "var(--alive)",
) -> None:
    """Adds a point and a horizontal interval for each name.

    values: (names, 3) estimate, low, high
    """
    estimate, low, high = values.T
    figure.add_scatter(
        y=names,
        x=estimate,
        mode="markers",
        name=legend,
        marker={"color": colour, "size": 10},
        error_x={
            "array": high - estimate,
            "arrayminus": estimate - low,
            "color": colour,
            "thickness": 2.5,
            "width": 0,
        },
        customdata=values[:, 1:],
        hovertemplate=hover,
        cliponaxis=False,
    )


def add_chance_line(figure: go.Figure, names: Sequence[str], null: Sequence[float]) -> None:
    """Adds the chance line, a red tick for each name.

    An estimate to its left is not significant.
    """
    figure.add_scatter(
        y=names,
        x=null,
        mode="markers",
        name="chance line",
        marker={
            "symbol": "line-ns",
            "size": 22,
            "line": {"color": "var(--collapsed)", "width": 2.5},
        },
        hovertemplate="%{y}<br>below %{x:.0%} in 95 % of shuffles<extra></extra>",
    )


def set_share_axis(figure: go.Figure, title: str) -> go.Figure:
    """The same figure with an x axis from 0 to 100 %."""
    set_percent_axis(figure, "x", margin=0.03)
    figure.update_yaxes(showgrid=False, ticklabelstandoff=4)
    return set_axis_titles(figure, title, "")
