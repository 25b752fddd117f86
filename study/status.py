"""Where a study stands, from any terminal, whether it runs or not.

    python study/status.py STUDY [--watch]

Only reads: the study may be running elsewhere at the same time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from nerf.common.command_line import Parser, exit_status
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec

_WATCHED = 2.0  # seconds between two pictures of --watch


def main(arguments: list[str]) -> int:
    """The exit status: 0, or 2 where there is no such study."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str]) -> int:
    parser = Parser("Show where a study stands.", prog="status.py")
    parser.add_argument("study", type=Path, help="a study folder that study/run_sweep.py made")
    parser.add_argument("--watch", action="store_true", help="go on until the study has ended")
    asked = parser.parse(arguments)
    folder = StudyFolder(asked.study)
    spec = StudySpec.from_json(folder.read_spec())
    baseline = folder.baseline()

    from rich.console import Console

    from study.ledger.journal import read_trials
    from study.monitor.live_view import View, picture
    from study.monitor.progress import standing

    console = Console()
    if asked.watch:
        with View(console, folder.name, spec, baseline) as view:
            while len(standing(trials := read_trials(folder), spec).ended) < spec.trials:
                view.show(trials)
                time.sleep(_WATCHED)
            view.show(trials, at_once=True)
    else:
        now = standing(read_trials(folder), spec)
        height = console.size.height
        console.print(picture(folder.name, now, spec.steps, baseline=baseline, height=height))
        if len(now.ended) < spec.trials:
            console.print(_driver(folder), soft_wrap=True, highlight=False, markup=False)
    return 0


def _driver(folder: StudyFolder) -> str:
    """Who runs the study, or how to go on with it."""
    from study.ledger.lock import holder

    driver = holder(folder)
    if driver and not driver.is_dead():
        return f"run by {driver}"
    place = f"--studies {folder.path.absolute().parent} --name {folder.name}"
    return f"nobody runs it; go on with: python study/run_sweep.py {place} --resume"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
