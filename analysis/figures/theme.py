"""How figures look: colours by name, an empty figure, marks for trials, text made safe.

Colours are names such as `var(--alive)`: the report resolves them in the browser, so that one
figure serves light, dark and print; `painted` resolves them for a notebook or a file.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

PALETTES: Mapping[str, Mapping[str, str]] = {
    "light": {
        "paper": "#fbfaf7", "card": "#ffffff", "ink": "#1d2430", "soft": "#5d6675",
        "line": "#dcdcd4", "alive": "#0b62a8", "pruned": "#9a6b00", "collapsed": "#c03a2b",
        "accent": "#00755e", "band": "#bcd6ea", "chance": "#8b8f98",
    },
    "dark": {
        "paper": "#14171c", "card": "#1c2027", "ink": "#e9e7e1", "soft": "#a4abb8",
        "line": "#343a45", "alive": "#6cb6f0", "pruned": "#e3b04b", "collapsed": "#f3836b",
        "accent": "#4fd0ae", "band": "#2c4e6b", "chance": "#8d94a1",
    },
}  # fmt: skip
"""Colours that stay apart for colour-blind eyes; shapes carry the same distinction."""

STATES: Mapping[str, tuple[str, str]] = {
    "completed": ("var(--alive)", "circle"),
    "pruned": ("var(--pruned)", "triangle-down"),
    "collapsed": ("var(--collapsed)", "x"),
    "failed": ("var(--soft)", "square-open"),
}
"""Each state's colour and shape."""

LINES = ("var(--alive)", "var(--pruned)", "var(--accent)", "var(--collapsed)", "var(--soft)")


def painted(figure: go.Figure, theme: str = "light") -> go.Figure:
    """The figure with its colour names resolved, for anything but the report's own page."""
    text = figure.to_json()
    for name, colour in PALETTES[theme].items():
        text = text.replace(f"var(--{name})", colour)
    return go.Figure(json.loads(text))


def empty(height: int) -> go.Figure:
    """A figure without data, of `height` pixels."""
    figure = go.Figure(layout={"template": "none"})
    figure.update_layout(
        height=height,
        margin={"l": 56, "r": 16, "t": 12, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": "var(--ink)"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 12}},
        hoverlabel={"bgcolor": "var(--card)", "font": {"color": "var(--ink)"}},
    )
    look = {"gridcolor": "var(--line)", "linecolor": "var(--line)", "zeroline": False}
    figure.update_xaxes(**look, automargin=True)
    figure.update_yaxes(**look, automargin=True)
    return figure


def titled(figure: go.Figure, x: str, y: str) -> go.Figure:
    """The same figure, its axes named."""
    figure.update_xaxes(title={"text": safe(x), "font": {"size": 13}})
    figure.update_yaxes(title={"text": safe(y), "font": {"size": 13}})
    return figure


def by_state(points: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The trials in each state that has any."""
    parts = [(state, points[points["state"] == state]) for state in STATES]
    return [(state, part) for state, part in parts if len(part)]


def marks(state: str, points: pd.DataFrame) -> dict[str, object]:
    """A trace's looks; its custom data, the trial's name, opens that trial when clicked."""
    colour, symbol = STATES[state]
    return {
        "mode": "markers",
        "name": state,
        "marker": {"color": colour, "symbol": symbol, "size": 9, "opacity": 0.85},
        "customdata": points["trial_id"].astype(str).map(safe),
        "hovertemplate": "trial %{customdata}<br>%{x}<br>%{y:.2f} dB<extra></extra>",
    }


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten between two positive numbers; powers alone if many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = (1, 2, 5) if high / low < 200 else (1,)
    ticks = [digit * 10.0**decade for decade in decades for digit in every]
    return [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]


def spread(trial_id: str) -> float:
    """A fixed place in [0, 1) for a trial, so that marks over one choice stay apart."""
    return (sum(map(ord, trial_id)) * 0.618034) % 1.0


def wrapped(name: str) -> str:
    return safe(name).replace("_", "<br>")


def safe(text: object) -> str:
    """Text that Plotly, which reads a little HTML, shows as it is."""
    return html.escape(str(text), quote=False)
