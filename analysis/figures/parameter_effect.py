"""The metric against one parameter and over two: trials and the surrogate's partial dependence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.figures.choice_axis import set_choice_axis
from analysis.figures.theme import blank_figure, escape_text, set_axis_titles, set_log_axis
from analysis.figures.trial_markers import add_trials, jitter
from analysis.findings.partial_dependence import Effect, EffectCurve, PairEffect
from nerf.config.parameters import Value


def plot_parameter_effect(effect: Effect, metric: Metric = PSNR) -> go.Figure:
    """The metric against one parameter: trials, mean curve with its band, single configurations."""
    figure = blank_figure(height=300)
    places = {value: place for place, value in enumerate(effect.choices)}
    if effect.curve is not None:
        curve = effect.curve.in_metric(metric)
        if places:
            _add_choice_means(figure, curve, places)
        else:
            _add_mean_curve(figure, curve)
    points = effect.points
    values = points["value"]
    if places:
        offsets = (points["trial_id"].astype(str).map(jitter).astype(float) - 0.5) * 0.5
        values = values.map(places).astype(float) + offsets
    add_trials(figure, points, values, metric.values(points["score"]), metric)
    figure.update_layout(showlegend=False)
    set_axis_titles(figure, effect.axis_title, metric.title)
    if places:
        return set_choice_axis(figure, [str(value) for value in effect.choices])
    if effect.log and len(points):
        numbers = values.astype(float)
        set_log_axis(figure, "x", float(numbers.min()), float(numbers.max()))
    return figure


def plot_parameter_pair(plane: PairEffect, metric: Metric = PSNR) -> go.Figure:
    """Heat map of the mean of the metric over two parameters, the best values the brightest."""
    figure = blank_figure(height=340)
    x, y = _axis_values(plane.first), _axis_values(plane.second)
    figure.add_heatmap(
        x=x,
        y=y,
        z=metric.values(plane.values),
        colorscale="Viridis_r" if metric.minimize else "Viridis",
        colorbar={"title": escape_text(metric.title), "thickness": 12},
        hovertemplate=f"%{{x}}<br>%{{y}}<br>{metric.hover('z')}<extra></extra>",
    )
    figure.update_layout(xaxis={"nticks": 6}, yaxis={"nticks": 6})
    for axis, values, is_log in (("x", x, plane.log[0]), ("y", y, plane.log[1])):
        if is_log:
            numbers = [float(value) for value in values]
            set_log_axis(figure, "x" if axis == "x" else "y", min(numbers), max(numbers))
    return set_axis_titles(figure, plane.labels[0], plane.labels[1])


def _add_choice_means(figure: go.Figure, curve: EffectCurve, places: Mapping[Value, int]) -> None:
    """A dash and an interval over each choice."""
    figure.add_scatter(
        x=[places.get(value, 0) for value in curve.values],
        y=curve.mean,
        mode="markers",
        hoverinfo="skip",
        marker={"symbol": "line-ew", "size": 26, "line": {"color": "var(--ink)", "width": 3}},
        error_y={
            "array": curve.high - curve.mean,
            "arrayminus": curve.mean - curve.low,
            "color": "var(--ink)",
            "thickness": 1.5,
            "width": 8,
        },
    )


def _add_mean_curve(figure: go.Figure, curve: EffectCurve) -> None:
    """Faint lines of single configurations, below the band and the mean."""
    x = list(curve.values)
    for line in curve.individuals.T:
        figure.add_scatter(
            x=x,
            y=line,
            mode="lines",
            hoverinfo="skip",
            opacity=0.35,
            line={"color": "var(--chance)", "width": 0.7},
        )
    figure.add_scatter(
        x=[*x, *x[::-1]],
        y=[*curve.high, *curve.low[::-1]],
        fill="toself",
        mode="none",
        fillcolor="var(--band)",
        opacity=0.6,
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=x,
        y=curve.mean,
        mode="lines",
        hoverinfo="skip",
        line={"color": "var(--ink)", "width": 2.5},
    )


def _axis_values(values: Sequence[Value]) -> list[float | str]:
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return [float(f"{float(v):.4g}") for v in values]
    return [escape_text(v) for v in values]
