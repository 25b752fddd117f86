"""The runs of the best configuration and of the default one, seed by seed."""

from __future__ import annotations

import plotly.graph_objects as go

from analysis.data.metric import PSNR, Metric
from analysis.figures.theme import blank_figure, set_axis_titles
from analysis.findings.best_and_default import BestAgainstDefault


def plot_seed_runs(both: BestAgainstDefault, metric: Metric = PSNR) -> go.Figure:
    """The metric of each run that trained, and of the run for which the best was chosen."""
    figure = blank_figure(height=190)
    for runs in (both.default, both.best):
        figure.add_scatter(
            x=[metric.values(score) for score in runs.scores],
            y=[runs.breaks.name] * len(runs.scores),
            mode="markers",
            name="a run",
            customdata=[str(seed) for seed in runs.seeds],
            marker={"color": "var(--alive)", "size": 10, "opacity": 0.8},
            hovertemplate=f"%{{y}}, seed %{{customdata}}<br>{metric.hover('x')}<extra></extra>",
            showlegend=runs is both.default,
        )
    chosen = f"the {both.choice} was chosen"
    figure.add_scatter(
        x=[metric.values(both.selected_by)],
        y=[both.best.breaks.name],
        mode="markers",
        name=f"run for which {chosen}",
        marker={"color": "var(--accent)", "size": 14, "symbol": "star-open"},
        hovertemplate=f"{chosen} for this run<br>{metric.hover('x')}<extra></extra>",
    )
    figure.update_yaxes(
        showgrid=False,
        categoryorder="array",
        categoryarray=[runs.breaks.name for runs in (both.default, both.best)],
        range=[-0.6, 1.6],
    )
    return set_axis_titles(figure, metric.title, "")
