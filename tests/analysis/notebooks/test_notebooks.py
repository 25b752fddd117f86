"""The notebooks run from top to bottom, and what they show is what the committed studies give."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from PIL import Image

from analysis.notebooks.render import (
    FIGURE,
    FOLDER,
    IMAGE,
    add_images,
    list_notebooks,
    list_outputs,
    main,
    run_notebooks,
)

NOTEBOOKS = list_notebooks()
NAMES = [path.stem for path in NOTEBOOKS]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
STALE = "run python analysis/notebooks/render.py"


@pytest.fixture(scope="module")
def run_again() -> Callable[[str], Any]:
    """`run_again(name)`: the notebook as it is, executed again; all at once, in one kernel."""
    return dict(zip(NAMES, run_notebooks(NOTEBOOKS), strict=True)).__getitem__


def read(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def show(output: Any) -> str:
    """What a reader sees of an output; of a figure, its type alone."""
    data = output.get("data", {})
    return FIGURE if FIGURE in data else output.get("text", data.get("text/html", ""))


def assert_same_but_for_rounding(written: str, made: str) -> None:
    """Fits, and so the ends of intervals, differ slightly between processors."""
    assert NUMBER.sub("#", written) == NUMBER.sub("#", made), STALE
    ours, theirs = (list(map(float, NUMBER.findall(text))) for text in (written, made))
    for a, b in zip(ours, theirs, strict=True):
        # Integers above 1 may be per cent, which differ by points.
        assert a == pytest.approx(b, rel=0.05, abs=6.0 if a.is_integer() and a > 1 else 0.06), STALE


def test_the_four_notebooks() -> None:
    assert NAMES == ["collapse", "comparing", "importance", "near_far"]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_shows_what_its_cells_give(name: str, run_again: Callable[[str], Any]) -> None:
    written, made = list(list_outputs(read(name))), list(list_outputs(run_again(name)))
    assert len(written) == len(made), STALE
    for ours, theirs in zip(written, made, strict=True):
        assert_same_but_for_rounding(show(ours), show(theirs))


@pytest.mark.parametrize("name", NAMES)
def test_figures_have_images_for_readers_on_a_code_host(name: str) -> None:
    shown = [o.data for o in list_outputs(read(name)) if FIGURE in o.get("data", {})]
    assert shown
    for data in shown:
        image = Image.open(io.BytesIO(base64.b64decode(data[IMAGE])))
        assert 500 < image.width < 1500


def test_a_notebook_begins_with_the_readers_own_study_and_is_short() -> None:
    for name in NAMES:
        code = [cell.source for cell in read(name).cells if cell.cell_type == "code"]
        assert code[0].startswith("# Yours: ")
        assert re.search(r"^STUD(Y|IES) = ", code[0], re.MULTILINE)
        assert sum(len(source.splitlines()) for source in code) < 40


def test_notebooks_are_small_and_name_no_folder_of_a_machine() -> None:
    assert sum(path.stat().st_size for path in NOTEBOOKS) < 2_000_000
    for path in NOTEBOOKS:
        assert str(FOLDER.parents[1]) not in path.read_text()


def test_images_are_added_to_figures(run_again: Callable[[str], Any]) -> None:
    pytest.importorskip("kaleido", reason="kaleido is not installed")
    notebook = run_again("collapse")
    add_images(notebook)
    assert all(IMAGE in o.data for o in list_outputs(notebook) if FIGURE in o.get("data", {}))


def change_study(source: Path, folder: Path, study: Path) -> Path:
    """A copy of a notebook for another study, as a reader would change it."""
    notebook = json.loads(source.read_text())
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        cell["source"] = re.sub(r"(?m)^STUDY = .*$", lambda _: f"STUDY = {str(study)!r}", text)
    copy = folder / source.name
    copy.write_text(json.dumps(notebook))
    return copy


def test_a_missing_study_is_one_line(tmp_path: Path) -> None:
    copy = change_study(FOLDER / "importance.ipynb", tmp_path, tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"importance.ipynb fails: InputError: .*nowhere does not"):
        run_notebooks([copy])


def test_an_unknown_notebook_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.ipynb"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
