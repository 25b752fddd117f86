"""Time until a study trains again after --resume.

    python benchmarks/resume.py --trials 200

A study of tiny trials is interrupted by Ctrl-C once so many trials have ended, then resumed. The
clock starts with the command `run_sweep.py --resume`; measured are the seconds until a worker
starts a trial, and until a trial has been evaluated.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from reporting import benchmark_parser, positive, print_table, save_json
from sweep import RUN_SWEEP, TINY_TRIAL, write_tiny_scene

from nerf.common.command_line import exit_status

POLL_SECONDS = 0.02


def start_sweep(studies: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Starts run_sweep.py on the study `one` in the folder `studies`."""
    command = [sys.executable, str(RUN_SWEEP), "--plain", "--studies", str(studies), "--name=one"]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL)


def wait_until(happened: Callable[[], bool], driver: subprocess.Popen[bytes]) -> float:
    """Returns the seconds until `happened`; exits with status 1 if the driver ends before."""
    began = time.perf_counter()
    while not happened():
        if driver.poll() is not None:
            raise SystemExit("error: the sweep ended too early; its output is above")
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - began


def interrupt(driver: subprocess.Popen[bytes]) -> None:
    """Sends Ctrl-C and waits for the end."""
    driver.send_signal(signal.SIGINT)
    driver.wait()


def log_sizes(study: Path) -> dict[Path, int]:
    """The size of each trial's log, in bytes."""
    return {log: log.stat().st_size for log in study.glob("logs/*.log")}


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--trials",
        type=positive,
        metavar="N",
        default=200,
        help="trials that have ended (default: 200)",
    )
    options = parser.parse(arguments)
    with tempfile.TemporaryDirectory(prefix="resume benchmark ") as temporary:
        studies, study = Path(temporary), Path(temporary) / "one"
        scene = write_tiny_scene(studies / "tiny.npz")
        plan = [
            f"--scene={scene}",
            f"--explore={10 * options.trials}",
            "--optimize=0",
            "--replicates=0",
        ]
        driver = start_sweep(studies, *plan, "--steps=2", *TINY_TRIAL)
        wait_until(lambda: len([*study.glob("records/*.json")]) >= options.trials, driver)
        interrupt(driver)
        sizes_before = log_sizes(study)

        def logged_since(word: str) -> bool:
            return any(
                word in log.read_text()[sizes_before.get(log, 0) :] for log in log_sizes(study)
            )

        driver = start_sweep(studies, "--resume")
        started = wait_until(lambda: log_sizes(study) != sizes_before, driver)
        evaluated = started + wait_until(lambda: logged_since(" step "), driver)
        interrupt(driver)
    rows = [["a trial starts", started], ["a trial has been evaluated", evaluated]]
    trials = len(sizes_before)
    print_table(f"seconds after --resume of {trials} trials", ["until", "seconds"], rows)
    save_json(options.json, "resume", {"trials": trials, "begun": started, "evaluated": evaluated})
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
