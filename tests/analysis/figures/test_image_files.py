"""Figures as image files, and the error where they cannot be rendered."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.figures import image_files
from analysis.figures.image_files import plot_study_figures, render_figures, write_study_figures
from analysis.findings.analyze_study import Findings
from study.records.study_folder import StudyFolder


def test_equal_figures_give_equal_image_files(
    replicated_findings: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("kaleido", reason="kaleido is not installed")
    if shutil.which("chromium") is None:
        pytest.skip("no chromium on this machine")
    figures = plot_study_figures(replicated_findings)
    *images, importance_again = render_figures([*figures.values(), figures["importance"]], "svg")
    monkeypatch.setattr(image_files, "render_figures", lambda figures, image_format: images)
    written = write_study_figures(replicated_findings, "svg", tmp_path)
    assert {"importance.svg", "curves.svg"} <= {path.name for path in written}
    assert all("<svg" in path.read_text() for path in written)
    assert (tmp_path / "importance.svg").read_bytes() == importance_again


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
