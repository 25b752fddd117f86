"""The notebooks run from top to bottom on studies."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

import analysis
from analysis.notebooks.render import fenced, render
from study.records.study_folder import StudyFolder

NOTEBOOKS = sorted((Path(analysis.__file__).parent / "notebooks").glob("*.py"))


@pytest.fixture(scope="module")
def studies(make_study: Callable[..., StudyFolder]) -> list[str]:
    return [str(make_study(name, explore=32, seed=i).path) for i, name in enumerate(("one", "two"))]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, studies: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NERF_STUDY", studies[0])
    monkeypatch.setenv("NERF_STUDIES", os.pathsep.join(studies))
    notebook = jupytext.read(path)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert "application/vnd.plotly.v1+json" in kinds
    assert "text/html" in kinds


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_rendered_copy_is_of_this_notebook(path: Path) -> None:
    copy = (path.parent / "rendered" / f"{path.stem}.md").read_text()
    for cell in jupytext.read(path).cells:
        assert (fenced(cell.source) if cell.cell_type == "code" else cell.source) in copy
    pictures = re.findall(r"\]\((\S+\.svg)\)", copy)
    assert pictures
    assert all((path.parent / "rendered" / picture).exists() for picture in pictures)


def test_rendered_copies_are_small_and_none_is_left_over() -> None:
    rendered = list((NOTEBOOKS[0].parent / "rendered").iterdir())
    assert sum(file.stat().st_size for file in rendered) < 1_000_000
    assert {file.stem for file in rendered if file.suffix == ".md"} == {p.stem for p in NOTEBOOKS}


def test_a_notebook_is_rendered_with_its_tables_and_figures(
    studies: list[str], tmp_path: Path
) -> None:
    pytest.importorskip("kaleido", reason="kaleido is not installed")
    notebook = next(path for path in NOTEBOOKS if path.stem == "comparing")
    copy = render(notebook, [Path(study) for study in studies], tmp_path).read_text()
    assert "<table" in copy
    assert "<style" not in copy
    assert "<svg" in (tmp_path / "comparing-1.svg").read_text()
