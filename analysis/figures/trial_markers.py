"""Markers of trials: colour and symbol by outcome, filled for explored ones, hollow for others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.data.outcomes import COMPLETED
from analysis.data.shown_trials import describe_shown, select_shown
from analysis.figures.theme import escape_text
from study.records.outcomes import COLLAPSED, FAILED, PRUNED, SHOWS_NOTHING, TRAINED

OUTCOME_STYLES: Mapping[str, tuple[str, str]] = {
    TRAINED: ("var(--alive)", "circle"),
    COMPLETED: ("var(--alive)", "circle"),
    SHOWS_NOTHING: ("var(--nothing)", "diamond"),
    COLLAPSED: ("var(--collapsed)", "x"),
    PRUNED: ("var(--pruned)", "triangle-down"),
    FAILED: ("var(--soft)", "square"),
}
"""Colour and marker symbol of each outcome of a trial."""

HOLLOW = "hollow: optimised or repeated"
"""Legend entry of the trials that were not drawn from the prior, whatever their outcome."""

_SIGNS = {
    "circle": "●",
    "circle-open": "○",
    "diamond": "◆",
    "diamond-open": "◇",
    "x": "✕",
    "x-open": "✕",
    "triangle-down": "▼",
    "triangle-down-open": "▽",
    "square": "■",
    "square-open": "□",
}


@dataclass(frozen=True)
class TrialGroup:
    """Trials of one outcome; hollow: none of them explored, though others of the study are."""

    outcome: str
    hollow: bool
    trials: pd.DataFrame

    @property
    def symbol(self) -> str:
        """Plotly's name of the marker."""
        symbol = OUTCOME_STYLES[self.outcome][1]
        return f"{symbol}-open" if self.hollow else symbol


def group_trials(trials: pd.DataFrame) -> list[TrialGroup]:
    """The groups that occur, hollow ones first, so that explored trials are drawn on top.

    All are filled where no trial is explored, as in a study of variants.
    """
    explored = trials["phase"] == "explore"
    if not explored.any():
        explored = ~explored
    return [
        TrialGroup(outcome, hollow, group)
        for hollow in (True, False)
        for outcome in OUTCOME_STYLES
        if len(group := trials[(trials["outcome"] == outcome) & (explored != hollow)])
    ]


def add_trials(
    figure: go.Figure,
    trials: pd.DataFrame,
    x: pd.Series,
    y: pd.Series,
    metric: Metric = PSNR,
    colours: pd.Series | None = None,
    hover: str = "",
) -> None:
    """Adds a marker for each trial that is shown; the report opens a trial whose marker is clicked.

    x, y, colours: with the index of `trials`; colours: numbers on the figure's colour axis, in
    place of a colour for each outcome
    hover: Plotly's template of what stands below the trial's number (default: x, and y as metric)
    """
    groups = group_trials(select_shown(trials))
    filled = {group.outcome for group in groups if not group.hollow}

    def is_shown(group: TrialGroup) -> bool:
        return not group.hollow or group.outcome not in filled

    hover = hover or f"%{{x}}<br>{metric.hover('y')}"
    for group in groups:
        index = group.trials.index
        marker = _style_marker(group)
        if colours is not None:
            marker |= {"color": colours.loc[index], "coloraxis": "coloraxis", "size": 11}
        figure.add_scatter(
            x=x.loc[index],
            y=y.loc[index],
            mode="markers",
            name=group.outcome,
            legendgroup=group.outcome,
            legendrank=rank_outcome(group.outcome),
            # A filled marker stands for its outcome in the legend, if there is one. One coloured by
            # a number would be black there in any theme.
            showlegend=colours is None and is_shown(group),
            marker=marker,
            customdata=group.trials["trial_id"].astype(str).map(escape_text),
            hovertemplate=f"trial %{{customdata}}<br>{hover}<extra></extra>",
        )
    if colours is not None:
        for group in filter(is_shown, groups):
            figure.add_scatter(
                **_legend_entry(group.outcome, group.symbol, rank_outcome(group.outcome))
            )
    if {group.hollow for group in groups} == {True, False}:
        figure.add_scatter(**_legend_entry(HOLLOW, "circle-open", len(OUTCOME_STYLES)))


def rank_outcome(outcome: str) -> int:
    """The place of an outcome in a legend, before all that is no outcome (1000 for Plotly)."""
    return list(OUTCOME_STYLES).index(outcome)


def describe_markers(trials: pd.DataFrame) -> str:
    """What the markers of these trials mean, such as `● trained, ▽ pruned`: only those drawn."""
    groups = group_trials(trials)
    # The filled one where an outcome has both, as in a legend.
    symbols = {group.outcome: group.symbol for group in groups}
    drawn = [f"{_SIGNS[symbols[o]]} {o}" for o in OUTCOME_STYLES if o in symbols]
    if {group.hollow for group in groups} == {True, False}:
        drawn[-1] += "; filled markers are explored trials, hollow ones optimised or repeated"
    shown = describe_shown(len(trials)).removesuffix(".")
    return ", ".join(drawn) + (f". {shown}" if shown else "")


def _style_marker(group: TrialGroup) -> dict[str, object]:
    return {
        "color": OUTCOME_STYLES[group.outcome][0],
        "symbol": group.symbol,
        "size": 8,
        "opacity": 0.6 if group.hollow else 0.85,
        "line": {"width": 1.4 if group.hollow else 0.0},
    }


def _legend_entry(name: str, symbol: str, rank: int) -> dict[str, object]:
    """A trace without a point, for the legend."""
    return {
        "x": [None],
        "y": [None],
        "mode": "markers",
        "name": name,
        "legendgroup": name,
        "legendrank": rank,
        "marker": {"color": "var(--ink)", "symbol": symbol, "size": 8},
        "hoverinfo": "skip",
    }


def jitter(trial_id: str) -> float:
    """A fixed pseudo-random offset in [0, 1), so that markers over one choice do not overlap."""
    return (sum(map(ord, trial_id)) * 0.618034) % 1.0
