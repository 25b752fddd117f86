"""Counts what is left of a study whose driver is killed again and again.

    python benchmarks/kills.py --kills 20

A study of a Python function (`--trainable`), and two of a program (`--command`) that writes its
results to its standard output or to a file ({metrics}), all toys. Half of the drivers are killed at
a random moment of their first seconds, half while trials run. Of three drivers one dies alone, one
with all processes of the launch but programs and their watchdogs, and one with these, too. The last
launch is left alone. A trial is exact if its curve has each step once, with the value that it has
where nothing is killed, and its final figure counts each training step once.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from reporting import benchmark_parser, positive, print_table, save_json

from nerf.common.command_line import exit_status

ROOT = Path(__file__).resolve().parents[1]
TRAINERS = ROOT / "tests" / "study" / "trainers"
KINDS = ("--trainable", "--command", "--command {metrics}")
DEATHS = ("alone", "launch", "all")
STEPS, TRIALS = 20, 24
PARAMETERS = "[lr]\ndefault = 0.1\nlow = 1e-3\nhigh = 1.0\nlog = true\n"
COLUMNS = ["trainer", "kills", "launches", "planned", "recorded", "twice", "completed", "exact"]
COLUMNS += ["processes left"]


def trainer_options(kind: str, place: Path) -> list[str]:
    """The options of a study of a function or a program."""
    if kind == "--trainable":
        return [f"--trainable={TRAINERS / 'toy.py'}:train", "--metric=loss", "--direction=min"]
    (place / "parameters.toml").write_text(PARAMETERS)
    program = f"{sys.executable} {TRAINERS / 'fake_trainer.py'}"
    values = "--lr {lr} --steps {steps} --folder {folder} --seconds-a-step 0.02"
    if "{metrics}" in kind:
        values += " --results {metrics}"
    return [
        f"--command={program} {values}",
        f"--parameter-file={place / 'parameters.toml'}",
        *("--metric=psnr", "--direction=max"),
    ]


def start(options: list[str], place: Path) -> subprocess.Popen[bytes]:
    """A launch of the study `one`; it resumes what is there."""
    resume = ["--resume"] if (place / "one" / "study.json").exists() else []
    sweep = [sys.executable, str(ROOT / "study" / "run_sweep.py"), "--plain"]
    log = (place / "output.txt").open("ab")
    return subprocess.Popen(
        [*sweep, f"--studies={place}", "--name=one", *options, *resume], stdout=log, stderr=log
    )


def is_program(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return any("fake_trainer" in word for word in process.cmdline())
    return False


def kill(driver: subprocess.Popen[bytes], death: str) -> None:
    """SIGKILL for a driver, for its launch, or for all with the programs and their watchdogs."""
    process = psutil.Process(driver.pid)
    family = [] if death == "alone" else process.children(True)
    for one in [process, *(p for p in family if death == "all" or not is_program(p))]:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    driver.wait()


def wait_for_trials(driver: subprocess.Popen[bytes], study: Path) -> None:
    """Returns once a trial of this launch has begun, or the launch has ended."""
    before = sum(log.stat().st_size for log in study.glob("logs/*.log"))
    while driver.poll() is None:
        if sum(log.stat().st_size for log in study.glob("logs/*.log")) > before:
            return
        time.sleep(0.05)


def run_study(kind: str, kills: int, place: Path, rng: random.Random) -> dict[str, object]:
    """Runs a study whose driver is killed so often, and counts."""
    budget = [f"--steps={STEPS}", f"--explore={TRIALS}", "--optimise=0", "--replicates=0"]
    options = [*trainer_options(kind, place), "--vary=lr", *budget, "--max-concurrent=2"]
    done, launches = 0, 1
    while True:
        driver = start(options, place)
        if done == kills:
            driver.wait()
            break
        if done % 2:
            wait_for_trials(driver, place / "one")
            time.sleep(rng.uniform(0, 1))
        else:
            time.sleep(rng.uniform(0, 6))
        if driver.poll() is None:
            kill(driver, rng.choice(DEATHS))
            done += 1
            launches += 1
        elif driver.returncode == 0:
            break  # finished with fewer kills, which the table says
    time.sleep(2)  # for processes that are about to end
    return {"trainer": kind, "kills": done, "launches": launches, **count(kind, place / "one")}


def count(kind: str, study: Path) -> dict[str, object]:
    """How many trials there are, and how many are as if nothing had been killed."""
    records = [json.loads(file.read_text()) for file in sorted(study.glob("records/*.json"))]
    numbers = [record["trial"]["number"] for record in records]
    left = [p for p in psutil.process_iter(["cmdline"]) if str(study) in str(p.info["cmdline"])]
    return {
        "planned": TRIALS,
        "recorded": len(set(numbers) & set(range(TRIALS))),
        "twice": len(numbers) - len(set(numbers)),
        "completed": sum(record["trial"]["state"] == "completed" for record in records),
        "exact": sum(is_exact(kind, record) for record in records),
        "processes left": len(left),
    }


def is_exact(kind: str, record: dict[str, Any]) -> bool:
    """Whether a trial's record is what its learning rate makes of it."""
    lr = record["trial"]["lr"]
    error = abs(math.log10(lr) + 1.5) + 1 / 16
    steps = range(5, STEPS + 1, 5)
    if kind == "--trainable":
        metric, test, expected = "loss", ("test_loss", 3), [error + 1 / step for step in steps]
    else:
        metric, test, expected = "psnr", ("test_psnr", 1), [30 - error - 10 / s for s in steps]
    name, weights = test
    curve = [(point["step"], point[metric]) for point in record["curve"]]
    is_same = [step for step, _ in curve] == list(steps) and all(
        math.isclose(value, other) for (_, value), other in zip(curve, expected, strict=True)
    )
    return is_same and math.isclose(record["trial"][name], STEPS * lr * weights, abs_tol=1e-5)


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--kills", type=positive, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse(arguments)
    rng = random.Random(options.seed)
    rows = []
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as place:
            rows.append(run_study(kind, options.kills, Path(place), rng))
    print_table("What is left", COLUMNS, [[row[name] for name in COLUMNS] for row in rows])
    save_json(options.json, "kills", {"rows": rows})
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
