"""Renders the notebooks to Markdown: `python analysis/notebooks/render.py STUDY [STUDY ...]`.

Runs each notebook on the studies and writes analysis/notebooks/rendered/NAME.md with its text, code
and tables, and its figures as SVG files beside it. Needs the extras `test` and `figures`.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from analysis.figures.image_files import render_figures
from nerf.common.command_line import Parser, exit_status
from nerf.common.files import write_atomically

FOLDER = Path(__file__).parent

_JUPYTEXT_HEADER = "# ---\n"


def list_notebooks() -> list[Path]:
    """The notebooks of this folder: Python files with a jupytext header."""
    files = sorted(FOLDER.glob("*.py"))
    return [path for path in files if path.read_text(encoding="utf-8").startswith(_JUPYTEXT_HEADER)]


def run_notebook(notebook: Path, studies: list[Path]) -> Any:
    """Runs a notebook on the first study, or on all where it compares; returns it with outputs."""
    import jupytext
    from nbclient import NotebookClient

    paths = {
        "NERF_STUDY": str(studies[0]),
        "NERF_STUDIES": os.pathsep.join(map(str, studies)),
    }
    content = jupytext.read(notebook)
    client = NotebookClient(content, timeout=600, kernel_name="python3")
    client.execute(env={**os.environ, **paths})
    return content


def write_rendered(content: Any, name: str, folder: Path) -> Path:
    """Writes folder/NAME.md and its figures for a notebook that was run; returns NAME.md."""
    parts: list[str] = []
    figures: list[go.Figure] = []
    for cell in content.cells:
        parts.append(cell.source if cell.cell_type == "markdown" else fence_code(cell.source))
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if figure := data.get("application/vnd.plotly.v1+json"):
                figures.append(go.Figure(data=figure["data"], layout=figure["layout"]))
                parts.append(f"![figure {len(figures)}]({name}-{len(figures)}.svg)")
            elif "text/html" in data:
                parts.append(_strip_style(data["text/html"]))
            else:
                parts.append(f"```\n{output.get('text', data.get('text/plain', '')).strip()}\n```")
    for place, image in enumerate(render_figures(figures, "svg"), start=1):
        write_atomically(folder / f"{name}-{place}.svg", image)
    rendered = folder / f"{name}.md"
    write_atomically(rendered, ("\n\n".join(parts) + "\n").encode())
    return rendered


def fence_code(code: str) -> str:
    """A code cell as Markdown."""
    return f"```python\n{code}\n```"


def _strip_style(html: str) -> str:
    """A data frame's table without its style sheet."""
    table = re.search(r"<table.*</table>", html, flags=re.DOTALL)
    lines = table[0].splitlines() if table else []
    return "\n".join(line.strip() for line in lines)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = Parser("Run the notebooks on studies and write their rendered copies.")
    parser.add_argument("study", nargs="+", type=Path, help="a study folder")
    options = parser.parse(arguments)
    folder = FOLDER / "rendered"
    folder.mkdir(exist_ok=True)
    for notebook in list_notebooks():
        print(write_rendered(run_notebook(notebook, options.study), notebook.stem, folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
