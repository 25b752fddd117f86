"""Draws trials and what the surrogate makes of them, and computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import (
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
from analysis.findings.collapse import PairBreaking
from analysis.findings.partial_dependence import Effect, Plane
from nerf.config.parameters import Value
from study.spec.space import Dimension

_KNOWN = {"best": "var(--accent)", "defaults": "var(--ink)"}


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


def breaking(shown: PairBreaking) -> go.Figure:
    """Rate of collapse over two parameters, with counts."""
    figure = empty(height=340)
    rates = [[r.rate if r.trials else None for r in row] for row in shown.rates]
    figure.add_heatmap(
        x=[wrapped(name) for name in shown.names[0]], y=[wrapped(name) for name in shown.names[1]],
        z=rates, zmin=0.0, zmax=1.0, xgap=2, ygap=2,
        colorscale=[[0.0, "var(--card)"], [1.0, "var(--collapsed)"]],
        text=[[f"{r.collapsed} of {r.trials}" if r.trials else "" for r in row]
              for row in shown.rates],
        texttemplate="%{text}", textfont={"color": "var(--ink)"},
        customdata=[[[r.low, r.high] for r in row] for row in shown.rates],
        hovertemplate="%{x}<br>%{y}<br>%{z:.0%} [%{customdata[0]:.0%}, %{customdata[1]:.0%}] "
        "collapse<extra></extra>",
        colorbar={"title": "collapse", "thickness": 12, "tickformat": ".0%"},
    )  # fmt: skip
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False)
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


def _axis_values(values: Sequence[Value]) -> list[float | str]:
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return [float(f"{float(v):.4g}") for v in values]
    return [safe(v) for v in values]
