"""What tuning gains over the default configuration, and the path from there to the best trial."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.figures.choice_axis import wrap_label
from analysis.figures.interval_traces import add_intervals
from analysis.figures.theme import blank_figure, set_axis_titles
from analysis.findings.tunability import Tunability
from analysis.stats.seed_spread import SeedSpread


def plot_tuning_gains(
    tuning: Tunability, seeds: SeedSpread | None, metric: Metric = PSNR
) -> go.Figure:
    """Predicted gain, in the unit of the metric, of tuning each parameter alone, and all together.

    A grey band shows one standard deviation between seeds, where it is known.
    """
    gains = [tuning.joint, *tuning.single][::-1]
    names = [wrap_label(gain.label) for gain in gains]
    figure = blank_figure(height=90 + 36 * len(gains))
    values = np.array([(g.gain, g.low, g.high) for g in gains])
    hover = f"%{{y}}<br>{_hover(metric, signed=True)}<extra></extra>"
    add_intervals(figure, names, "gain, 95 % interval", values, hover)
    figure.add_vline(x=0, line={"color": "var(--chance)", "width": 1})
    if seeds is not None:
        figure.add_vrect(
            x0=-seeds.deviation,
            x1=seeds.deviation,
            layer="below",
            fillcolor="var(--chance)",
            opacity=0.25,
            line_width=0,
        )
    figure.update_layout(showlegend=False)
    figure.update_yaxes(showgrid=False)
    return set_axis_titles(figure, _with_unit("gain over the defaults", metric), "")


def plot_path_to_best(
    tuning: Tunability, seeds: SeedSpread | None, metric: Metric = PSNR
) -> go.Figure:
    """The metric from the defaults to the best trial, a parameter a row: predicted and measured."""
    steps = tuning.path
    names = [f"+ {wrap_label(step.label)}" if i else "defaults" for i, step in enumerate(steps)]
    figure = blank_figure(height=110 + 36 * len(steps))
    values = np.array(
        [(metric.values(s.predicted), *metric.interval(s.low, s.high)) for s in steps]
    )
    hover = f"%{{y}}<br>{_hover(metric)} predicted<extra></extra>"
    add_intervals(figure, names, "predicted", values, hover)
    deviation = seeds.deviation if seeds else 0.0
    figure.add_scatter(
        y=names,
        x=[metric.values(s.measured) for s in steps],
        mode="markers",
        name="measured",
        error_x={
            # Standard error of the mean over the runs of this configuration.
            "array": [deviation / max(s.runs, 1) ** 0.5 for s in steps],
            "color": "var(--accent)",
            "thickness": 2.5,
            "width": 0,
        },
        customdata=[s.runs for s in steps],
        marker={"symbol": "star", "size": 14, "color": "var(--accent)"},
        hovertemplate=f"%{{y}}<br>{_hover(metric)} measured, runs: %{{customdata}}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return set_axis_titles(figure, metric.title, "")


def _hover(metric: Metric, signed: bool = False) -> str:
    """The part of Plotly's hover template that shows the x coordinate as the metric."""
    return metric.hover("x").replace(":", ":+", 1) if signed else metric.hover("x")


def _with_unit(text: str, metric: Metric) -> str:
    return f"{text} ({metric.unit})" if metric.unit else text
