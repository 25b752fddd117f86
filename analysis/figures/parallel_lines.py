"""Every trial as a line over all parameters, for files: as lines, which print sharply.

The report's own figure (`parallel_coordinates`) answers to the mouse, and is an image in a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.data.shown_trials import select_shown
from analysis.figures.parallel_coordinates import (
    BEST_COLOUR,
    OTHERS_COLOUR,
    is_among_best,
    list_axes,
)
from analysis.figures.theme import blank_figure
from analysis.stats.intervals import FloatArray
from study.spec.space import Dimension

_TICKS = 5


def plot_parallel_lines(
    trials: pd.DataFrame, dimensions: Sequence[Dimension], metric: Metric = PSNR
) -> go.Figure:
    """As `plot_parallel_coordinates`, of trials with a finite metric, without WebGL."""
    among_best, trials = is_among_best(trials), select_shown(trials)
    axes = list_axes(trials, dimensions, metric)
    heights = np.array([_scale(axis, axis["values"]) for axis in axes])
    best = among_best.loc[trials.index].to_numpy()
    figure = blank_figure(height=360)
    for trial in np.argsort(best, kind="stable"):  # the best ones on top
        figure.add_scatter(
            x=list(range(len(axes))),
            y=heights[:, trial],
            mode="lines",
            line={"color": BEST_COLOUR if best[trial] else OTHERS_COLOUR, "width": 0.8},
            showlegend=False,
        )
    for place, axis in enumerate(axes):
        _add_axis(figure, place, axis)
    names = [str(axis["label"]) for axis in axes]
    rows = max(name.count("<br>") + 1 for name in names)
    # Every second name stands a block higher, so that names are wider than axes are apart.
    names = [name + "<br>" * rows * (place % 2) for place, name in enumerate(names)]
    figure.update_xaxes(
        side="top", tickvals=list(range(len(axes))), ticktext=names, showgrid=False, ticks=""
    )
    figure.update_xaxes(range=[-0.35, len(axes) - 0.55], showline=False)
    figure.update_yaxes(visible=False, range=[-0.04, 1.04])
    return figure


def _limits(axis: dict[str, Any]) -> tuple[float, float]:
    low, high = axis.get("range") or (np.min(axis["values"]), np.max(axis["values"]))
    if "tickvals" in axis and "range" not in axis:  # choices, also those that no trial has
        low, high = min(axis["tickvals"]), max(axis["tickvals"])
    return float(low), float(high)


def _scale(axis: dict[str, Any], values: pd.Series | FloatArray) -> FloatArray:
    """Heights in [0, 1] of values on their axis."""
    low, high = _limits(axis)
    return (np.asarray(values, dtype=float) - low) / ((high - low) or 1.0)


def _add_axis(figure: go.Figure, place: int, axis: dict[str, Any]) -> None:
    """A vertical line with its ticks as text."""
    figure.add_vline(x=place, line={"color": "var(--ink)", "width": 1})
    low, high = _limits(axis)
    ticks = np.array(axis.get("tickvals", np.linspace(low, high, _TICKS)), dtype=float)
    texts = axis.get("ticktext") or [f"{tick:.3g}" for tick in ticks]
    for height, text in zip(_scale(axis, ticks), texts, strict=True):
        figure.add_annotation(
            x=place,
            y=float(height),
            text=text,
            showarrow=False,
            xanchor="left",
            xshift=2,
            font={"size": 8},
            bgcolor="rgba(255,255,255,0.6)",
            borderpad=0,
        )
