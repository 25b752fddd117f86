"""The notebooks run from top to bottom on studies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

import analysis
from study.folder import StudyFolder

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
