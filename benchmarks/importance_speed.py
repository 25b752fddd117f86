"""Processor time of an importance analysis with all its intervals, beside Optuna's evaluators.

    python benchmarks/importance_speed.py [--trials 1000] [--json FILE]

Twelve continuous parameters, of which five matter; every analysis gets the same trials. Optuna's
evaluators return shares without intervals, null lines or interactions.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable

import numpy as np
import optuna
from importance import to_optuna
from optuna.importance import (
    FanovaImportanceEvaluator,
    PedAnovaImportanceEvaluator,
    get_param_importances,
)
from reporting import benchmark_parser, positive, print_table, save_json

from analysis.importance.closed_forms import make_cliff_function
from analysis.importance.ped_anova import estimate_ped_anova
from analysis.importance.sobol import estimate_sobol_shares
from nerf.common.command_line import exit_status


def measure(trials: int) -> dict[str, float]:
    """Processor seconds of each analysis of one study."""
    optuna.logging.set_verbosity(logging.ERROR)
    rng = np.random.default_rng(0)
    function = make_cliff_function()
    units, targets = function.sample_trials(trials, 0.3, rng)
    study = to_optuna(function, units, targets)
    analyses: dict[str, Callable[[], object]] = {
        "Sobol' shares, ours": lambda: estimate_sobol_shares(units, targets, function.axes, rng),
        "fANOVA, Optuna": lambda: get_param_importances(
            study, evaluator=FanovaImportanceEvaluator(seed=0)
        ),
        "PED-ANOVA, ours": lambda: estimate_ped_anova(units, targets, function.axes, rng),
        "PED-ANOVA, Optuna": lambda: get_param_importances(
            study, evaluator=PedAnovaImportanceEvaluator()
        ),
    }
    seconds = {}
    for name, analyze in analyses.items():
        began = time.process_time()
        analyze()
        seconds[name] = time.process_time() - began
    return seconds


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("--trials", type=positive, default=1000, help="trials of the study")
    return parser.parse(arguments)


def run_benchmark(arguments: list[str] | None) -> int:
    options = parse_options(arguments)
    seconds = measure(options.trials)
    rows = list(seconds.items())
    print_table(f"{options.trials} trials of 12 parameters", ("analysis", "processor, s"), rows)
    save_json(options.json, "importance_speed", {"trials": options.trials, "seconds": seconds})
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
