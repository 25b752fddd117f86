"""Why a density dies: the first steps of runs, as benchmarks/first_steps.py writes them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.figures.theme import LINE_COLOURS, blank_figure
from analysis.findings.tables import format_markdown_table

FIRST_STEPS = "first_steps.csv"
AS_DRAWN, ALL_THREE = "as drawn", "all three"
MAX_VANISHED, MIN_OPAQUE = 0.01, 0.9
_KEYS = ["scene", "density_activation", "start"]


def read_first_steps(file: Path) -> pd.DataFrame:
    """A row for each scene, density activation, start and step, as means over the seeds."""
    moments = pd.read_csv(file)
    return moments.groupby([*_KEYS, "step"], sort=False, as_index=False).mean(numeric_only=True)


def tabulate_first_steps(moments: pd.DataFrame) -> str:
    """Opacity and gradients before the first step, and opacities after the last."""
    table = []
    for (scene, activation, start), run in moments.groupby(_KEYS, sort=False):
        if start in (AS_DRAWN, ALL_THREE):
            first, last = run.iloc[0], run.iloc[-1]
            table.append(
                {
                    "scene": scene,
                    "density activation": activation,
                    "start": start,
                    "opacity of the backdrop": f"{first['opacity_backdrop']:.2f}",
                    "gradient by the backdrop": f"{first['push_backdrop']:+.2g}",
                    "by the object": f"{first['push_content']:+.2g}",
                    f"after {last['step']:.0f} steps: raw density": f"{last['raw_density']:.1f}",
                    "opacity of the object": f"{last['opacity_content']:.2g}",
                    "of the backdrop": f"{last['opacity_backdrop']:.2g}",
                }
            )
    return format_markdown_table(pd.DataFrame(table))


def describe_first_steps(moments: pd.DataFrame) -> str:
    """Which rays pull the density before the first step, and what is left after the last one."""
    first = moments[(moments["step"] == 0) & (moments["start"] == AS_DRAWN)]
    stronger = (first["push_backdrop"].abs() / first["push_content"].abs()).median()
    lowered = int((first["push_backdrop"] > 0).sum())
    both = int(((first["push_backdrop"] > 0) & (first["push_content"] > 0)).sum())
    last = moments[moments["step"] == moments["step"].max()]
    ends = "; ".join(_describe_ends(last, start) for start in (AS_DRAWN, ALL_THREE))
    return (
        f"As drawn, the backdrop's rays lower the density in {lowered} of {len(first)} cases, with "
        f"a gradient {stronger:.0f} times the object's (median); in {both} of them the object's "
        f"rays lower it as well. After {int(last['step'].max())} steps: {ends}."
    )


def _describe_ends(last: pd.DataFrame, start: str) -> str:
    ends = last[last["start"] == start]
    vanished = int((ends["opacity_content"] < MAX_VANISHED).sum())
    opaque = int((ends["opacity_backdrop"] > MIN_OPAQUE).sum())
    return (
        f"{start}, the object has vanished (opacity below {MAX_VANISHED}) in {vanished} and the "
        f"backdrop is opaque (above {MIN_OPAQUE}) in {opaque} of {len(ends)} cases"
    )


def plot_first_steps(moments: pd.DataFrame) -> go.Figure:
    """Opacity of the object against the step, a panel for each density activation of one scene."""
    scene = moments["scene"].iloc[0]
    of_scene = moments[moments["scene"] == scene]
    activations = list(of_scene["density_activation"].unique())
    figure = make_subplots(1, len(activations), shared_yaxes=True, subplot_titles=activations)
    figure.update_layout(blank_figure(height=380).layout)
    for number, activation in enumerate(activations, start=1):
        panel = of_scene[of_scene["density_activation"] == activation]
        for colour, (start, run) in zip(
            LINE_COLOURS, panel.groupby("start", sort=False), strict=False
        ):
            figure.add_scatter(
                x=run["step"],
                y=run["opacity_content"],
                mode="lines",
                name=str(start),
                legendgroup=str(start),
                showlegend=number == 1,
                line={"color": colour, "width": 2},
                row=1,
                col=number,
            )
    figure.update_yaxes(range=[0, 1.02])
    figure.update_yaxes(title_text=f"opacity of the object, {scene}", col=1)
    figure.update_xaxes(title_text="step")
    figure.update_layout(
        legend={"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0}, margin={"t": 40, "b": 90}
    )
    return figure
