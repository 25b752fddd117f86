"""The notebooks run from top to bottom on studies, and their rendered copies are up to date."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupytext
import pytest

from analysis.notebooks.render import (
    FOLDER,
    fence_code,
    list_notebooks,
    main,
    run_notebook,
    write_rendered,
)
from study.records.study_folder import StudyFolder

NOTEBOOKS = list_notebooks()
RENDERED = FOLDER / "rendered"


@pytest.fixture(scope="module")
def run(make_study: Callable[..., StudyFolder]) -> Callable[[str], Any]:
    """`run(name)`: the notebook of that name with its outputs; each is run once."""
    vary = ("sampling.near", "sampling.span", "optimisation.learning_rate")
    studies = [
        make_study(name, explore=24, vary=vary, seed=i).path
        for i, name in enumerate(("one", "two"))
    ]
    return functools.cache(lambda name: run_notebook(FOLDER / f"{name}.py", studies))


def test_notebooks_are_the_files_with_a_jupytext_header() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["collapse", "comparing", "importance", "near_far"]


@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS])
def test_notebook_runs(name: str, run: Callable[[str], Any]) -> None:
    outputs = [output for cell in run(name).cells for output in cell.get("outputs", [])]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert "application/vnd.plotly.v1+json" in kinds
    assert "text/html" in kinds


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_rendered_copy_matches_its_notebook(path: Path) -> None:
    copy = (RENDERED / f"{path.stem}.md").read_text()
    for cell in jupytext.read(path).cells:
        assert (fence_code(cell.source) if cell.cell_type == "code" else cell.source) in copy
    images = re.findall(r"\]\((\S+\.svg)\)", copy)
    assert images
    assert all((RENDERED / image).exists() for image in images)


def test_rendered_copies_are_small_and_complete() -> None:
    rendered = list(RENDERED.iterdir())
    assert sum(file.stat().st_size for file in rendered) < 1_000_000
    assert {file.stem for file in rendered if file.suffix == ".md"} == {p.stem for p in NOTEBOOKS}
    shown = {
        image
        for file in RENDERED.glob("*.md")
        for image in re.findall(r"\]\((\S+\.svg)\)", file.read_text())
    }
    assert {file.name for file in RENDERED.glob("*.svg")} == shown


def test_a_notebook_is_rendered_with_its_tables_and_figures(
    run: Callable[[str], Any], tmp_path: Path
) -> None:
    pytest.importorskip("kaleido", reason="kaleido is not installed")
    copy = write_rendered(run("comparing"), "comparing", tmp_path).read_text()
    assert "<table" in copy
    assert "<style" not in copy
    assert "<svg" in (tmp_path / "comparing-1.svg").read_text()


def test_the_command_without_a_study_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1
