"""Figures as SVG, PNG or PDF files for a paper, rendered by kaleido.

Each figure has a file for each of two widths, those of one column and of a page of two: labels have
the same size on paper in both. PDF files embed their fonts, SVG files name them and keep their
text as text; PNG files have 300 dots per inch. captions.md says what each figure shows.
"""

from __future__ import annotations

import importlib.util
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import plotly.graph_objects as go

from analysis.figures.study_figures import StudyFigure
from analysis.figures.theme import resolve_colours
from nerf.common.errors import InputError
from nerf.common.files import write_atomically

ImageFormat = Literal["svg", "png", "pdf"]

CAPTIONS = "captions.md"

WIDTHS: Mapping[str, int] = {"1col": 336, "2col": 672}
"""Suffix of a file's name -> width in CSS pixels, of which an inch has 96: 3.5 and 7 inches."""

_PAGE_WIDTH = 720  # pixels of a figure elsewhere, such as in a README
_FONT = 10.7  # pixels: 8 points
_MARGINS = {"l": 44, "r": 14, "t": 8, "b": 36}
_PNG_SCALE = 300 / 96


def write_figures(
    figures: Mapping[str, StudyFigure], image_format: ImageFormat, folder: Path, title: str
) -> list[Path]:
    """Writes figures in both widths, and their captions, into `folder`; returns the files.

    title: of the captions, such as the study's name
    Raises `InputError` like `render_figures`.
    """
    sized = {
        folder / f"{name}_{suffix}.{image_format}": fit_paper(figure.figure, width)
        for suffix, width in WIDTHS.items()
        for name, figure in figures.items()
    }
    widths = [width for width in WIDTHS.values() for _ in figures]
    images = render_figures(list(sized.values()), image_format, widths)
    for path, content in zip(sized, images, strict=True):
        write_atomically(path, content)
    captions = folder / CAPTIONS
    write_atomically(captions, _list_captions(figures, title).encode())
    return [*sorted(sized), captions]


def fit_paper(figure: go.Figure, width: int) -> go.Figure:
    """A copy for print at a width in CSS pixels: letters of 8 points, narrow margins."""
    drawn = go.Figure(figure)
    # One column has half the width, but rows of labels stay as high as they are.
    height = int(figure.layout.height * (0.8 if width < _PAGE_WIDTH / 2 else 0.9))
    drawn.update_layout(
        width=width,
        height=height,
        font={"size": _FONT, "family": "Helvetica, Arial, sans-serif"},
        legend={"font": {"size": _FONT}},
        margin=_MARGINS,
        paper_bgcolor="white",
    )
    for update in (drawn.update_xaxes, drawn.update_yaxes):
        update(tickfont={"size": _FONT}, title={"font": {"size": _FONT}})
    drawn.for_each_trace(lambda trace: trace.update(marker={"size": 5}), {"mode": "markers"})
    return drawn


def _list_captions(figures: Mapping[str, StudyFigure], title: str) -> str:
    """Each figure's name and caption, as Markdown."""
    widths = ", ".join(f"`_{suffix}` {width / 96:g} inches" for suffix, width in WIDTHS.items())
    lines = [f"# Figures of {title}", f"Widths: {widths}."]
    return "\n\n".join([*lines, *(f"**{n}.** {f.caption}" for n, f in figures.items())]) + "\n"


def render_figures(
    figures: Sequence[go.Figure],
    image_format: ImageFormat,
    widths: int | Sequence[int] = _PAGE_WIDTH,
) -> list[bytes]:
    """The content of one image file for each figure, in light colours.

    widths: in CSS pixels, one for all or one for each
    Raises `InputError` where kaleido or Chromium is missing.
    """
    if not figures:
        return []
    if importlib.util.find_spec("kaleido") is None:
        raise InputError(
            f"--figures {image_format} needs kaleido, which renders figures with Chromium; "
            "pip install kaleido, or leave --figures out"
        )
    import plotly.io

    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch) / f"{place}.{image_format}" for place in range(len(figures))]
        try:
            plotly.io.write_images(
                [resolve_colours(f) for f in figures],
                paths,
                width=widths if isinstance(widths, int) else list(widths),
                height=[int(figure.layout.height) for figure in figures],
                scale=_PNG_SCALE if image_format == "png" else 1,
            )
        except RuntimeError as error:  # kaleido's, with advice over many lines
            raise InputError(
                f"--figures {image_format} needs Chromium or Chrome "
                f"({' '.join(str(error).split())[:60]}); "
                "install it, run plotly_get_chrome, or leave --figures out"
            ) from error
        if not all(path.exists() for path in paths):  # kaleido goes on after its time limit
            raise InputError(
                f"Chromium took too long to draw {sum(not path.exists() for path in paths)} of "
                f"{len(paths)} figures; run the command again while the machine is less busy"
            )
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
