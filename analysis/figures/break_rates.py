"""Rates of runs that break (collapse or show nothing) against one parameter and against two."""

from __future__ import annotations

import plotly.graph_objects as go

from analysis.figures.theme import blank_figure, set_axis_titles, wrap_label
from analysis.findings.breaking import PairBreaking, ParameterBreaking


def plot_break_rates(breaking: ParameterBreaking) -> go.Figure:
    """Rate of breaking for each choice or range of a parameter; the intervals hold at once."""
    rates = breaking.rates
    names = [wrap_label(rate.name).replace(" to ", "<br>to ") for rate in rates]
    figure = blank_figure(height=270)
    figure.add_scatter(
        x=names,
        y=[r.rate for r in rates],
        mode="markers",
        marker={"color": "var(--collapsed)", "size": 10, "symbol": "x"},
        error_y={
            "array": [r.high - r.rate for r in rates],
            "arrayminus": [r.rate - r.low for r in rates],
            "color": "var(--collapsed)",
            "thickness": 2,
            "width": 0,
        },
        customdata=[[r.collapsed, r.shows_nothing, r.trials] for r in rates],
        hovertemplate="%{x}<br>of %{customdata[2]} runs %{customdata[0]} collapsed, "
        "%{customdata[1]} show nothing<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(tickformat=".0%", range=[-0.04, 1.04])
    return set_axis_titles(figure, breaking.label, "collapse or show nothing")


def plot_pair_break_rates(breaking: PairBreaking) -> go.Figure:
    """Heat map of the rate of breaking over two parameters, with counts."""
    figure = blank_figure(height=340)
    rows = breaking.rates
    figure.add_heatmap(
        x=[wrap_label(name) for name in breaking.names[0]],
        y=[wrap_label(name) for name in breaking.names[1]],
        z=[[r.rate if r.trials else None for r in row] for row in rows],
        zmin=0.0,
        zmax=1.0,
        xgap=2,
        ygap=2,
        colorscale=[[0.0, "var(--card)"], [1.0, "var(--collapsed)"]],
        text=[[f"{r.broken} of {r.trials}" if r.trials else "" for r in row] for row in rows],
        texttemplate="%{text}",
        textfont={"color": "var(--ink)"},
        customdata=[[[r.low, r.high] for r in row] for row in rows],
        hovertemplate="%{x}<br>%{y}<br>%{z:.0%} [%{customdata[0]:.0%}, %{customdata[1]:.0%}] "
        "break<extra></extra>",
        colorbar={"title": "break", "thickness": 12, "tickformat": ".0%"},
    )
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False)
    return set_axis_titles(figure, breaking.labels[0], breaking.labels[1])
