"""Every trial as a line over all parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.data.shown_trials import select_shown
from analysis.figures.theme import blank_figure, escape_text, log_ticks
from study.spec.space import Dimension

BEST_PART = 0.25
"""Part of the trials that is drawn in colour: lines of all in colour would be a tangle."""

BEST_COLOUR, OTHERS_COLOUR = "var(--accent)", "var(--line)"


def plot_parallel_coordinates(
    trials: pd.DataFrame, dimensions: Sequence[Dimension], metric: Metric = PSNR
) -> go.Figure:
    """Parallel coordinates of trials with a finite metric, the best quarter in colour.

    Dragging along an axis filters. Of many trials `select_shown` are drawn.
    """
    figure = blank_figure(height=430)
    best, trials = is_among_best(trials), select_shown(trials)
    # Lines of a higher colour are drawn above others.
    figure.add_parcoords(
        dimensions=list_axes(trials, dimensions, metric),
        line={
            "color": best.loc[trials.index].astype(float),
            "cmin": 0.0,
            "cmax": 1.0,
            "colorscale": [[0.0, OTHERS_COLOUR], [1.0, BEST_COLOUR]],
        },
        labelfont={"size": 12},
        rangefont={"size": 1, "color": "rgba(0,0,0,0)"},  # the ticks say it already
        unselected={"line": {"color": "rgba(128,128,128,0.35)", "opacity": 0.1}},
    )
    left = max(map(len, map(str, dimensions[0].choices)), default=8) if dimensions else 8
    figure.update_layout(margin={"l": 20 + 6 * left, "r": 60, "t": 70, "b": 24})
    return figure


def is_among_best(trials: pd.DataFrame) -> pd.Series:
    """(trials,) Whether each is among the best quarter by its metric, at least one."""
    count = max(1, round(BEST_PART * len(trials)))
    return trials["score"].rank(ascending=False, method="first") <= count


def list_axes(
    trials: pd.DataFrame, dimensions: Sequence[Dimension], metric: Metric
) -> list[dict[str, Any]]:
    """Label, values, range and ticks of each parameter's axis, and of the metric's, the last."""
    last = {"label": _wrap_words(metric.name), "values": metric.values(trials["score"])}
    if metric.decimals is not None:
        last["tickformat"] = ".1f"
    return [*(_parameter_axis(d, trials[d.path]) for d in dimensions), last]


def _parameter_axis(dimension: Dimension, values: pd.Series) -> dict[str, Any]:
    """Choices by their index, log domains by their decimal logarithm, others as they are."""
    label = _wrap_words(dimension.label)
    if dimension.choices:
        codes = {choice: code for code, choice in enumerate(dimension.choices)}
        return {
            "label": label,
            "values": values.map(codes).astype(float),
            "tickvals": list(codes.values()),
            "ticktext": [escape_text(choice) for choice in codes],
        }
    if not dimension.log:
        return {"label": label, "values": values, "range": [dimension.low, dimension.high]}
    ticks = log_ticks(dimension.low, dimension.high)
    return {
        "label": label,
        "values": np.log10(values.astype(float)),
        "range": np.log10([dimension.low, dimension.high]).tolist(),
        "tickvals": np.log10(ticks).tolist(),
        "ticktext": [f"{tick:g}" for tick in ticks],
    }


def _wrap_words(label: str) -> str:
    """Escaped text with a line for each word: axes are close to each other."""
    return escape_text(label).replace(" ", "<br>")
