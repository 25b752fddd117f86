"""Figures as image files, and the error where they cannot be rendered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.figures.image_files import WIDTHS, write_figures
from analysis.figures.study_figures import StudyFigure, list_study_figures
from analysis.figures.theme import blank_figure, set_axis_titles
from analysis.findings.analyze_study import Findings
from analysis.pages.study_page import render_study_page
from study.records.study_folder import StudyFolder


def test_figures_are_files_in_both_widths_with_captions_and_equal_ones_are_equal(
    replicated_findings: Findings, tmp_path: Path
) -> None:
    pytest.importorskip("kaleido", reason="kaleido is not installed")
    if shutil.which("chromium") is None:
        pytest.skip("no chromium on this machine")
    every = list_study_figures(replicated_findings)
    figures = {"importance": every["importance"], "again": every["importance"]}
    written = write_figures(figures, "svg", tmp_path, "a study")
    names = [f"{name}_{width}.svg" for name in ("again", "importance") for width in WIDTHS]
    assert [path.name for path in written] == [*names, "captions.md"]
    assert written[0].read_bytes() == written[2].read_bytes()
    assert 'width="336"' in written[0].read_text()
    assert every["importance"].caption in written[-1].read_text()


def test_a_pdf_embeds_its_fonts_and_has_the_size_on_paper(tmp_path: Path) -> None:
    pytest.importorskip("kaleido", reason="kaleido is not installed")
    if shutil.which("chromium") is None:
        pytest.skip("no chromium on this machine")
    figure = set_axis_titles(blank_figure(height=200), "x", "y")
    figure.add_scatter(x=[1, 2], y=[3, 4])
    one_column, *_ = write_figures({"f": StudyFigure("f", figure, "")}, "pdf", tmp_path, "a study")
    content = one_column.read_bytes()
    assert b"/FontFile" in content
    assert b"/MediaBox [0 0 252 " in content  # 3.5 inches of 72 points


def test_every_figure_of_the_page_is_a_file(replicated_findings: Findings) -> None:
    page = render_study_page(replicated_findings)
    figures = list_study_figures(replicated_findings)
    assert page.count('<div class="figure"') == len(figures)
    assert all(figure.caption.endswith(".") for figure in figures.values())


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [("kaleido", "pip install kaleido"), ("Chromium", "plotly_get_chrome")],
)
def test_a_missing_dependency_is_named_in_one_line(
    make_study: Callable[..., StudyFolder], missing: str, remedy: str
) -> None:
    if missing == "Chromium":
        pytest.importorskip("kaleido", reason="kaleido is not installed")
    barred = (
        "import sys; sys.modules['kaleido'] = None; " if missing == "kaleido" else "import sys; "
    )
    script = barred + "from analysis.report import main; sys.exit(main(sys.argv[1:]))"
    folder = make_study(explore=6, optimize=1).path
    ended = subprocess.run(
        [sys.executable, "-c", script, str(folder), "--format=csv", "--figures=svg"],
        capture_output=True,
        text=True,
        env={**os.environ, "BROWSER_PATH": "/nowhere"},
    )
    assert ended.returncode == 2
    (line,) = (text for text in ended.stderr.splitlines() if text.startswith("error:"))
    assert remedy in line
    assert "Traceback" not in ended.stderr
