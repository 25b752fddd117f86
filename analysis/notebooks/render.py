"""Runs the notebooks and saves their outputs: `python analysis/notebooks/render.py [NOTEBOOK ...]`.

A notebook has one source, NAME.ipynb: edit it in Jupyter, then run this command, which runs its
cells and adds an image to each figure, for readers on a code host. Needs the extras `notebooks` and
`figures`.
"""

from __future__ import annotations

import base64
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from PIL import Image

from analysis.figures.image_files import render_figures
from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from nerf.common.files import write_atomically

FOLDER = Path(__file__).parent

FIGURE, IMAGE = "application/vnd.plotly.v1+json", "image/png"

_TIMEOUT = 600  # seconds for a cell
_MAX_WIDTH = 1080
_SHOWN_WIDTH = 720  # CSS pixels, so that text is sharp on fine screens


def list_notebooks() -> list[Path]:
    """The notebooks of this folder."""
    return sorted(FOLDER.glob("*.ipynb"))


def run_notebooks(paths: Sequence[Path]) -> list[Any]:
    """Runs notebooks in a folder that is not theirs; returns them with outputs, without images.

    All run in one kernel, since each would import the same libraries for seconds; its variables
    are deleted in between.

    Raises `InputError` where a cell fails or Jupyter is missing.
    """
    try:
        import nbformat
        from jupyter_client.manager import start_new_kernel
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ImportError as error:
        raise InputError(f"{error.name} is missing; pip install -e '.[notebooks]'") from error
    # Python finds `analysis` in this checkout, installed or not.
    root = str(FOLDER.parents[1])
    environment = {**os.environ, "PYTHONPATH": root}
    manager, client = start_new_kernel(kernel_name="python3", env=environment, cwd=root)
    notebooks = []
    try:
        for path in paths:
            client.execute("%reset -f", reply=True)
            notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
            runner = NotebookClient(notebook, km=manager, timeout=_TIMEOUT)
            runner.kc = client
            try:
                runner.execute(reset_kc=False, cleanup_kc=False)
            except CellExecutionError as error:
                raise InputError(f"{path.name} fails: {error.ename}: {error.evalue}") from error
            _tidy(notebook)
            notebooks.append(notebook)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return notebooks


def list_outputs(notebook: Any) -> Iterator[Any]:
    """The outputs of all cells, in their order."""
    for cell in notebook.cells:
        yield from cell.get("outputs", [])


def add_images(notebook: Any) -> None:
    """Adds a PNG image to each figure among the outputs; raises `InputError` without kaleido."""
    shown = [output for output in list_outputs(notebook) if FIGURE in output.get("data", {})]
    figures = [
        go.Figure(data=figure["data"], layout=figure["layout"])
        for figure in (output.data[FIGURE] for output in shown)
    ]
    for output, image in zip(shown, render_figures(figures, "png"), strict=True):
        output.data[IMAGE] = base64.b64encode(_shrink(image)).decode()
        output.metadata[IMAGE] = {"width": _SHOWN_WIDTH}


def _shrink(png: bytes) -> bytes:
    """The image at most `_MAX_WIDTH` pixels wide, in 256 colours."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.thumbnail((_MAX_WIDTH, image.height))
    file = io.BytesIO()
    image.quantize(256).save(file, "png", optimize=True)
    return file.getvalue()


def _tidy(notebook: Any) -> None:
    """Removes what differs from run to run, and plotly.js beside a figure."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        cell.metadata = {}
        cell.execution_count = number
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number
            if FIGURE in output.get("data", {}):
                output.data = {FIGURE: output.data[FIGURE]}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    import nbformat

    parser = Parser("Run the notebooks and write them back with their outputs.")
    parser.add_argument(
        "notebook", nargs="*", type=Path, help="a notebook (default: all of this folder)"
    )
    paths = parser.parse(arguments).notebook or list_notebooks()
    for path, notebook in zip(paths, run_notebooks(paths), strict=True):
        add_images(notebook)
        text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
        write_atomically(path, (text.rstrip("\n") + "\n").encode())
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
