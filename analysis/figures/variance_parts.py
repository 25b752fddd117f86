"""The variance of PSNR split into single parameters, interactions and the seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.figures.interval_traces import add_intervals, set_share_axis
from analysis.figures.theme import blank_figure
from analysis.findings.seed_variance import VariancePart


def plot_variance_parts(parts: Sequence[VariancePart]) -> go.Figure:
    """Each part's share of the variance with its interval."""
    bottom_up = parts[::-1]
    figure = blank_figure(height=90 + 38 * len(bottom_up))
    values = np.array([(p.share, p.low, p.high) for p in bottom_up])
    add_intervals(figure, [p.name for p in bottom_up], "share, 95 % interval", values)
    figure.update_layout(showlegend=False)
    return set_share_axis(figure, "share of the variance of PSNR")
