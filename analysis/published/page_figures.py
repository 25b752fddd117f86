"""The figures on the results page, one file each."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

from analysis.data.study import load_study
from analysis.figures.break_rates import plot_break_rates
from analysis.figures.image_files import ImageFormat, render_figures
from analysis.figures.importance_bars import plot_importance_bars
from analysis.figures.near_far_map import plot_near_far_map
from analysis.figures.over_time import plot_importance_over_time
from analysis.figures.variance_parts import plot_variance_parts
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.bounds_map import FAR, NEAR
from analysis.findings.breaking import analyze_breaking
from analysis.published.ablation import analyze_ablation, plot_ablation, read_runs
from analysis.published.first_steps import FIRST_STEPS, plot_first_steps, read_first_steps
from nerf.common.files import write_atomically

FOLDER = "figures"


@functools.cache
def analyze_committed(folder: Path) -> Findings:
    """Findings of a committed study, computed once for the page and its figures."""
    return analyze_study(folder)


def write_page_figures(results: Path, image_format: ImageFormat) -> list[Path]:
    """Writes the figure of every study in `results` and returns the files.

    Raises `InputError` like `render_figures`.
    """
    figures = dict(_plot_all(results))
    for figure in figures.values():
        figure.update_layout(paper_bgcolor="white")  # readable on a page with a dark theme
    paths = [results / FOLDER / f"{name}.{image_format}" for name in figures]
    images = render_figures(list(figures.values()), image_format)
    for path, content in zip(paths, images, strict=True):
        write_atomically(path, content)
    return paths


def link_figure(name: str, description: str) -> str:
    """A figure on the page, as Markdown."""
    return f"![{description}]({FOLDER}/{name}.svg)"


def _plot_all(results: Path) -> Iterator[tuple[str, go.Figure]]:
    if (results / "near_far").exists():
        study = load_study(results / "near_far")
        yield "near_far", plot_near_far_map(study.trials, NEAR, FAR, study.space.bounds)
    if (results / FIRST_STEPS).exists():
        yield "first_steps", plot_first_steps(read_first_steps(results / FIRST_STEPS))
    if (results / "activations").exists():
        study = load_study(results / "activations")
        breaking = analyze_breaking(study.trials, study.space.dimensions, np.random.default_rng(0))
        for parameter in breaking.significant_parameters:
            field = parameter.path.rpartition(".")[2]
            yield f"activations_{field}", plot_break_rates(parameter)
    for name in ("everything", "default"):
        if (results / name).exists():
            findings = analyze_committed(results / name)
            if findings.importance.shares:
                yield f"{name}_importance", plot_importance_bars(findings.importance)
                yield f"{name}_parts", plot_variance_parts(findings.importance)
            if findings.importance.ranked:
                yield f"{name}_over_time", plot_importance_over_time(findings.over_time)
    if (results / "ablation").exists():
        runs = read_runs(results / "ablation")
        yield "ablation", plot_ablation(analyze_ablation(runs).to_complete)
