"""The pictures on the page about the flagship studies, one file each."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

from analysis.data.study import load_study
from analysis.figures import intervals as interval_figures
from analysis.figures import trials as figures
from analysis.figures.images import Picture, pictures
from analysis.findings.bounds_map import FAR, NEAR
from analysis.findings.collapse import collapse
from analysis.findings.study_findings import Findings, findings
from analysis.published import ablation
from nerf.common.files import write_atomically

FOLDER = "figures"


@functools.cache
def found_in(folder: Path) -> Findings:
    """A committed study's findings, computed once for the page and its figures."""
    return findings(folder)


def draw(results: Path, kind: Picture) -> list[Path]:
    """Writes every figure that the results bear and returns the files; errors of `pictures`."""
    drawn = {name: figure.update_layout(paper_bgcolor="white")  # pages in the dark show them, too
             for name, figure in _drawn(results)}  # fmt: skip
    paths = [results / FOLDER / f"{name}.{kind}" for name in drawn]
    for path, content in zip(paths, pictures(list(drawn.values()), kind), strict=True):
        write_atomically(path, content)
    return paths


def shown(name: str, description: str) -> str:
    """The figure of that name on the page, as Markdown."""
    return f"![{description}]({FOLDER}/{name}.svg)"


def _drawn(results: Path) -> Iterator[tuple[str, go.Figure]]:
    if (results / "near_far").exists():
        yield "near_far", figures.near_far(load_study(results / "near_far").trials, NEAR, FAR)
    for name in ("activations", "cures"):
        if (results / name).exists():
            study = load_study(results / name)
            broken = collapse(study.trials, study.space.dimensions, np.random.default_rng(0))
            for breaking in broken.live:
                parameter = breaking.path.rpartition(".")[2]
                yield f"{name}_{parameter}", interval_figures.rates(breaking)
    for name in ("everything", "default"):
        if (results / name).exists():
            found = found_in(results / name)
            yield f"{name}_importance", interval_figures.importance_bars(found.importance)
            yield f"{name}_over_time", interval_figures.importance_over_time(found.over_time)
    if (results / "ablation").exists():
        runs = ablation.read_runs(results / "ablation")
        yield "ablation", ablation.drawn(ablation.ablation(runs).to_complete)
