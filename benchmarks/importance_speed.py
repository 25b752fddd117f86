"""Processor time of a whole report, with one thread and with as many as the libraries choose.

    python benchmarks/importance_speed.py [--json FILE]

Analyses and renders a committed study of 184 trials and a simulated one of 1,000 explored trials
over 12 parameters, each in a process of its own. Beside them Optuna's fANOVA, which gives shares
without intervals, interactions or any other section, on the trials of the larger study.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from reporting import benchmark_parser, print_table, save_json

from nerf.common.command_line import exit_status

_BENCHMARKS = Path(__file__).parent
_COMMITTED = _BENCHMARKS.parent / "analysis" / "results" / "everything"

_LARGE = """
from simulated.objectives import find_objective
from simulated.simulate_study import simulate_study
study = simulate_study(find_objective("sparse"), 1000, 0)
"""
_REPORT = """
import time
from analysis.findings.analyze_study import analyze_study
from analysis.pages.study_page import render_study_page
began = time.process_time()
render_study_page(analyze_study(study))
print(time.process_time() - began)
"""
_FANOVA = """
import logging, time
import optuna
optuna.logging.set_verbosity(logging.ERROR)
explored = study.trials[study.trials["phase"] == "explore"]
paths = [d.path for d in study.space.dimensions]
distributions = {path: optuna.distributions.FloatDistribution(0.0, 1.0) for path in paths}
made = optuna.create_study(direction="maximize")
made.add_trials([
    optuna.trial.create_trial(
        params={d.path: d.to_unit(row[d.path]) for d in study.space.dimensions},
        distributions=distributions, value=row["psnr"])
    for _, row in explored.iterrows()])
began = time.process_time()
optuna.importance.get_param_importances(
    made, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0))
print(time.process_time() - began)
"""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def measure(script: str, one_thread: bool) -> float:
    """Processor seconds that a script prints, run in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key not in _THREADS}
    if one_thread:
        environment |= dict.fromkeys(_THREADS, "1")
    environment["PYTHONPATH"] = f"{_BENCHMARKS}{os.pathsep}{_BENCHMARKS.parent}"
    printed = subprocess.check_output([sys.executable, "-c", script], env=environment, text=True)
    return float(printed.split()[-1])


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    return benchmark_parser(__doc__).parse(arguments)


def run_benchmark(arguments: list[str] | None) -> int:
    options = parse_options(arguments)
    small = f"study = {str(_COMMITTED)!r}\n"
    rows: dict[str, dict[str, float]] = {}
    for name, script in (
        ("184 trials x 8 parameters, the report", small + _REPORT),
        ("1,000 trials x 12 parameters, the report", _LARGE + _REPORT),
        ("the same trials, Optuna's fANOVA", _LARGE + _FANOVA),
    ):
        one, free = measure(script, one_thread=True), measure(script, one_thread=False)
        rows[name] = {"one thread, s": one, "free threads, s": free, "ratio": free / one}
        print(f"{name}: {one:.1f} s", flush=True)
    columns = ("", *next(iter(rows.values())))
    print_table("Processor time", columns, [(name, *row.values()) for name, row in rows.items()])
    save_json(options.json, "importance_speed", {"seconds": rows})
    return 0


if __name__ == "__main__":
    sys.exit(exit_status(lambda: run_benchmark(None)))
