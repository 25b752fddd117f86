"""The pictures on the page about the flagship studies, one file each."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

from analysis.data.study import load_study
from analysis.figures.collapse_rates import plot_collapse_rates
from analysis.figures.image_files import ImageFormat, render_figures
from analysis.figures.importance_bars import plot_importance_bars
from analysis.figures.near_far_map import plot_near_far_map
from analysis.figures.over_time import plot_importance_over_time
from analysis.findings.bounds_map import FAR, NEAR
from analysis.findings.collapse import analyze_collapse
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.published import ablation
from nerf.common.files import write_atomically

FOLDER = "figures"


@functools.cache
def found_in(folder: Path) -> Findings:
    """A committed study's findings, computed once for the page and its figures."""
    return analyze_study(folder)


def draw(results: Path, image_format: ImageFormat) -> list[Path]:
    """Writes every figure that the results bear and returns the files; errors of `pictures`."""
    drawn = {name: figure.update_layout(paper_bgcolor="white")  # pages in the dark show them, too
             for name, figure in _drawn(results)}  # fmt: skip
    paths = [results / FOLDER / f"{name}.{image_format}" for name in drawn]
    for path, content in zip(
        paths, render_figures(list(drawn.values()), image_format), strict=True
    ):
        write_atomically(path, content)
    return paths


def shown(name: str, description: str) -> str:
    """The figure of that name on the page, as Markdown."""
    return f"![{description}]({FOLDER}/{name}.svg)"


def _drawn(results: Path) -> Iterator[tuple[str, go.Figure]]:
    if (results / "near_far").exists():
        yield "near_far", plot_near_far_map(load_study(results / "near_far").trials, NEAR, FAR)
    for name in ("activations", "cures"):
        if (results / name).exists():
            study = load_study(results / name)
            broken = analyze_collapse(study.trials, study.space.dimensions, np.random.default_rng(0))
            for breaking in broken.significant_parameters:
                parameter = breaking.path.rpartition(".")[2]
                yield f"{name}_{parameter}", plot_collapse_rates(breaking)
    for name in ("everything", "default"):
        if (results / name).exists():
            found = found_in(results / name)
            yield f"{name}_importance", plot_importance_bars(found.importance)
            yield f"{name}_over_time", plot_importance_over_time(found.over_time)
    if (results / "ablation").exists():
        runs = ablation.read_runs(results / "ablation")
        yield "ablation", ablation.drawn(ablation.ablation(runs).to_complete)
