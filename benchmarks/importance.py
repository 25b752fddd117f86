"""Importance estimators on functions with known shares: ours beside Optuna's, on the same trials.

    python benchmarks/importance.py --repeats 100 --trials 128 --noise 0.1

Each peer is compared with the estimate of ours that answers the same question: fANOVA and mean
decrease in impurity (MDI) with first-order Sobol' shares, PED-ANOVA with what separates the best
tenth of the trials. Optuna is given quantiles, so that log scales are no disadvantage. An error is
the largest error of any parameter, in percentage points of share, averaged over repeats; shares are
normalised to a sum of one. --json saves the results after each function.
"""

from __future__ import annotations

import argparse
import functools
import logging
import multiprocessing
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.importance import (
    FanovaImportanceEvaluator,
    MeanDecreaseImpurityImportanceEvaluator,
    PedAnovaImportanceEvaluator,
)
from reporting import benchmark_parser, positive, print_table, save_json

from analysis.importance.closed_forms import BenchmarkFunction, list_benchmark_functions
from analysis.importance.ped_anova import estimate_ped_anova
from analysis.importance.shares import Importance
from analysis.importance.sobol import estimate_sobol_shares
from analysis.stats.intervals import FloatArray
from nerf.common.command_line import exit_status
from nerf.common.errors import InputError, closest

POINTS_FOR_TRUE_DIVERGENCE = 200_000
DIVERGENCE_CELLS = 32

ACCURATE = 0.05
"""Error below which a share counts as accurate."""

STUDIES_PER_PROCESS = 25
"""Studies after which a worker process is replaced: Optuna's evaluators leak some MB per study."""


@dataclass(frozen=True)
class StudyResult:
    """One study of one function: the normalised shares of each estimator, (parameters,) each.

    first, top: ours, of variance and of the best tenth; importance: ours, with intervals;
    top_named: whether ours finds any parameter significant for the best tenth
    """

    first: FloatArray
    top: FloatArray
    importance: Importance
    top_named: bool
    fanova: FloatArray
    mdi: FloatArray
    ped: FloatArray


def simulate_study(name: str, trials: int, noise: float, seed: int) -> StudyResult:
    """Draws the trials of one study of the function `name` and runs all estimators on them."""
    optuna.logging.set_verbosity(logging.ERROR)
    function = next(f for f in list_benchmark_functions() if f.name == name)
    rng = np.random.default_rng(seed)
    units, targets = function.sample_trials(trials, noise if any(function.total) else 1.0, rng)
    importance = estimate_sobol_shares(units, targets, function.axes, rng).importance
    first = {share.path: share.first for share in importance.shares}
    ped_anova = estimate_ped_anova(units, targets, function.axes, rng)
    top = {share.path: share.share for share in ped_anova.shares}
    paths = [axis.path for axis in function.axes]
    study = to_optuna(function, units, targets)
    evaluators = (
        FanovaImportanceEvaluator(seed=seed),
        MeanDecreaseImpurityImportanceEvaluator(seed=seed),
        PedAnovaImportanceEvaluator(),
    )
    peers = [optuna.importance.get_param_importances(study, evaluator=e) for e in evaluators]
    return StudyResult(
        _normalise([first[path] for path in paths]),
        _normalise([top.get(path, 0.0) for path in paths]),
        importance,
        bool(ped_anova.significant_shares),
        *(_normalise([shares[path] for path in paths]) for shares in peers),
    )


def to_optuna(function: BenchmarkFunction, units: FloatArray, targets: FloatArray) -> optuna.Study:
    """The trials as an Optuna study whose values are quantiles, maximised."""
    distributions: dict[str, optuna.distributions.BaseDistribution] = {}
    for axis in function.axes:
        if axis.unordered:
            distributions[axis.path] = optuna.distributions.CategoricalDistribution(axis.centres)
        else:
            distributions[axis.path] = optuna.distributions.FloatDistribution(0.0, 1.0)
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        [
            optuna.trial.create_trial(
                params=dict(zip(distributions, map(float, point), strict=True)),
                distributions=distributions,
                value=float(target),
            )
            for point, target in zip(units, targets, strict=True)
        ]
    )
    return study


def summarize(
    function: BenchmarkFunction, studies: Sequence[StudyResult]
) -> dict[str, float | str]:
    """Errors of all estimators, and how often the intervals of ours hold the truth."""
    first, top = _normalise(function.first), _true_top_shares(function)
    covered = np.array([_covers(function, study.importance) for study in studies])
    accurate = [_is_accurate(function, study.importance) for study in studies]
    has_first_order = bool(sum(function.first))

    def first_order_error(estimator: str) -> float | str:
        estimates = [getattr(study, estimator) for study in studies]
        return 100 * _mean_error(estimates, first) if has_first_order else "–"

    misranked = [_misranks(function, study.importance) for study in studies]
    return {
        "first order, error of ours": first_order_error("first"),
        "first order, error of fANOVA": first_order_error("fanova"),
        "first order, error of MDI": first_order_error("mdi"),
        "best tenth, error of ours": 100 * _mean_error([s.top for s in studies], top),
        "best tenth, error of PED-ANOVA": 100 * _mean_error([s.ped for s in studies], top),
        "studies with all shares within 0.05, %": 100 * float(np.mean(accurate)),
        "coverage of 95 % intervals, %": 100 * float(covered.mean()),
        "coverage for the worst share, %": 100 * float(covered.mean(axis=0).min()),
        "studies ranked, %": 100 * float(np.mean([s.importance.ranked for s in studies])),
        "inactive ranked above active, %": 100 * float(np.mean(misranked)),
        "mean R²": float(np.mean([s.importance.best_r2 for s in studies])),
    }


def summarize_noise(studies: Sequence[StudyResult]) -> dict[str, float | str]:
    """How often ours rightly finds nothing in pure noise, and the highest shares of the peers."""
    highest = {
        peer: np.mean([getattr(s, peer).max() for s in studies])
        for peer in ("fanova", "mdi", "ped")
    }
    nothing_significant = [not s.importance.significant_shares for s in studies]
    return {
        "no parameter significant for variance, %": 100 * np.mean(nothing_significant),
        "none significant for the best tenth, %": 100 * np.mean([not s.top_named for s in studies]),
        "share if all were equal, %": 100 / len(studies[0].first),
        "highest share of fANOVA, %": 100 * highest["fanova"],
        "highest share of MDI, %": 100 * highest["mdi"],
        "highest share of PED-ANOVA, %": 100 * highest["ped"],
    }


def _is_accurate(function: BenchmarkFunction, importance: Importance) -> bool:
    """Whether every share, first-order and total, is within `ACCURATE` of the truth."""
    shares = {share.path: share for share in importance.shares}
    return all(
        abs(shares[axis.path].first - first) <= ACCURATE
        and abs(shares[axis.path].total - total) <= ACCURATE
        for axis, first, total in zip(function.axes, function.first, function.total, strict=True)
    )


def _misranks(function: BenchmarkFunction, importance: Importance) -> bool:
    """Whether an inactive parameter's interval (total share) lies wholly above an active one's."""
    totals = dict(zip([axis.path for axis in function.axes], function.total, strict=True))
    inactive = [s.total_low for s in importance.shares if totals[s.path] == 0.0]
    active = [s.total_high for s in importance.shares if totals[s.path] > 0.0]
    return max(inactive, default=0.0) > min(active)


def _covers(function: BenchmarkFunction, importance: Importance) -> list[bool]:
    """Whether each interval holds the truth: for each axis, first order then total."""
    shares = {share.path: share for share in importance.shares}
    covers = []
    for axis, first, total in zip(function.axes, function.first, function.total, strict=True):
        share = shares[axis.path]
        covers.append(share.first_low <= first <= share.first_high)
        covers.append(share.total_low <= total <= share.total_high)
    return covers


def _true_top_shares(function: BenchmarkFunction) -> FloatArray:
    """Normalised Pearson divergence of the best tenth from the prior, of each parameter.

    The divergence is sum p (q / p - 1)^2 over cells of probability p under the prior and q among
    the best tenth; q is estimated from many points without noise.
    """
    rng = np.random.default_rng(0)
    base = rng.random((POINTS_FOR_TRUE_DIVERGENCE, len(function.axes)))
    units = np.column_stack([axis.snap(base[:, j]) for j, axis in enumerate(function.axes)])
    values = function.evaluate(units)
    best = units[np.argsort(-values)[: POINTS_FOR_TRUE_DIVERGENCE // 10]]
    divergences = []
    for j, axis in enumerate(function.axes):
        grid, prior = axis.grid(DIVERGENCE_CELLS)
        cells = np.searchsorted(np.cumsum(prior)[:-1], best[:, j], side="right")
        ratio = np.bincount(cells, minlength=len(grid)) / len(best) / prior
        divergences.append(float(prior @ (ratio - 1.0) ** 2))
    return _normalise(divergences)


def _mean_error(estimates: Sequence[FloatArray], truth: FloatArray) -> float:
    """The largest error over parameters, averaged over studies."""
    return float(np.mean([np.abs(shares - truth).max() for shares in estimates]))


def _normalise(values: Sequence[float]) -> FloatArray:
    shares = np.asarray(values, dtype=float)
    return shares / shares.sum() if shares.sum() > 0 else shares


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--repeats",
        type=positive,
        metavar="N",
        default=100,
        help="studies of each function (default: 100)",
    )
    parser.add_argument(
        "--trials", type=positive, metavar="N", default=128, help="trials of a study (default: 128)"
    )
    parser.add_argument(
        "--noise",
        type=float,
        metavar="SHARE",
        default=0.1,
        help="standard deviation of the noise / that of the function (default: 0.1)",
    )
    names = [function.name for function in list_benchmark_functions()]
    parser.add_argument(
        "--objectives",
        nargs="+",
        metavar="NAME",
        default=names,
        help=f"functions to use (default: all of {', '.join(names)})",
    )
    parser.add_argument(
        "--jobs", type=positive, metavar="N", default=1, help="processes at once (default: 1)"
    )
    options = parser.parse(arguments)
    for name in options.objectives:
        if name not in names:
            raise InputError(
                f"unknown objective {name}{closest(name, names)} (--help lists all objectives)"
            )
    return options


def run_benchmark(arguments: list[str] | None) -> int:
    options = parse_options(arguments)
    settings = {key: value for key, value in vars(options).items() if key != "json"}
    figures: dict[str, Any] = {}
    with multiprocessing.Pool(options.jobs, maxtasksperchild=STUDIES_PER_PROCESS) as pool:
        for function in list_benchmark_functions():
            if function.name not in options.objectives:
                continue
            began = time.perf_counter()
            simulate = functools.partial(
                simulate_study, function.name, options.trials, options.noise
            )
            studies = list(pool.imap(simulate, range(options.repeats)))
            is_noise = not any(function.total)
            summary = summarize_noise(studies) if is_noise else summarize(function, studies)
            figures[function.name] = summary
            print_table(
                f"{function.name}: {options.repeats} studies of {options.trials} trials, noise "
                f"{options.noise:g}, {time.perf_counter() - began:.0f} s",
                ("figure", "value"),
                list(summary.items()),
            )
            sys.stdout.flush()
            save_json(options.json, "importance", {"asked": settings, "objectives": figures})
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
