"""Rate of breaking by level over several studies."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from analysis.figures.choice_axis import set_choice_axis
from analysis.figures.theme import blank_figure, escape_text, set_axis_titles, set_percent_axis
from analysis.findings.parameters_across import ParameterAcross

_SPREAD = 0.5  # of the distance between two levels, over which the studies' dots lie


def plot_rates_across(parameter: ParameterAcross) -> go.Figure:
    """A dot for each study and the mean over studies with its interval, at each level."""
    figure = blank_figure(height=300)
    places = np.arange(len(parameter.rates))
    offsets = np.linspace(-_SPREAD / 2, _SPREAD / 2, len(parameter.by_study))
    dots = [
        (place + offset, rate.rate, f"{escape_text(label)}: {rate.broken} of {rate.trials} break")
        for (label, rates), offset in zip(parameter.by_study.items(), offsets, strict=True)
        for place, rate in zip(places, rates, strict=True)
        if rate.trials
    ]
    x, y, texts = zip(*dots, strict=True)
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        name="one study",
        marker={"color": "var(--soft)", "size": 7, "opacity": 0.7},
        text=texts,
        hovertemplate="%{text}<extra></extra>",
    )
    _add_means(figure, parameter)
    figure.update_xaxes(showgrid=False)
    set_percent_axis(figure, "y", margin=0.04)
    set_axis_titles(figure, parameter.label, "runs that break")
    return set_choice_axis(figure, [rate.name for rate in parameter.rates])


def _add_means(figure: go.Figure, parameter: ParameterAcross) -> None:
    tried = [(place, rate) for place, rate in enumerate(parameter.rates) if rate.trials]
    figure.add_scatter(
        x=[place for place, _ in tried],
        y=[r.rate for _, r in tried],
        mode="markers",
        name=f"mean over {len(parameter.by_study)} studies, with interval",
        marker={"color": "var(--collapsed)", "size": 11, "symbol": "x"},
        error_y={
            "array": [r.high - r.rate for _, r in tried],
            "arrayminus": [r.rate - r.low for _, r in tried],
            "color": "var(--collapsed)",
            "thickness": 2,
            "width": 0,
        },
        customdata=[[r.collapsed, r.shows_nothing, r.trials] for _, r in tried],
        hovertemplate="of %{customdata[2]} runs %{customdata[0]} collapsed, "
        "%{customdata[1]} show nothing<extra></extra>",
    )
