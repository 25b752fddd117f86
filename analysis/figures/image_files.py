"""Figures as SVG or PNG files, rendered by kaleido."""

from __future__ import annotations

import importlib.util
import re
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import plotly.graph_objects as go

from analysis.figures.break_rates import plot_break_rates
from analysis.figures.importance_bars import plot_importance_bars, plot_top_bars
from analysis.figures.learning_curves import plot_learning_curves
from analysis.figures.parameter_effect import plot_parameter_effect
from analysis.figures.theme import resolve_colours
from analysis.figures.variance_parts import plot_variance_parts
from analysis.figures.variant_differences import plot_variant_differences
from analysis.findings.analyze_study import Findings
from nerf.common.errors import InputError
from nerf.common.files import write_atomically

ImageFormat = Literal["svg", "png"]


def write_study_figures(findings: Findings, image_format: ImageFormat, folder: Path) -> list[Path]:
    """Writes a study's figures into `folder` and returns their paths.

    Raises `InputError` like `render_figures`.
    """
    figures = plot_study_figures(findings)
    paths = [folder / f"{name}.{image_format}" for name in figures]
    images = render_figures(list(figures.values()), image_format)
    for path, content in zip(paths, images, strict=True):
        write_atomically(path, content)
    return paths


def plot_study_figures(findings: Findings) -> dict[str, go.Figure]:
    """File name without suffix -> figure: the figures of one study for a paper."""
    trials = findings.study.trials
    outcomes = dict(zip(trials["trial_id"], trials["outcome"], strict=True))
    metric, figures = findings.study.metric, {}
    if findings.study.is_native or not findings.study.curves.empty:
        figures["curves"] = plot_learning_curves(findings.study.curves, outcomes, {}, {}, metric)
    if findings.study.has_variants:
        if (compared := findings.variants) is not None:
            figures["variants"] = plot_variant_differences(compared.to_first, compared.first)
        return figures
    if findings.importance.shares:
        figures["importance"] = plot_importance_bars(findings.importance, metric.name)
        figures["variance_parts"] = plot_variance_parts(findings.importance, metric.name)
    if findings.ped_anova.shares:
        figures["reaching_top"] = plot_top_bars(findings.ped_anova)
    for effect in findings.effects:
        figures[_name_file("effect", effect.path, figures)] = plot_parameter_effect(effect, metric)
    for breaking in findings.breaking.significant_parameters:
        figures[_name_file("breaks", breaking.path, figures)] = plot_break_rates(breaking)
    return figures


def _name_file(kind: str, path: str, taken: Collection[str]) -> str:
    """A file name that is not `taken`; paths of other tools may contain slashes and the like."""
    name = f"{kind}_" + re.sub(r"[^\w.+-]", "_", path)
    while name in taken:
        name += "_"
    return name


def render_figures(figures: Sequence[go.Figure], image_format: ImageFormat) -> list[bytes]:
    """The content of one image file for each figure, in light colours.

    Raises `InputError` where kaleido or Chromium is missing.
    """
    if importlib.util.find_spec("kaleido") is None:
        raise InputError(
            f"--figures {image_format} needs kaleido, which renders figures with Chromium; "
            "pip install kaleido, or leave --figures out"
        )
    import plotly.io

    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / f"{place}.{image_format}" for place in range(len(figures))]
        try:
            plotly.io.write_images([resolve_colours(f) for f in figures], paths, width=720)
        except RuntimeError as error:  # kaleido's, with advice over many lines
            raise InputError(
                f"--figures {image_format} needs Chromium or Chrome "
                f"({' '.join(str(error).split())[:60]}); "
                "install it, run plotly_get_chrome, or leave --figures out"
            ) from error
        images = [path.read_bytes() for path in paths]
    return [_number_ids(image) for image in images] if image_format == "svg" else images


def _number_ids(svg: bytes) -> bytes:
    """The same SVG with numbered ids for plotly's random ones: equal figures give equal files."""
    text = svg.decode()
    ids = re.findall(r'id="defs-(\w+)"', text) + re.findall(r'class="trace \w+ trace(\w+)"', text)
    for place, name in enumerate(dict.fromkeys(ids)):
        # An id of digits alone may also occur within a number, never after a letter or a dash.
        text = re.sub(rf"(?<=[A-Za-z-]){name}", f"n{place}", text)
    return text.encode()
