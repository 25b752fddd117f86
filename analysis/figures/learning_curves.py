"""The metric of every trial during training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.data.outcomes import COMPLETED
from analysis.figures.theme import blank_figure, escape_text, set_axis_titles
from analysis.figures.trial_markers import OUTCOME_STYLES, rank_outcome
from study.records.outcomes import FAILED, PRUNED, SHOWS_NOTHING, TRAINED

_MAX_TRACES = 1000
"""With more trials, those of one outcome share a trace: browsers draw thousands too slowly."""

_HIGHLIGHT_COLOURS = {"best": "var(--accent)", "defaults": "var(--ink)"}
_DASHES = {TRAINED: "solid", COMPLETED: "solid", SHOWS_NOTHING: "dashdot", PRUNED: "dash"}

_DASH_NAMES = {"solid": "solid", "dashdot": "dash-dotted", "dash": "dashed", "dot": "dotted"}


def describe_lines(outcomes: Iterable[str]) -> str:
    """What the lines of trials look like, `solid: trained, dotted: collapsed`: only those drawn."""
    drawn = set(outcomes)
    return ", ".join(
        f"{_DASH_NAMES[_DASHES.get(outcome, 'dot')]}: {outcome}"
        for outcome in OUTCOME_STYLES
        if outcome in drawn
    )


def plot_learning_curves(
    curves: pd.DataFrame,
    outcomes: Mapping[str, str],
    highlighted: Mapping[str, str],
    trivial_psnrs: Mapping[str, float],
    metric: Metric = PSNR,
) -> go.Figure:
    """The metric, of studies of this program validation PSNR, against steps: a line for each trial.

    outcomes: trial_id -> outcome
    highlighted: trial_id -> legend entry of the trials to emphasise
    trivial_psnrs: name -> PSNR of trivial images, drawn as levels
    """
    figure = blank_figure(height=440)
    if curves["trial_id"].nunique() > _MAX_TRACES:
        is_highlighted = curves["trial_id"].isin(list(highlighted))
        _add_joined(figure, curves[~is_highlighted], outcomes, metric)
        curves = curves[is_highlighted]
    in_legend: set[str] = set()
    for trial, curve in curves.groupby("trial_id"):
        outcome = outcomes.get(str(trial), FAILED)
        colour, symbol = OUTCOME_STYLES[outcome]
        name = highlighted.get(str(trial))
        figure.add_scatter(
            x=curve["step"],
            y=metric.values(curve["score"]),
            mode="lines+markers" if name else "lines",
            name=escape_text(name or outcome),
            legendgroup=str(trial) if name else outcome,
            legendrank=1000 if name else rank_outcome(outcome),
            showlegend=bool(name) or outcome not in in_legend,
            opacity=1.0 if name else 0.4 if outcome in (TRAINED, COMPLETED) else 0.8,
            line={
                "color": _HIGHLIGHT_COLOURS.get(name or "", colour),
                "width": 3 if name else 1.3,
                "dash": _DASHES.get(outcome, "dot"),
            },
            marker={"symbol": symbol, "size": 6},
            hovertemplate=f"trial {escape_text(trial)}<br>step %{{x}}<br>{metric.hover('y')}"
            "<extra></extra>",
        )
        in_legend |= set() if name else {outcome}
    for name, psnr in trivial_psnrs.items():
        figure.add_hline(
            y=psnr,
            line={"color": "var(--chance)", "width": 1, "dash": "dot"},
            annotation={
                "text": escape_text(name),
                "font": {"size": 11, "color": "var(--ink)"},
                "bgcolor": "var(--card)",
                "opacity": 0.85,
            },
            annotation_position="bottom right",
        )
    figure.update_xaxes(rangemode="tozero")
    if metric == PSNR:
        return set_axis_titles(figure, "training steps", f"validation {metric.title}")
    return set_axis_titles(figure, "step", metric.title)


def _add_joined(
    figure: go.Figure, curves: pd.DataFrame, outcomes: Mapping[str, str], metric: Metric
) -> None:
    """Adds a trace for each outcome, with the curves of its trials one after another."""
    of_curves = curves["trial_id"].map(outcomes).fillna(FAILED)
    for outcome, (colour, _) in OUTCOME_STYLES.items():
        curve = curves[of_curves == outcome].sort_values(["trial_id", "step"])
        if curve.empty:
            continue
        # A line breaks at a missing value: before the first point of each trial.
        starts = np.flatnonzero(~curve["trial_id"].duplicated().to_numpy(dtype=bool))
        score = curve["score"].to_numpy(dtype=float)
        figure.add_scatter(
            x=np.insert(curve["step"].to_numpy(dtype=float), starts, np.nan),
            y=np.insert(metric.values(score), starts, np.nan),
            mode="lines",
            name=outcome,
            opacity=0.4,
            line={"color": colour, "width": 1.3, "dash": _DASHES.get(outcome, "dot")},
            customdata=np.insert(
                curve["trial_id"].astype(str).map(escape_text).to_numpy(dtype=object), starts, ""
            ),
            hovertemplate=f"trial %{{customdata}}<br>step %{{x}}<br>{metric.hover('y')}"
            "<extra></extra>",
        )
