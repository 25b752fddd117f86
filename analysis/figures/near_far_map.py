"""PSNR of trials over their near and far bounds."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import blank_figure, set_axis_titles
from analysis.figures.trial_markers import add_trials


def plot_near_far_map(
    trials: pd.DataFrame, near: str, far: str, bounds: tuple[float, float] | None = None
) -> go.Figure:
    """A marker for each trial at its bounds, coloured by PSNR.

    near, far: columns of `trials`; bounds: the near and far between which the object lies, as the
    scene suggests them, if they are known
    """
    figure = blank_figure(height=500)
    if bounds is not None:
        _add_object(figure, *bounds)
    hover = "near %{x:.2f}, far %{y:.2f}<br>%{marker.color:.2f} dB"
    add_trials(figure, trials, trials[near], trials[far], colours=trials["psnr"], hover=hover)
    # Markers are filled by PSNR: in the legend only their shapes count. The bar lies below, where
    # it takes no width of the plot on a phone.
    bar = {
        "orientation": "h",
        "title": {"text": "PSNR (dB)", "side": "bottom", "font": {"size": 13}},
        "thickness": 12,
        "y": -0.24,
        "yanchor": "top",
        "tickfont": {"size": 12},
    }
    figure.update_layout(coloraxis={"colorscale": "Viridis", "colorbar": bar})
    return set_axis_titles(figure, "near (scene units)", "far (scene units)")


def _add_object(figure: go.Figure, near: float, far: float) -> None:
    """Lines where the object begins and ends: bounds above and left of both contain all of it."""
    line = {"color": "var(--ink)", "width": 1.2, "dash": "dot"}
    font = {"size": 11, "color": "var(--ink)"}
    figure.add_vline(
        x=near,
        line=line,
        annotation={"text": "object begins", "font": font, "textangle": 0},
        annotation_position="top left",
    )
    figure.add_hline(
        y=far,
        line=line,
        annotation={"text": "object ends", "font": font},
        annotation_position="bottom right",
    )
