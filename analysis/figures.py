"""Draws what the analysis computed, and computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.axes import Floats
from analysis.collapse import Breaking
from analysis.compare import Comparison
from analysis.effects import Effect, Plane
from analysis.importance import Importance
from analysis.over_time import OverTime
from analysis.reaching_top import ReachingTop
from analysis.theme import (
    LINES,
    STATES,
    by_state,
    empty,
    log_ticks,
    marks,
    safe,
    spread,
    titled,
    wrapped,
)
from analysis.tunability import Tunability
from nerf.parameters import Value
from study.space import Dimension

_COMPARED = "%{x:.0%} [%{customdata[0]:.0%}, %{customdata[1]:.0%}]"
_KNOWN = {"best": "var(--accent)", "defaults": "var(--ink)"}


def importance_bars(importance: Importance) -> go.Figure:
    """Total shares with their intervals, first-order shares inside them, and the null line."""
    shares = importance.shares[::-1]
    names = [wrapped(share.label) for share in shares]
    figure = empty(height=110 + 38 * len(shares))
    figure.add_bar(
        y=names, x=[s.first for s in shares], orientation="h", name="alone (first order)",
        marker_color="var(--band)", width=0.5,
        hovertemplate="%{y}<br>alone %{x:.0%}<extra></extra>",
    )  # fmt: skip
    _dots(
        figure, names, "with interactions (total), 95 % interval",
        np.array([(s.total, s.total_low, s.total_high) for s in shares]),
    )  # fmt: skip
    _null_ticks(figure, names, [s.null for s in shares])
    figure.update_layout(barmode="overlay")
    return _share_axis(figure, "share of the variance of final PSNR")


def top_bars(top: ReachingTop) -> go.Figure:
    """Shares of what sets the best trials apart, with intervals and the null line."""
    shares = top.shares[::-1]
    names = [wrapped(share.label) for share in shares]
    figure = empty(height=110 + 38 * len(shares))
    _dots(
        figure, names, "share, 95 % interval", np.array([(s.share, s.low, s.high) for s in shares])
    )
    _null_ticks(figure, names, [s.null for s in shares])
    return _share_axis(figure, f"share of what sets the best {top.top} trials apart")


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
    return _share_axis(figure, "total share of the variance of final PSNR")


def rates(breaking: Breaking) -> go.Figure:
    """Rate of collapse for each choice or range of one parameter, with Wilson intervals."""
    found = breaking.rates
    names = [wrapped(rate.name) for rate in found]
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


def effect(shown: Effect) -> go.Figure:
    """PSNR against one parameter: trials, curve with its band, single configurations' curves."""
    figure = empty(height=300)
    places = {value: place for place, value in enumerate(shown.choices)}
    if shown.curve is not None:
        _curve(figure, shown, places)
    for state, points in by_state(shown.points):
        values = points["value"]
        if places:
            nudge = (points["trial_id"].astype(str).map(spread) - 0.5) * 0.5
            values = values.map(places).astype(float) + nudge
        figure.add_scatter(x=values, y=points["psnr"], **marks(state, points))
    if places:
        names = [wrapped(str(value)) for value in shown.choices]
        figure.update_xaxes(
            tickvals=list(places.values()), ticktext=names, range=[-0.6, len(names) - 0.4],
            tickangle=0 if len(names) <= 4 else None,
        )  # fmt: skip
    elif shown.log and len(shown.points):
        values = shown.points["value"].astype(float)
        ticks = log_ticks(float(values.min()), float(values.max()))
        figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    figure.update_layout(showlegend=False)
    return titled(figure, shown.axis_title, "PSNR (dB)")


def plane(shown: Plane) -> go.Figure:
    """Mean PSNR over two parameters."""
    figure = empty(height=340)
    figure.add_heatmap(
        x=_axis_values(shown.first), y=_axis_values(shown.second), z=shown.values,
        colorscale="Viridis", colorbar={"title": "dB", "thickness": 12},
        hovertemplate="%{x}<br>%{y}<br>%{z:.2f} dB<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(nticks=6)
    figure.update_yaxes(nticks=6)
    return titled(figure, shown.labels[0], shown.labels[1])


def near_far(trials: pd.DataFrame, near: str, far: str) -> go.Figure:
    """PSNR over the plane of near and far bounds, a mark a trial."""
    figure = empty(height=460)
    for state, points in by_state(trials):
        look = marks(state, points)
        look["marker"] = {
            "symbol": STATES[state][1], "size": 13, "color": points["psnr"],
            "coloraxis": "coloraxis", "line": {"color": "var(--ink)", "width": 0.8},
        }  # fmt: skip
        look["hovertemplate"] = (
            "trial %{customdata}<br>near %{x:.2f}, far %{y:.2f}<br>%{marker.color:.2f} dB"
            "<extra></extra>"
        )
        figure.add_scatter(x=points[near], y=points[far], **look)
    figure.update_layout(
        coloraxis={"colorscale": "Viridis", "colorbar": {"title": "dB", "thickness": 12}}
    )
    return titled(figure, "near (scene units)", "far (scene units)")


def curves(
    table: pd.DataFrame,
    states: Mapping[str, str],
    highlighted: Mapping[str, str],
    baselines: Mapping[str, float],
) -> go.Figure:
    """Validation PSNR against steps, a line a trial.

    states: trial_id -> state; highlighted: trial_id -> name of the trials that stand out
    """
    figure = empty(height=440)
    named: set[str] = set()
    for trial, curve in table.groupby("trial_id"):
        state = states.get(str(trial), "failed")
        colour, symbol = STATES[state]
        known = highlighted.get(str(trial))
        figure.add_scatter(
            x=curve["step"], y=curve["psnr"], mode="lines+markers" if known else "lines",
            name=safe(known or state), legendgroup=str(trial) if known else state,
            showlegend=bool(known) or state not in named,
            opacity=1.0 if known else 0.4 if state == "completed" else 0.8,
            line={
                "color": _KNOWN.get(known or "", colour), "width": 3 if known else 1.3,
                "dash": {"completed": "solid", "pruned": "dash"}.get(state, "dot"),
            },
            marker={"symbol": symbol, "size": 6},
            hovertemplate=f"trial {safe(trial)}<br>step %{{x}}<br>%{{y:.2f}} dB<extra></extra>",
        )  # fmt: skip
        named |= set() if known else {state}
    for name, level in baselines.items():
        figure.add_hline(
            y=level, line={"color": "var(--chance)", "width": 1, "dash": "dot"},
            annotation={"text": safe(name), "font": {"size": 11, "color": "var(--soft)"}},
            annotation_position="bottom right",
        )  # fmt: skip
    figure.update_xaxes(rangemode="tozero")
    return titled(figure, "training steps", "validation PSNR (dB)")


def gains(tuning: Tunability) -> go.Figure:
    """dB gained over the defaults by tuning each parameter alone, and all together."""
    shown = [tuning.together, *tuning.alone][::-1]
    names = [wrapped(gain.label) for gain in shown]
    figure = empty(height=90 + 36 * len(shown))
    values = np.array([(g.gain, g.low, g.high) for g in shown])
    _dots(figure, names, "gain, 95 % interval", values, "%{y}<br>%{x:+.2f} dB<extra></extra>")
    figure.add_vline(x=0, line={"color": "var(--chance)", "width": 1})
    figure.update_layout(showlegend=False)
    figure.update_yaxes(showgrid=False)
    return titled(figure, "gain over the defaults (dB)", "")


def path(tuning: Tunability) -> go.Figure:
    """PSNR along the way from the defaults to the best trial, top-down, predicted and measured."""
    steps = tuning.path
    names = [f"+ {wrapped(step.label)}" if i else "defaults" for i, step in enumerate(steps)]
    figure = empty(height=110 + 36 * len(steps))
    values = np.array([(s.predicted, s.low, s.high) for s in steps])
    _dots(figure, names, "predicted", values, "%{y}<br>%{x:.2f} dB predicted<extra></extra>")
    figure.add_scatter(
        y=names, x=[s.measured for s in steps], mode="markers", name="measured by a trial",
        marker={"symbol": "star", "size": 14, "color": "var(--accent)"},
        hovertemplate="%{y}<br>%{x:.2f} dB measured<extra></extra>",
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


def cost(trials: pd.DataFrame, best: pd.DataFrame) -> go.Figure:
    """PSNR against seconds of training, the Pareto set joined by a line."""
    figure = empty(height=380)
    for state, points in by_state(trials):
        figure.add_scatter(x=points["train_seconds"], y=points["psnr"], **marks(state, points))
    figure.add_scatter(
        x=best["train_seconds"], y=best["psnr"], mode="lines", name="none is better and faster",
        line={"color": "var(--accent)", "width": 2, "shape": "hv"}, hoverinfo="skip",
    )  # fmt: skip
    return titled(figure, "seconds of training", "PSNR (dB)")


def combinations(trials: pd.DataFrame, dimensions: Sequence[Dimension]) -> go.Figure:
    """Parallel coordinates of the trials with a finite PSNR; dragging along an axis filters."""
    axes = [_coordinate(d, trials[d.path]) for d in dimensions]
    psnr = {"label": "PSNR", "values": trials["psnr"], "tickformat": ".1f"}
    figure = empty(height=430)
    figure.add_parcoords(
        dimensions=[*axes, psnr],
        line={"color": trials["psnr"], "colorscale": "Viridis"},
        labelangle=-18, labelfont={"size": 12},
        unselected={"line": {"color": "rgba(128,128,128,0.35)", "opacity": 0.25}},
    )  # fmt: skip
    figure.update_layout(margin={"l": 70, "r": 50, "t": 100, "b": 24})
    return figure


def _coordinate(dimension: Dimension, values: pd.Series) -> dict[str, object]:
    label = safe(dimension.label)
    if dimension.choices:
        codes = {choice: code for code, choice in enumerate(dimension.choices)}
        names = [safe(choice) for choice in codes]
        return {
            "label": label, "values": values.map(codes).astype(float),
            "tickvals": list(codes.values()), "ticktext": names,
        }  # fmt: skip
    if not dimension.log:
        return {"label": label, "values": values, "range": [dimension.low, dimension.high]}
    ticks = log_ticks(dimension.low, dimension.high)
    return {
        "label": label, "values": np.log10(values.astype(float)),
        "range": np.log10([dimension.low, dimension.high]).tolist(),
        "tickvals": np.log10(ticks).tolist(), "ticktext": [f"{tick:g}" for tick in ticks],
    }  # fmt: skip


def _curve(figure: go.Figure, shown: Effect, places: Mapping[Value, int]) -> None:
    curve = shown.curve
    assert curve is not None
    x = [places.get(v, 0) for v in curve.values] if places else list(curve.values)
    if places:
        figure.add_scatter(
            x=x, y=curve.mean, mode="markers", hoverinfo="skip",
            marker={"symbol": "line-ew", "size": 26, "line": {"color": "var(--ink)", "width": 3}},
            error_y={
                "array": curve.high - curve.mean, "arrayminus": curve.mean - curve.low,
                "color": "var(--ink)", "thickness": 1.5, "width": 8,
            },
        )  # fmt: skip
        return
    for line in curve.individuals.T:
        figure.add_scatter(
            x=x, y=line, mode="lines", hoverinfo="skip", opacity=0.35,
            line={"color": "var(--chance)", "width": 0.7},
        )  # fmt: skip
    figure.add_scatter(
        x=[*x, *x[::-1]], y=[*curve.high, *curve.low[::-1]], fill="toself", mode="none",
        fillcolor="var(--band)", opacity=0.6, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=x, y=curve.mean, mode="lines", hoverinfo="skip",
        line={"color": "var(--ink)", "width": 2.5},
    )  # fmt: skip


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
        y=names, x=null, mode="markers", name="chance reaches this far",
        marker={
            "symbol": "line-ns", "size": 22,
            "line": {"color": "var(--collapsed)", "width": 2.5},
        },
        hovertemplate="%{y}<br>chance stays below %{x:.0%} in 95 % of shuffles<extra></extra>",
    )  # fmt: skip


def _share_axis(figure: go.Figure, title: str) -> go.Figure:
    figure.update_xaxes(tickformat=".0%", range=[0, 1.02], dtick=0.25)
    figure.update_yaxes(showgrid=False)
    return titled(figure, title, "")


def _axis_values(values: Sequence[Value]) -> list[float | str]:
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return [float(f"{float(v):.4g}") for v in values]
    return [safe(v) for v in values]
