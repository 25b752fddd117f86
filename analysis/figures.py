"""Draws what the analysis computed, and computes nothing.

Colours are names such as `var(--alive)`: the report resolves them in the browser, so that one
figure serves light, dark and print; `painted` resolves them for a notebook or a file.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.effects import Effect
from analysis.importance import Importance

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

_STATES = {
    "completed": ("alive", "circle"),
    "pruned": ("pruned", "triangle-down"),
    "collapsed": ("collapsed", "x"),
    "failed": ("soft", "square-open"),
}


def painted(figure: go.Figure, theme: str = "light") -> go.Figure:
    """The figure with its colour names resolved, for anything but the report's own page."""
    text = figure.to_json()
    for name, colour in PALETTES[theme].items():
        text = text.replace(f"var(--{name})", colour)
    return go.Figure(json.loads(text))


def importance_bars(importance: Importance) -> go.Figure:
    """Total shares with their intervals, first-order shares inside them, and the null line."""
    shares = importance.shares[::-1]
    names = [_wrapped(share.label) for share in shares]
    total = np.array([share.total for share in shares])
    low = np.array([share.total_low for share in shares])
    high = np.array([share.total_high for share in shares])
    figure = _figure(height=90 + 40 * len(shares))
    figure.add_bar(
        y=names, x=[s.first for s in shares], orientation="h", name="alone (first order)",
        marker_color="var(--band)", width=0.5,
        hovertemplate="%{y}<br>alone %{x:.0%}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        y=names, x=total, mode="markers", name="with interactions (total), 95 % interval",
        marker={"color": "var(--alive)", "size": 10},
        error_x={
            "array": np.maximum(high - total, 0), "arrayminus": np.maximum(total - low, 0),
            "color": "var(--alive)", "thickness": 2.5, "width": 0,
        },
        customdata=np.column_stack([low, high]),
        hovertemplate="%{y}<br>total %{x:.0%} [%{customdata[0]:.0%}, %{customdata[1]:.0%}]"
        "<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        y=names, x=[s.null for s in shares], mode="markers", name="chance reaches this far",
        marker={
            "symbol": "line-ns", "size": 22,
            "line": {"color": "var(--collapsed)", "width": 2.5},
        },
        hovertemplate="%{y}<br>95 % of shuffles stay below %{x:.0%}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(
        title="share of the variance of final PSNR", tickformat=".0%", range=[0, 1.02], dtick=0.25
    )
    figure.update_yaxes(showgrid=False, automargin=True)
    return figure


def curves(
    table: pd.DataFrame,
    states: Mapping[str, str],
    highlighted: Mapping[str, str],
    baselines: Mapping[str, float],
) -> go.Figure:
    """Validation PSNR against steps, a line a trial.

    states: trial_id -> state; highlighted: trial_id -> name of the trials that stand out
    """
    figure = _figure(height=440)
    groups = dict(tuple(table.groupby("trial_id")))
    named = set()
    for trial, curve in groups.items():
        state = states.get(str(trial), "failed")
        colour, symbol = _STATES[state]
        known = str(trial) in highlighted
        figure.add_scatter(
            x=curve["step"], y=curve["psnr"], mode="lines+markers" if known else "lines",
            name=_escaped(highlighted[str(trial)]) if known else state,
            legendgroup=str(trial) if known else state,
            showlegend=known or state not in named,
            opacity=1.0 if known else 0.4 if state == "completed" else 0.8,
            line={
                "color": "var(--accent)" if known else f"var(--{colour})",
                "width": 3 if known else 1.3,
                "dash": {"completed": "solid", "pruned": "dash"}.get(state, "dot"),
            },
            marker={"symbol": symbol, "size": 6},
            hovertemplate=f"trial {_escaped(str(trial))}<br>step %{{x}}<br>%{{y:.2f}} dB"
            "<extra></extra>",
        )  # fmt: skip
        if not known:
            named.add(state)
    for name, level in baselines.items():
        figure.add_hline(
            y=level, line={"color": "var(--chance)", "width": 1, "dash": "dot"},
            annotation={"text": _escaped(name), "font": {"size": 11, "color": "var(--soft)"}},
            annotation_position="bottom right",
        )  # fmt: skip
    figure.update_xaxes(title="training steps", rangemode="tozero")
    figure.update_yaxes(title="validation PSNR (dB)")
    return figure


def effect(shown: Effect) -> go.Figure:
    """PSNR against one parameter, a mark a trial, its shape and colour telling how it ended."""
    figure = _figure(height=300)
    places = {value: place for place, value in enumerate(shown.choices)}
    for state, points in _by_state(shown.points):
        values = points["value"]
        if places:
            nudge = (points["trial_id"].astype(str).map(_scatter) - 0.5) * 0.5
            values = values.map(places).astype(float) + nudge
        figure.add_scatter(x=values, y=points["psnr"], **_marks(state, points))
    if places:
        names = [_wrapped(str(value)) for value in shown.choices]
        figure.update_xaxes(
            tickvals=list(places.values()), ticktext=names, range=[-0.6, len(names) - 0.4]
        )
    elif shown.log:
        figure.update_xaxes(type="log", dtick="D2")
    figure.update_xaxes(title=_escaped(shown.axis_title))
    figure.update_yaxes(title="PSNR (dB)")
    figure.update_layout(showlegend=False)
    return figure


def near_far(trials: pd.DataFrame, near: str, far: str) -> go.Figure:
    """PSNR over the plane of near and far bounds, a mark a trial."""
    figure = _figure(height=460)
    for state, points in _by_state(trials):
        marks = _marks(state, points)
        marks["marker"] = {
            "symbol": _STATES[state][1], "size": 13, "color": points["psnr"],
            "coloraxis": "coloraxis", "line": {"color": "var(--ink)", "width": 0.8},
        }  # fmt: skip
        marks["hovertemplate"] = (
            "trial %{customdata}<br>near %{x:.2f}, far %{y:.2f}<br>%{marker.color:.2f} dB"
            "<extra></extra>"
        )
        figure.add_scatter(x=points[near], y=points[far], **marks)
    figure.update_layout(
        coloraxis={"colorscale": "Viridis", "colorbar": {"title": "dB", "thickness": 12}}
    )
    figure.update_xaxes(title="near (scene units)")
    figure.update_yaxes(title="far (scene units)")
    return figure


def _by_state(points: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    parts = [(state, points[points["state"] == state]) for state in _STATES]
    return [(state, part) for state, part in parts if len(part)]


def _marks(state: str, points: pd.DataFrame) -> dict[str, object]:
    colour, symbol = _STATES[state]
    return {
        "mode": "markers",
        "name": state,
        "marker": {"color": f"var(--{colour})", "symbol": symbol, "size": 9, "opacity": 0.85},
        "customdata": points["trial_id"].astype(str).map(_escaped),
        "hovertemplate": "trial %{customdata}<br>%{x}<br>%{y:.2f} dB<extra></extra>",
    }


def _figure(height: int) -> go.Figure:
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
    axes = {"gridcolor": "var(--line)", "linecolor": "var(--line)", "zeroline": False}
    figure.update_xaxes(**axes, title_font_size=12, automargin=True)
    figure.update_yaxes(**axes, title_font_size=12, automargin=True)
    return figure


def _scatter(trial_id: str) -> float:
    """A fixed place in [0, 1) for a trial, so that marks over one choice stay apart."""
    return (sum(map(ord, trial_id)) * 0.618034) % 1.0


def _wrapped(name: str) -> str:
    return _escaped(name).replace("_", "<br>")


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
