"""Draws a study's live view, as it was when a part of its journal was written, to a PNG.

    python benchmarks/live_view_picture.py studies/first --part 0.6 --out live_view.png

The screen is drawn as on a terminal of 100 x 30. Needs playwright and Chromium.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path

from reporting import positive
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI

from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from study.ledger.journal import read_trials
from study.monitor.progress import StudyProgress, study_progress
from study.monitor.screen import Shown, render_progress
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec


def main(arguments: list[str] | None = None) -> int:
    """Writes the picture; returns the exit status."""
    parser = Parser(__doc__ or "")
    parser.add_argument("study", type=Path, help="a study folder with its journal")
    parser.add_argument(
        "--part", type=float, default=0.6, help="part of the journal (default: 0.6)"
    )
    parser.add_argument("--rate", type=float, default=60.0, help="steps a second (default: 60)")
    parser.add_argument(
        "--columns", type=positive, default=100, help="of the terminal (default: 100)"
    )
    parser.add_argument("--lines", type=positive, default=30, help="of the terminal (default: 30)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png")
    return exit_status(lambda: _draw(parser.parse(arguments)))


def _draw(options: argparse.Namespace) -> int:
    folder = StudyFolder(options.study)
    spec = StudySpec.from_json(folder.read_spec())
    if not folder.journal.exists():
        raise InputError(f"{folder.path} has no journal to replay; name the folder where it ran")
    progress = _replay(folder, spec, options.part)
    shown = Shown(folder.trivial_psnrs(), options.rate, progress.steps_left / options.rate)
    size = options.columns, options.lines
    console = Console(
        width=size[0], height=size[1], record=True, force_terminal=True, file=io.StringIO()
    )
    console.print(render_progress(folder.name, progress, spec, shown, *size))
    title = f"python study/run_sweep.py --name {folder.name}"
    svg = console.export_svg(title=title, theme=DIMMED_MONOKAI)
    _screenshot(svg, options.out)
    print(options.out)
    return 0


def _replay(folder: StudyFolder, spec: StudySpec, part: float) -> StudyProgress:
    """The progress when this part of the journal had been written."""
    lines = folder.journal.read_text(encoding="utf-8").splitlines(keepends=True)
    with tempfile.TemporaryDirectory() as directory:
        copy = StudyFolder(Path(directory) / folder.name)
        copy.path.mkdir()
        shutil.copy(folder.spec_file, copy.spec_file)
        copy.journal.write_text("".join(lines[: round(part * len(lines))]), encoding="utf-8")
        return study_progress(read_trials(copy), spec, folder.trivial_psnrs())


def _screenshot(svg: str, out: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        page.set_content(f"<style>body {{ margin: 0 }} svg {{ width: 1000px }}</style>{svg}")
        page.locator("svg").first.screenshot(path=str(out))
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
