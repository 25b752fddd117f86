"""Rendered copies of the notebooks: `python analysis/notebooks/render.py STUDY [STUDY ...]`.

Runs each notebook on the studies and writes analysis/notebooks/rendered/NAME.md with what came
out: text, tables and SVG figures beside it. Needs the extras `test` and `figures`.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import plotly.graph_objects as go

from analysis.figures.image_files import render_figures
from nerf.common.files import write_atomically

NOTEBOOKS = Path(__file__).parent


def render(notebook: Path, studies: list[Path], out: Path) -> Path:
    """Runs one notebook on the first study, or on all where it compares; returns its copy."""
    import jupytext
    from nbclient import NotebookClient

    os.environ["NERF_STUDY"] = str(studies[0])
    os.environ["NERF_STUDIES"] = os.pathsep.join(map(str, studies))
    content = jupytext.read(notebook)
    NotebookClient(content, timeout=600, kernel_name="python3").execute()
    parts: list[str] = []
    figures: list[go.Figure] = []
    for cell in content.cells:
        parts.append(cell.source if cell.cell_type == "markdown" else fenced(cell.source))
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if figure := data.get("application/vnd.plotly.v1+json"):
                figures.append(go.Figure(data=figure["data"], layout=figure["layout"]))
                parts.append(f"![figure {len(figures)}]({notebook.stem}-{len(figures)}.svg)")
            elif "text/html" in data:
                parts.append(_table(data["text/html"]))
            else:
                parts.append(f"```\n{output.get('text', data.get('text/plain', '')).strip()}\n```")
    for place, picture in enumerate(render_figures(figures, "svg"), start=1):
        write_atomically(out / f"{notebook.stem}-{place}.svg", picture)
    copy = out / f"{notebook.stem}.md"
    write_atomically(copy, ("\n\n".join(parts) + "\n").encode())
    return copy


def fenced(code: str) -> str:
    """A code cell as the copy shows it."""
    return f"```python\n{code}\n```"


def _table(html: str) -> str:
    """A data frame's table without its style sheet."""
    table = re.search(r"<table.*</table>", html, flags=re.DOTALL)
    lines = table[0].splitlines() if table else []
    return "\n".join(line.strip() for line in lines)


def main(arguments: list[str]) -> int:
    studies = [Path(argument) for argument in arguments]
    if not studies:
        print("error: name one study folder or more", file=sys.stderr)
        return 2
    out = NOTEBOOKS / "rendered"
    out.mkdir(exist_ok=True)
    for notebook in sorted(NOTEBOOKS.glob("*.py")):
        print(render(notebook, studies, out))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
