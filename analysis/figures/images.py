"""Figures as SVG or PNG files for a paper, drawn by kaleido."""

from __future__ import annotations

import importlib.util
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import plotly.graph_objects as go

from analysis.figures import intervals as interval_figures
from analysis.figures import theme
from analysis.figures import trials as figures
from analysis.findings.study_findings import Findings
from nerf.common.errors import InputError
from nerf.common.files import write_atomically

Picture = Literal["svg", "png"]


def write_pictures(found: Findings, kind: Picture, folder: Path) -> list[Path]:
    """Writes a study's figures into `folder` and returns the files; errors of `pictures`."""
    drawn = {"curves": figures.curves(found.study.curves, _states(found), {}, {})}
    if found.importance.shares:
        drawn["importance"] = interval_figures.importance_bars(found.importance)
    if found.top.shares:
        drawn["reaching_top"] = interval_figures.top_bars(found.top)
    for effect in found.effects:
        drawn[f"effect_{effect.path}"] = figures.effect(effect)
    for breaking in found.collapse.live:
        drawn[f"collapse_{breaking.path}"] = interval_figures.rates(breaking)
    paths = [folder / f"{name}.{kind}" for name in drawn]
    for path, content in zip(paths, pictures(list(drawn.values()), kind), strict=True):
        write_atomically(path, content)
    return paths


def pictures(drawn: Sequence[go.Figure], kind: Picture) -> list[bytes]:
    """Figures as image files, in light colours; `InputError` without kaleido or Chromium."""
    if importlib.util.find_spec("kaleido") is None:
        raise InputError(
            f"--figures {kind} needs kaleido, which draws them with Chromium; "
            "pip install -e '.[figures]', or leave --figures out"
        )
    import plotly.io

    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch) / f"{place}.{kind}" for place in range(len(drawn))]
        try:
            plotly.io.write_images([theme.painted(figure) for figure in drawn], files, width=720)
        except RuntimeError as error:  # kaleido's, with advice over many lines
            raise InputError(
                f"--figures {kind} needs Chromium or Chrome ({' '.join(str(error).split())[:60]}); "
                "install it, run plotly_get_chrome, or leave --figures out"
            ) from error
        return [_settled(file.read_bytes()) if kind == "svg" else file.read_bytes()
                for file in files]  # fmt: skip


def _settled(drawing: bytes) -> bytes:
    """The same SVG with counted names for plotly's random ones: equal figures are equal files."""
    text = drawing.decode()
    named = re.findall(r'id="defs-(\w+)"', text) + re.findall(r'class="trace \w+ trace(\w+)"', text)
    for place, name in enumerate(dict.fromkeys(named)):
        # A name of digits alone may stand within a number, though never after a letter or a dash.
        text = re.sub(rf"(?<=[A-Za-z-]){name}", f"n{place}", text)
    return text.encode()


def _states(found: Findings) -> dict[str, str]:
    trials = found.study.trials
    return dict(zip(trials["trial_id"], trials["state"], strict=True))
