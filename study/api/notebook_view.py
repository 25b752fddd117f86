"""The live view in a notebook: one output of a cell, which is replaced while the study runs."""

from __future__ import annotations

import io
import sys
import time
from typing import Any

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

from study.ledger.journal import JournalReader
from study.ledger.lock import holder
from study.monitor.progress import StepRate, study_progress
from study.monitor.screen import Shown, render_progress
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec

_REDRAW_SECONDS = 1.0
_WIDTH, _HEIGHT = 100, 30
_PAGE = (
    '<pre style="white-space:pre;overflow-x:auto;line-height:normal;'
    "font-family:Menlo,'DejaVu Sans Mono',consolas,monospace\">{code}</pre>"
)


def is_notebook() -> bool:
    """Whether this process is a notebook's kernel, not IPython in a terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class NotebookView:
    """Shows a study's progress, as its folder has it, in the cell that runs now."""

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._journal = JournalReader(folder)
        self._rate = StepRate()
        self._handle: Any = None
        self._due = 0.0

    def update(self, is_last: bool = False) -> None:
        """Shows the progress, unless it was shown a moment ago or the study has not begun."""
        if not (is_last or time.monotonic() >= self._due):
            return
        self._due = time.monotonic() + _REDRAW_SECONDS
        if not self._folder.journal.exists() or not self._folder.spec_file.exists():
            return
        from IPython.display import HTML, display

        page = HTML(self._render())
        if self._handle is None:
            self._handle = display(page, display_id=True)
        else:
            self._handle.update(page)

    def _render(self) -> str:
        """The live view's screen as HTML; Rich escapes all text."""
        folder = self._folder
        spec, trivial_psnrs = StudySpec.from_json(folder.read_spec()), folder.trivial_psnrs()
        driver = holder(folder)
        is_interrupted = driver is None or driver.is_dead()
        trials = self._journal.read_trials()
        progress = study_progress(trials, spec, trivial_psnrs, is_interrupted)
        rate = None if is_interrupted else self._rate.update(time.monotonic(), progress)
        left = progress.steps_left / rate if rate and progress.steps_left > 0 else None
        screen = render_progress(
            folder.name, progress, spec, Shown(trivial_psnrs, rate, left), _WIDTH, _HEIGHT
        )
        console = Console(
            record=True,
            file=io.StringIO(),
            width=_WIDTH,
            force_terminal=True,
            force_jupyter=False,  # else it shows an output of its own
        )
        console.print(screen)
        return console.export_html(
            theme=DEFAULT_TERMINAL_THEME, inline_styles=True, code_format=_PAGE
        )
