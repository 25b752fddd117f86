"""Rates of runs that break (collapse or show nothing) against one parameter and against two."""

from __future__ import annotations

import plotly.graph_objects as go

from analysis.figures.choice_axis import set_choice_axis, wrap_label
from analysis.figures.theme import (
    blank_figure,
    escape_text,
    set_axis_titles,
    set_percent_axis,
)
from analysis.findings.breaking import PairBreaking, ParameterBreaking
from analysis.stats.rates import BreakRate

_DARKEST = 1.6
"""Rate whose cell would have the full colour: at 100 % the count in the cell stays legible."""
_CELL_HEIGHT = 44  # pixels


def plot_break_rates(breaking: ParameterBreaking) -> go.Figure:
    """Rate of breaking for each choice or range of a parameter; the intervals hold at once."""
    rates = breaking.rates
    figure = blank_figure(height=270)
    figure.add_scatter(
        x=list(range(len(rates))),
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
        text=[escape_text(r.name) for r in rates],
        customdata=[[r.collapsed, r.shows_nothing, r.trials] for r in rates],
        hovertemplate="%{text}<br>of %{customdata[2]} runs %{customdata[0]} collapsed, "
        "%{customdata[1]} show nothing<extra></extra>",
        showlegend=False,
    )
    set_percent_axis(figure, "y", margin=0.04)
    set_axis_titles(figure, breaking.label, "runs that break")
    return set_choice_axis(figure, [rate.name for rate in rates])


def plot_pair_break_rates(breaking: PairBreaking) -> go.Figure:
    """Heat map of the rate of breaking over two parameters, with counts.

    The parameter with more levels lies along y, where its cells have room for their counts.
    """
    columns, rows = breaking.names
    labels, rates = breaking.labels, [list(row) for row in breaking.rates]
    if len(columns) > len(rows):
        columns, rows, labels = rows, columns, (labels[1], labels[0])
        rates = [list(column) for column in zip(*rates, strict=True)]
    figure = blank_figure(height=100 + _CELL_HEIGHT * len(rows))
    figure.add_heatmap(
        # Places, not names: Plotly would take names such as 0.001 for numbers.
        x=list(range(len(columns))),
        y=list(range(len(rows))),
        z=[[r.rate if r.trials else None for r in row] for row in rates],
        zmin=0.0,
        zmax=_DARKEST,
        xgap=2,
        ygap=2,
        colorscale=[[0.0, "var(--card)"], [1.0, "var(--collapsed)"]],
        showscale=False,
        text=[[_count(r) for r in row] for row in rates],
        texttemplate="%{text}",
        textfont={"color": "var(--ink)", "size": 12},
        customdata=[
            [
                [escape_text(x), escape_text(y), r.low, r.high]
                for r, x in zip(row, columns, strict=True)
            ]
            for row, y in zip(rates, rows, strict=True)
        ],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{z:.0%} "
        "[%{customdata[2]:.0%}, %{customdata[3]:.0%}] break<extra></extra>",
    )
    figure.update_xaxes(showgrid=False, **_name_cells(columns))
    figure.update_yaxes(showgrid=False, **_name_cells(rows))
    return set_axis_titles(figure, labels[0], labels[1])


def _count(rate: BreakRate) -> str:
    return f"{rate.broken} of {rate.trials}" if rate.trials else ""


def _name_cells(names: tuple[str, ...]) -> dict[str, object]:
    return {"tickvals": list(range(len(names))), "ticktext": [wrap_label(n) for n in names]}
