"""The notebooks run from top to bottom on studies, and their rendered copies are up to date."""

from __future__ import annotations

import functools
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupytext
import pytest

from analysis.findings.analyze_study import Findings
from analysis.notebooks.render import (
    FOLDER,
    fence_code,
    list_notebooks,
    main,
    run_notebook,
    write_rendered,
)

NOTEBOOKS = list_notebooks()
RENDERED = FOLDER / "rendered"


LOAD_FINDINGS = """
def load_findings(study):
    import pickle
    from pathlib import Path

    return pickle.loads((Path(study) / "findings.pickle").read_bytes())

import analysis.findings.analyze_study
analysis.findings.analyze_study.analyze_study = load_findings
del load_findings, analysis
"""


@pytest.fixture(scope="module")
def run(
    study_findings: Findings,
    replicated_findings: Findings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Any]:
    """`run(name)`: the notebook of that name with its outputs; each is run once.

    Its kernel loads findings that other tests share, by a startup script of IPython.
    """
    ipython = tmp_path_factory.mktemp("ipython")
    startup = ipython / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "load_findings.py").write_text(LOAD_FINDINGS)
    studies = []
    for findings in (study_findings, replicated_findings):
        studies.append(tmp_path_factory.mktemp(findings.study.name))
        (studies[-1] / "findings.pickle").write_bytes(pickle.dumps(findings))

    @functools.cache
    def run_once(name: str) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("IPYTHONDIR", str(ipython))
            return run_notebook(FOLDER / f"{name}.py", studies)

    return run_once


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
