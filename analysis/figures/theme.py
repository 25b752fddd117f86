"""The look of all figures: colours by name, a blank figure, markers of trials, escaped text.

Colours are names such as `var(--alive)`. The report resolves them in the browser, so that one
figure serves the light theme, the dark theme and print; `resolve_colours` does it for notebooks and
files.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.data.outcomes import COMPLETED
from study.records.outcomes import COLLAPSED, FAILED, PRUNED, SHOWS_NOTHING, TRAINED

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

_MAX_LABEL = 12  # characters of a label on one line

OUTCOME_STYLES: Mapping[str, tuple[str, str]] = {
    TRAINED: ("var(--alive)", "circle"),
    COMPLETED: ("var(--alive)", "circle"),
    SHOWS_NOTHING: ("var(--nothing)", "diamond-open"),
    COLLAPSED: ("var(--collapsed)", "x"),
    PRUNED: ("var(--pruned)", "triangle-down"),
    FAILED: ("var(--soft)", "square-open"),
}
"""Colour and marker symbol of each outcome of a trial."""

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
        margin={"l": 56, "r": 16, "t": 12, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": "var(--ink)"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 12}},
        hoverlabel={"bgcolor": "var(--card)", "font": {"color": "var(--ink)"}},
    )
    axis_style = {"gridcolor": "var(--line)", "linecolor": "var(--line)", "zeroline": False}
    figure.update_xaxes(**axis_style, automargin=True)
    figure.update_yaxes(**axis_style, automargin=True)
    return figure


def mark_not_ranked(figure: go.Figure) -> go.Figure:
    """The same figure with its traces faint under the words "not ranked"."""
    figure.update_traces(opacity=0.25)
    figure.add_annotation(
        text="not ranked",
        xref="paper",
        yref="paper",
        x=0.5,
        y=0.5,
        showarrow=False,
        font={"size": 26, "color": "var(--soft)"},
    )
    return figure


def set_axis_titles(figure: go.Figure, x: str, y: str) -> go.Figure:
    """The same figure with titles on both axes."""
    figure.update_xaxes(title={"text": escape_text(x), "font": {"size": 13}})
    figure.update_yaxes(title={"text": escape_text(y), "font": {"size": 13}})
    return figure


def group_by_outcome(trials: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Each outcome that occurs, with its trials, in the order of `OUTCOME_STYLES`."""
    groups = [(outcome, trials[trials["outcome"] == outcome]) for outcome in OUTCOME_STYLES]
    return [(outcome, group) for outcome, group in groups if len(group)]


def trial_markers(outcome: str, trials: pd.DataFrame, metric: Metric = PSNR) -> dict[str, object]:
    """Trace options for trials of one outcome, with the metric as y.

    The report opens a trial whose marker is clicked.
    """
    colour, symbol = OUTCOME_STYLES[outcome]
    return {
        "mode": "markers",
        "name": outcome,
        "marker": {"color": colour, "symbol": symbol, "size": 9, "opacity": 0.85},
        "customdata": trials["trial_id"].astype(str).map(escape_text),
        "hovertemplate": f"trial %{{customdata}}<br>%{{x}}<br>{metric.hover('y')}<extra></extra>",
    }


def log_ticks(low: float, high: float) -> list[float]:
    """Ticks at 1, 2 and 5 times powers of ten in [low, high]; powers alone over a wide range."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    digits = (1, 2, 5) if high / low < 200 else (1,)
    ticks = [digit * 10.0**decade for decade in decades for digit in digits]
    return [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]


def jitter(trial_id: str) -> float:
    """A fixed pseudo-random offset in [0, 1), so that markers over one choice do not overlap."""
    return (sum(map(ord, trial_id)) * 0.618034) % 1.0


def wrap_label(name: str) -> str:
    """Escaped text; if it is long, with a line break after each underscore."""
    text = escape_text(name)
    return text.replace("_", "_<br>") if len(name) > _MAX_LABEL else text


def escape_text(text: object) -> str:
    """Text that Plotly, which interprets some HTML, shows literally."""
    return html.escape(str(text), quote=False)
