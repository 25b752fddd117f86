"""Shows how far a study is, whether it is running or not.

    python study/status.py STUDY [--watch]

Only reads the study folder, so that the study may be running at the same time, also elsewhere.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nerf.common.command_line import Parser, exit_status
from nerf.common.commands import command_line, command_name
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec

if TYPE_CHECKING:
    from rich.console import Console

    from study.monitor.progress import StudyProgress

_WATCH_SECONDS = 2.0
"""Between two updates of --watch."""


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 if there is no such study."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = Parser("Show how far a study is.", prog=Path(command_name("study/status.py")).name)
    program = command_name("study/run_sweep.py")
    parser.add_argument("study", type=Path, help=f"a study folder that {program} created")
    parser.add_argument(
        "--watch",
        action="store_true",
        help=f"update every {_WATCH_SECONDS:g} s until all trials have ended",
    )
    options = parser.parse(arguments)
    folder = StudyFolder(options.study)
    spec = StudySpec.from_json(folder.read_spec())

    from rich.console import Console

    console = Console()
    if options.watch and not _has_tables_only(folder):
        _watch(folder, spec, console)
    else:
        _show(folder, spec, console)
    return 0


def _watch(folder: StudyFolder, spec: StudySpec, console: Console) -> None:
    from study.ledger.journal import read_trials
    from study.monitor.live_view import LiveView
    from study.monitor.progress import study_progress

    with LiveView(console, folder.name, spec, folder.trivial_psnr()) as view:
        while not study_progress(trials := read_trials(folder), spec).is_finished:
            view.show(trials)
            time.sleep(_WATCH_SECONDS)
        view.show(trials, at_once=True)


def _show(folder: StudyFolder, spec: StudySpec, console: Console) -> None:
    from study.monitor.live_view import render_progress

    progress = _read_progress(folder, spec)
    trivial_psnr, height = folder.trivial_psnr(), console.size.height
    console.print(
        render_progress(folder.name, progress, spec.steps, trivial_psnr=trivial_psnr, height=height)
    )
    if not progress.is_finished:
        console.print(_describe_driver(folder), soft_wrap=True, highlight=False, markup=False)


def _read_progress(folder: StudyFolder, spec: StudySpec) -> StudyProgress:
    from study.ledger.journal import read_trials
    from study.monitor.progress import study_progress, table_progress

    if _has_tables_only(folder):
        return table_progress(folder.read_trials(), spec, folder.trivial_psnr())
    return study_progress(read_trials(folder), spec, folder.trivial_psnr())


def _has_tables_only(folder: StudyFolder) -> bool:
    """Whether this is a copy of a study for analysis, without its journal."""
    return not folder.journal.exists() and folder.trials_file.exists()


def _describe_driver(folder: StudyFolder) -> str:
    """The process that runs the study, or the command that resumes it."""
    from study.ledger.lock import holder

    if _has_tables_only(folder):
        return "this copy has no journal; resume the study in the folder where it ran"
    driver = holder(folder)
    if driver and not driver.is_dead():
        return f"being run by {driver}"
    place = ["--studies", folder.path.absolute().parent, "--name", folder.name]
    return f"not running; resume with: {command_line('study/run_sweep.py', *place, '--resume')}"


if __name__ == "__main__":
    sys.exit(main())
