"""The look of all figures: colours by name, a blank figure, axes, escaped text.

Colours are names such as `var(--alive)`. The report resolves them in the browser, so that one
figure serves the light theme, the dark theme and print; `resolve_colours` does it for notebooks and
files.
"""

from __future__ import annotations

import html
import itertools
import json
import math
import textwrap
from collections.abc import Mapping
from typing import Literal

import plotly.graph_objects as go

PALETTES: Mapping[str, Mapping[str, str]] = {
    "light": {
        "paper": "#fbfaf7",
        "card": "#ffffff",
        "ink": "#1d2430",
        "soft": "#5d6675",
        "line": "#dcdcd4",
        "alive": "#0b62a8",
        "nothing": "#7d3f98",
        "pruned": "#9a6b00",
        "collapsed": "#c03a2b",
        "accent": "#00755e",
        "band": "#bcd6ea",
        "chance": "#8b8f98",
    },
    "dark": {
        "paper": "#14171c",
        "card": "#1c2027",
        "ink": "#e9e7e1",
        "soft": "#a4abb8",
        "line": "#343a45",
        "alive": "#6cb6f0",
        "nothing": "#cf9be6",
        "pruned": "#e3b04b",
        "collapsed": "#f3836b",
        "accent": "#4fd0ae",
        "band": "#2c4e6b",
        "chance": "#8d94a1",
    },
}
"""Colours that colour-blind readers can tell apart; marker shapes carry the same distinction."""

_TICK_DIGITS = (tuple(range(1, 10)), (1, 2, 4, 6, 8), (1, 2, 5), (1, 3), (1,))
_MIN_GAP = 0.16  # of the axis, for which the narrowest figure has room between two ticks

_MAX_TITLE = 30
"""Characters of an axis title on one line; the narrowest figure has no room for more."""

LINE_COLOURS = (
    "var(--alive)",
    "var(--pruned)",
    "var(--accent)",
    "var(--collapsed)",
    "var(--soft)",
)


def resolve_colours(figure: go.Figure, theme: str = "light") -> go.Figure:
    """A copy of the figure with colour values for colour names, for use outside the report."""
    text = figure.to_json()
    for name, colour in PALETTES[theme].items():
        text = text.replace(f"var(--{name})", colour)
    return go.Figure(json.loads(text))


def blank_figure(height: int) -> go.Figure:
    """A styled figure without data, `height` pixels high."""
    figure = go.Figure(layout={"template": "none"})
    figure.update_layout(
        height=height,
        margin={"l": 56, "r": 24, "t": 12, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": "var(--ink)"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 12}},
        hoverlabel={"bgcolor": "var(--card)", "font": {"color": "var(--ink)"}},
    )
    axis_style = {"gridcolor": "var(--line)", "linecolor": "var(--line)", "zeroline": False}
    figure.update_xaxes(**axis_style, automargin=True, tickangle=0, tickfont={"size": 12})
    figure.update_yaxes(**axis_style, automargin=True, tickangle=0, tickfont={"size": 12})
    return figure


def mark_not_ranked(figure: go.Figure, corner: Literal["top", "bottom"] = "bottom") -> go.Figure:
    """The same figure with its traces faint, and the words "not ranked" in a corner at the right.

    corner: the one that the figure leaves empty
    """
    figure.update_traces(opacity=0.25)
    figure.add_annotation(
        text="not ranked",
        xref="paper",
        yref="paper",
        x=1,
        y=1 if corner == "top" else 0,
        xanchor="right",
        yanchor=corner,
        showarrow=False,
        font={"size": 22, "color": "var(--soft)"},
    )
    return figure


def set_axis_titles(figure: go.Figure, x: str, y: str) -> go.Figure:
    """The same figure with titles on both axes, long ones on several lines."""
    for text, update in ((x, figure.update_xaxes), (y, figure.update_yaxes)):
        lines = textwrap.wrap(text, _MAX_TITLE, break_on_hyphens=False)
        update(title={"text": "<br>".join(map(escape_text, lines)), "font": {"size": 13}})
    figure.update_yaxes(title={"standoff": 8})  # from labels as long as "100 %"
    return figure


def log_ticks(low: float, high: float) -> list[float]:
    """Round ticks in [low, high], multiples of powers of ten or powers alone, not too close."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for digits in _TICK_DIGITS:
        every = [digit * 10.0**decade for decade in decades for digit in digits]
        ticks = [tick for tick in every if low * 0.999 <= tick <= high * 1.001]
        gaps = [math.log10(b / a) for a, b in itertools.pairwise(ticks)]
        if min(gaps, default=math.inf) >= _MIN_GAP * math.log10(high / low):
            return ticks
    return ticks[:: math.ceil(len(ticks) * _MIN_GAP)]


def set_log_axis(figure: go.Figure, axis: Literal["x", "y"], low: float, high: float) -> None:
    """Makes an axis logarithmic, with ticks for values from low to high, both positive."""
    ticks = log_ticks(low, high)
    style = {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}
    figure.update_layout({f"{axis}axis": style})


def set_percent_axis(figure: go.Figure, axis: Literal["x", "y"], margin: float) -> None:
    """Makes an axis one of parts from 0 to 100 %, with some room for markers at its ends."""
    ticks = [0.0, 0.5, 1.0] if axis == "x" else [0.0, 0.25, 0.5, 0.75, 1.0]
    style = {
        "tickvals": ticks,
        "ticktext": [f"{tick:.0%}".replace("%", " %") for tick in ticks],
        "range": [-margin, 1 + margin],
    }
    figure.update_layout({f"{axis}axis": style})


def escape_text(text: object) -> str:
    """Text that Plotly, which interprets some HTML, shows literally."""
    return html.escape(str(text), quote=False)
