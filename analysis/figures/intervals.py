"""Draws estimates with their intervals, and computes nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.figures.theme import LINES, empty, safe, titled, wrapped
from analysis.findings.collapse import Breaking
from analysis.findings.comparison import Comparison
from analysis.findings.seed_variance import Part, SeedSpread
from analysis.findings.tunability import Tunability
from analysis.importance.over_time import OverTime
from analysis.importance.ped_anova import ReachingTop
from analysis.importance.shares import Importance
from analysis.stats.intervals import Floats

_COMPARED = "%{x:.0%} [%{customdata[0]:.0%}, %{customdata[1]:.0%}]"


def importance_bars(importance: Importance) -> go.Figure:
    """Total shares with their intervals, first-order shares inside them, and the null line."""
    shares = importance.shares[::-1]
    names = [wrapped(share.label) for share in shares]
    figure = empty(height=110 + 38 * len(shares))
    figure.add_bar(
        y=names, x=[s.first for s in shares], orientation="h", name="alone",
        marker_color="var(--band)", width=0.5,
        hovertemplate="%{y}<br>alone %{x:.0%}<extra></extra>",
    )  # fmt: skip
    _dots(
        figure, names, "with interactions, 95 % interval",
        np.array([(s.total, s.total_low, s.total_high) for s in shares]),
    )  # fmt: skip
    _null_ticks(figure, names, [s.null for s in shares])
    figure.update_layout(barmode="overlay")
    return _share_axis(figure, "share of PSNR's variance")


def top_bars(top: ReachingTop) -> go.Figure:
    """Shares of what sets the best trials apart, with intervals and the null line."""
    shares = top.shares[::-1]
    names = [wrapped(share.label) for share in shares]
    figure = empty(height=110 + 38 * len(shares))
    _dots(
        figure, names, "share, 95 % interval", np.array([(s.share, s.low, s.high) for s in shares])
    )
    _null_ticks(figure, names, [s.null for s in shares])
    return _share_axis(figure, "share of all divergence")


def compared_shares(compared: Comparison) -> go.Figure:
    """Total shares with their intervals, a colour a study, and the pooled ones."""
    shown = compared.parameters[::-1]
    studies = list(dict.fromkeys(name for c in shown for name in c.shares))
    figure = empty(height=130 + 22 * len(shown) * (1 + len(studies)))
    rows = np.arange(len(shown), dtype=float)
    pooled = np.array([(c.pooled, c.low, c.high) for c in shown])
    _dots(figure, rows, "pooled", pooled, _COMPARED, "var(--ink)")
    for place, name in enumerate(studies):
        there = [i for i, c in enumerate(shown) if name in c.shares]
        found = [shown[i].shares[name] for i in there]
        values = np.array([(s.total, s.total_low, s.total_high) for s in found])
        height = rows[there] - 0.6 * (place + 1) / (len(studies) + 1)
        _dots(figure, height, safe(name), values, _COMPARED, LINES[place % len(LINES)])
    figure.update_yaxes(tickvals=rows, ticktext=[wrapped(c.label) for c in shown])
    return _share_axis(figure, "total share of PSNR's variance")


def rates(breaking: Breaking) -> go.Figure:
    """Rate of collapse for each choice or range of one parameter, with Wilson intervals."""
    found = breaking.rates
    names = [wrapped(rate.name).replace(" to ", "<br>to ") for rate in found]
    figure = empty(height=270)
    figure.add_scatter(
        x=names, y=[r.rate for r in found], mode="markers",
        marker={"color": "var(--collapsed)", "size": 10, "symbol": "x"},
        error_y={
            "array": [r.high - r.rate for r in found],
            "arrayminus": [r.rate - r.low for r in found],
            "color": "var(--collapsed)", "thickness": 2, "width": 0,
        },
        customdata=[[r.collapsed, r.trials] for r in found],
        hovertemplate="%{x}<br>%{customdata[0]} of %{customdata[1]} collapsed<extra></extra>",
        showlegend=False,
    )  # fmt: skip
    figure.update_yaxes(tickformat=".0%", range=[-0.04, 1.04])
    return titled(figure, breaking.label, "collapsed")


def variance_parts(parts: Sequence[Part]) -> go.Figure:
    """Parts of the variance with their intervals."""
    shown = parts[::-1]
    figure = empty(height=90 + 38 * len(shown))
    values = np.array([(p.share, p.low, p.high) for p in shown])
    _dots(figure, [p.name for p in shown], "share, 95 % interval", values)
    figure.update_layout(showlegend=False)
    return _share_axis(figure, "share of the variance of PSNR")


def gains(tuning: Tunability, seeds: SeedSpread | None) -> go.Figure:
    """dB gained over the defaults by tuning each parameter alone, and all together."""
    shown = [tuning.together, *tuning.alone][::-1]
    names = [wrapped(gain.label) for gain in shown]
    figure = empty(height=90 + 36 * len(shown))
    values = np.array([(g.gain, g.low, g.high) for g in shown])
    _dots(figure, names, "gain, 95 % interval", values, "%{y}<br>%{x:+.2f} dB<extra></extra>")
    figure.add_vline(x=0, line={"color": "var(--chance)", "width": 1})
    if seeds is not None:
        figure.add_vrect(
            x0=-seeds.deviation, x1=seeds.deviation, layer="below",
            fillcolor="var(--chance)", opacity=0.25, line_width=0,
        )  # fmt: skip
    figure.update_layout(showlegend=False)
    figure.update_yaxes(showgrid=False)
    return titled(figure, "gain over the defaults (dB)", "")


def path(tuning: Tunability, seeds: SeedSpread | None) -> go.Figure:
    """PSNR along the way from the defaults to the best trial, top-down, predicted and measured."""
    steps = tuning.path
    names = [f"+ {wrapped(step.label)}" if i else "defaults" for i, step in enumerate(steps)]
    figure = empty(height=110 + 36 * len(steps))
    values = np.array([(s.predicted, s.low, s.high) for s in steps])
    _dots(figure, names, "predicted", values, "%{y}<br>%{x:.2f} dB predicted<extra></extra>")
    deviation = seeds.deviation if seeds else 0.0
    figure.add_scatter(
        y=names, x=[s.measured for s in steps], mode="markers", name="measured",
        error_x={
            "array": [deviation / max(s.runs, 1) ** 0.5 for s in steps],
            "color": "var(--accent)", "thickness": 2.5, "width": 0,
        },
        customdata=[s.runs for s in steps],
        marker={"symbol": "star", "size": 14, "color": "var(--accent)"},
        hovertemplate="%{y}<br>%{x:.2f} dB measured, runs: %{customdata}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return titled(figure, "PSNR (dB)", "")


def importance_over_time(over: OverTime) -> go.Figure:
    """Total shares at each moment, the five that end highest."""
    figure = empty(height=360)
    steps = [m.step for m in over.moments]
    highest = np.argsort(-over.moments[-1].totals)[: len(LINES)]
    for colour, j in zip(LINES, highest, strict=False):
        figure.add_scatter(
            x=steps, y=[m.totals[j] for m in over.moments], mode="lines+markers",
            name=safe(over.labels[j]), line={"color": colour, "width": 2.5},
            error_y={
                "array": [m.high[j] - m.totals[j] for m in over.moments],
                "arrayminus": [m.totals[j] - m.low[j] for m in over.moments],
                "color": colour, "width": 0, "thickness": 1,
            },
            hovertemplate="step %{x}<br>%{y:.0%}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    return titled(figure, "training steps", "total share")


def agreement(over: OverTime) -> go.Figure:
    """How well the order of trials at each moment agrees with the final one."""
    figure = empty(height=360)
    now = over.moments
    figure.add_scatter(
        x=[m.step for m in now], y=[m.agreement for m in now], mode="lines+markers",
        line={"color": "var(--accent)", "width": 2.5}, marker={"size": 8},
        error_y={
            "array": [m.agreement_high - m.agreement for m in now],
            "arrayminus": [m.agreement - m.agreement_low for m in now],
            "color": "var(--accent)", "width": 0,
        },
        customdata=[m.lost for m in now],
        hovertemplate="step %{x}<br>rank correlation %{y:.2f}<br>keeping the best third here "
        "loses %{customdata:.2f} dB<extra></extra>",
        showlegend=False,
    )  # fmt: skip
    figure.update_yaxes(range=[min(0.0, *(m.agreement_low for m in now)), 1.03])
    return titled(figure, "training steps", "rank correlation with the end")


def _dots(
    figure: go.Figure,
    names: Sequence[str] | Floats,
    legend: str,
    values: Floats,
    hover: str = "%{y}<br>%{x:.0%} [%{customdata[0]:.0%}, %{customdata[1]:.0%}]<extra></extra>",
    colour: str = "var(--alive)",
) -> None:
    """Estimates with intervals; values: (names, 3) estimate, low, high."""
    estimate, low, high = values.T
    figure.add_scatter(
        y=names, x=estimate, mode="markers", name=legend,
        marker={"color": colour, "size": 10},
        error_x={
            "array": high - estimate, "arrayminus": estimate - low,
            "color": colour, "thickness": 2.5, "width": 0,
        },
        customdata=values[:, 1:], hovertemplate=hover, cliponaxis=False,
    )  # fmt: skip


def _null_ticks(figure: go.Figure, names: Sequence[str], null: Sequence[float]) -> None:
    figure.add_scatter(
        y=names, x=null, mode="markers", name="reach of chance",
        marker={
            "symbol": "line-ns", "size": 22,
            "line": {"color": "var(--collapsed)", "width": 2.5},
        },
        hovertemplate="%{y}<br>chance stays below %{x:.0%} in 95 % of shuffles<extra></extra>",
    )  # fmt: skip


def _share_axis(figure: go.Figure, title: str) -> go.Figure:
    figure.update_xaxes(tickformat=".0%", range=[-0.03, 1.03], nticks=5)
    figure.update_yaxes(showgrid=False, ticklabelstandoff=4)
    return titled(figure, title, "")
