"""Shows a study that a child process runs: on a terminal, in a notebook, or as lines of text."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from study.api.driver_process import DriverProcess
from study.api.notebook_view import NotebookView, is_notebook
from study.ledger.journal import read_trials
from study.ledger.lock import holder
from study.monitor.progress import study_progress, table_progress
from study.monitor.wording import progress_line
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec

_POLL_SECONDS = 0.2


def start(arguments: Sequence[str], in_background: bool, plain: bool) -> DriverProcess:
    """Starts `run_sweep.py`; a live view needs a terminal that nothing else writes to."""
    in_notebook = is_notebook()
    on_terminal = not (in_background or plain or in_notebook) and sys.stdout.isatty()
    options = arguments if on_terminal else [*arguments, "--plain"]
    return DriverProcess(options, on_terminal, is_quiet=in_notebook and not plain)


def follow(driver: DriverProcess, folder: StudyFolder, plain: bool) -> None:
    """Prints what the driver prints until it ends; each Ctrl-C is passed on to it."""
    view = NotebookView(folder) if is_notebook() and not plain else None
    while not driver.has_ended:
        try:
            line = driver.next_line(_POLL_SECONDS)
            if line is not None:
                print(line, flush=True)
            if view:
                view.update()
        except KeyboardInterrupt:
            driver.interrupt()
    if view:
        view.update(is_last=True)


def describe_progress(folder: StudyFolder) -> str:
    """How far a study is, in one line."""
    if not folder.spec_file.exists():
        return "not started"
    spec = StudySpec.from_json(folder.read_spec())
    if not folder.journal.exists():
        return progress_line(table_progress(folder.read_trials(), spec), None)
    driver = holder(folder)
    is_interrupted = driver is None or driver.is_dead()
    progress = study_progress(read_trials(folder), spec, folder.trivial_psnrs(), is_interrupted)
    return progress_line(progress, None)
