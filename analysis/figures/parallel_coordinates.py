"""Every trial as a line over all parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.figures.theme import blank_figure, escape_text, log_ticks
from study.spec.space import Dimension


def plot_parallel_coordinates(
    trials: pd.DataFrame, dimensions: Sequence[Dimension], metric: Metric = PSNR
) -> go.Figure:
    """Parallel coordinates of trials with a finite metric, the best ones the brightest.

    Dragging along an axis filters.
    """
    axes = [_parameter_axis(d, trials[d.path]) for d in dimensions]
    last = {"label": escape_text(metric.name), "values": metric.values(trials["score"])}
    if metric.decimals is not None:
        last["tickformat"] = ".1f"
    figure = blank_figure(height=430)
    figure.add_parcoords(
        dimensions=[*axes, last],
        line={"color": trials["score"], "colorscale": "Viridis"},
        labelangle=-18,
        labelfont={"size": 12},
        unselected={"line": {"color": "rgba(128,128,128,0.35)", "opacity": 0.25}},
    )
    figure.update_layout(margin={"l": 70, "r": 50, "t": 100, "b": 24})
    return figure


def _parameter_axis(dimension: Dimension, values: pd.Series) -> dict[str, object]:
    """Choices by their index, log domains by their decimal logarithm, others as they are."""
    label = escape_text(dimension.label)
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
