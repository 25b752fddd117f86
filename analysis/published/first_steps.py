"""Why a density dies: the first steps of runs, as benchmarks/first_steps.py writes them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.figures.theme import LINE_COLOURS, blank_figure, set_axis_titles
from analysis.findings.tables import format_markdown_table

FIRST_STEPS = "first_steps.csv"
AS_DRAWN, ALL_THREE = "as drawn", "all three"
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
    """In how many starts as drawn the object itself lowers the density, and what comes of that."""
    first = moments[moments["step"] == 0]
    last = moments[moments["step"] == moments["step"].max()]
    parts = []
    for start in (AS_DRAWN, ALL_THREE):
        begins, ends = first[first["start"] == start], last[last["start"] == start]
        lowering = int((begins["push_content"] > 0).sum())
        blank = int((ends["opacity_content"] < 0.01).sum())
        opaque = int((ends["opacity_backdrop"] > 0.9).sum())
        parts.append(
            f"{start}: the object's rays lower the density as well in {lowering} of {len(begins)} "
            f"cases, and after {int(ends['step'].max())} steps the object's opacity is below 0.01 "
            f"in {blank}, the backdrop's above 0.9 in {opaque}"
        )
    return (
        "A start that is nearly opaque hides the object behind fog: rays of the object and of the "
        "backdrop then pull the density the same way, the optimiser overshoots, and where the "
        f"density is gone or saturated, no gradient is left. Starting {'; '.join(parts)}."
    )


def plot_first_steps(moments: pd.DataFrame) -> go.Figure:
    """Opacity of the object against the step, a panel for each density activation of one scene."""
    scene = moments["scene"].iloc[0]
    of_scene = moments[moments["scene"] == scene]
    activations = list(of_scene["density_activation"].unique())
    figure = make_subplots(1, len(activations), shared_yaxes=True, subplot_titles=activations)
    figure.update_layout(blank_figure(height=320).layout)
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
    return set_axis_titles(figure, "training steps", f"opacity of the object, {scene}")
