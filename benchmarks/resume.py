"""How long does a study take to train again after --resume?

    python benchmarks/resume.py [--trials 200]

A study of tiny trials is stopped by Ctrl-C once so many have ended, and gone on with. What is
measured starts with the command: until a trial begins in a worker, and until one is evaluated.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from reporting import show, write
from sweep import RUN_SWEEP, TINY, tiny_scene


def start(studies: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(RUN_SWEEP), "--plain", "--studies", str(studies), "--name=one"]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL)


def seconds_until(happened: Callable[[], bool], driver: subprocess.Popen[bytes]) -> float:
    began = time.perf_counter()
    while not happened():
        if driver.poll() is not None:
            raise SystemExit("the sweep ended too early; its output is above")
        time.sleep(0.02)
    return time.perf_counter() - began


def stop(driver: subprocess.Popen[bytes]) -> None:
    driver.send_signal(signal.SIGINT)
    driver.wait()


def logged(study: Path) -> dict[Path, int]:
    """The bytes of each trial's log."""
    return {log: log.stat().st_size for log in study.glob("logs/*.log")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200, help="trials that have ended")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="resume benchmark ") as made:
        studies, study = Path(made), Path(made) / "one"
        scene = tiny_scene(studies / "tiny.npz")
        planned = [f"--scene={scene}", f"--explore={10 * asked.trials}", "--optimize=0"]
        driver = start(studies, *planned, "--steps=2", *TINY)
        seconds_until(lambda: len([*study.glob("records/*.json")]) >= asked.trials, driver)
        stop(driver)
        before = logged(study)

        def news(word: str) -> bool:
            return any(word in log.read_text()[before.get(log, 0) :] for log in logged(study))

        driver = start(studies, "--resume")
        begun = seconds_until(lambda: logged(study) != before, driver)
        evaluated = begun + seconds_until(lambda: news(" step "), driver)
        stop(driver)
    rows = [["a trial begins", begun], ["a trial is evaluated", evaluated]]
    show(f"seconds after --resume of {len(before)} trials until", ["what", "seconds"], rows)
    write(asked.json, "resume", {"trials": len(before), "begun": begun, "evaluated": evaluated})


if __name__ == "__main__":
    main()
