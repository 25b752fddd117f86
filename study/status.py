"""Shows how far a study is, whether it is running or not, or all studies in a folder.

    python study/status.py [STUDY] [--watch]

Only reads the study folder, so that the study may be running at the same time, also elsewhere.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nerf.common.command_line import Parser, exit_status
from nerf.common.commands import command_line, command_name
from nerf.common.errors import InputError
from nerf.common.printed_lines import wrap_line
from study.records.resume_command import resume_command
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec

if TYPE_CHECKING:
    from rich.console import Console

    from study.ledger.lock import Holder
    from study.monitor.progress import StudyProgress

_STUDIES = Path("studies")
"""Where `run_sweep.py` creates studies by default."""

_WATCH_SECONDS = 2.0
"""Between two updates of --watch."""


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 if there is no such study."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = Parser(
        "Show how far a study is, whether it is running or not, or all studies in a folder.",
        examples=(
            command_line("study/status.py"),
            command_line("study/status.py", "studies/first"),
            command_line("study/status.py", "studies/first", "--watch"),
        ),
        prog=Path(command_name("study/status.py")).name,
    )
    program = command_name("study/run_sweep.py")
    parser.add_argument(
        "study",
        type=Path,
        nargs="?",
        default=_STUDIES,
        help=f"a study folder that {program} created, or one that contains such folders (default: "
        "studies)",
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help=f"update every {_WATCH_SECONDS:g} s until all trials have ended or the study stops",
    )
    options = parser.parse(arguments)
    folder = StudyFolder(options.study)
    inside = sorted(file.parent for file in folder.path.glob("*/study.json"))
    if inside and not folder.spec_file.exists():
        if options.watch:
            raise InputError(f"--watch follows one study; name one of those in {folder.path}")
        for path in inside:
            print(_line(StudyFolder(path)))
        return 0
    if options.study == _STUDIES and not inside and not folder.spec_file.exists():
        raise InputError(
            f"there is no study in {_STUDIES.absolute()}; start one with "
            f"{command_line('study/run_sweep.py')}, or name a study folder"
        )
    spec = StudySpec.from_json(folder.read_spec())

    from rich.console import Console

    console = Console()
    if options.watch and not _has_tables_only(folder):
        _watch(folder, spec, console)
    else:
        _show(folder, spec, console)
    return 0


def _line(folder: StudyFolder) -> str:
    """A study's progress in one line."""
    from study.monitor.wording import progress_line

    try:
        spec = StudySpec.from_json(folder.read_spec())
        return f"{folder.name}: {progress_line(_read_progress(folder, spec), None)}"
    except InputError as error:
        return f"{folder.name}: {error}"


def _watch(folder: StudyFolder, spec: StudySpec, console: Console) -> None:
    """Shows the progress until all trials have ended, or no process runs the study any more."""
    from study.ledger.journal import JournalReader
    from study.monitor.live_view import LiveView
    from study.monitor.progress import study_progress

    journal = JournalReader(folder)
    with LiveView(console, folder.name, spec, folder.trivial_psnrs()) as view:
        while (runs := _driver(folder) is not None) and not study_progress(
            trials := journal.read_trials(), spec
        ).is_finished:
            view.show(trials)
            time.sleep(_WATCH_SECONDS)
        view.show(journal.read_trials(), at_once=True, is_interrupted=not runs)
    _print(console, _what_next(folder, _read_progress(folder, spec)))


def _show(folder: StudyFolder, spec: StudySpec, console: Console) -> None:
    from study.monitor.screen import Shown, render_progress

    progress, shown = _read_progress(folder, spec), Shown(folder.trivial_psnrs())
    width, height = console.size
    console.print(render_progress(folder.name, progress, spec, shown, width, height - 2))
    _print(console, _what_next(folder, progress))


def _read_progress(folder: StudyFolder, spec: StudySpec) -> StudyProgress:
    from study.ledger.journal import read_trials
    from study.monitor.progress import study_progress, table_progress

    if _has_tables_only(folder):
        return table_progress(folder.read_trials(), spec, folder.trivial_psnrs())
    is_interrupted = _driver(folder) is None
    return study_progress(read_trials(folder), spec, folder.trivial_psnrs(), is_interrupted)


def _has_tables_only(folder: StudyFolder) -> bool:
    """Whether this is a copy of a study for analysis, without its journal."""
    return not folder.journal.exists() and folder.trials_file.exists()


def _driver(folder: StudyFolder) -> Holder | None:
    """The process that runs the study, as far as this machine can see; None if none does."""
    from study.ledger.lock import holder

    driver = holder(folder)
    return None if driver is None or driver.is_dead() else driver


def _what_next(folder: StudyFolder, progress: StudyProgress) -> list[str]:
    """What a person can do now: wait, resume the study or look at its report, a line each."""
    report = command_line("analysis/report.py", folder.path)
    driver = _driver(folder)
    if progress.is_finished:
        if folder.report.exists():
            return [f"report: {folder.report}"]
        return [f"{driver} is about to write the report" if driver else f"report with: {report}"]
    so_far = [f"report so far: {report}"] if progress.ended else []
    if _has_tables_only(folder):
        return ["this copy has no journal; resume the study in the folder where it ran", *so_far]
    if driver:
        return [f"being run by {driver}"]
    return [f"not running; resume with: {resume_command(folder.path)}", *so_far]


def _print(console: Console, lines: list[str]) -> None:
    for line in lines:
        shown = wrap_line(line, console.width) if console.is_terminal else line
        console.print(shown, soft_wrap=True, highlight=False, markup=False)


if __name__ == "__main__":
    sys.exit(main())
