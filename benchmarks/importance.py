"""Importance against known truth: this program beside Optuna's evaluators, on the same trials.

    python benchmarks/importance.py [--repeats 100] [--trials 128] [--noise 0.1] [--json FILE]

Each evaluator is held against its own question. fANOVA and mean decrease of impurity (MDI) share
out variance, as the first-order shares do; PED-ANOVA asks what separates the best tenth. Optuna is
handed quantiles, so that it does not suffer from log scales here. An error is the largest one of
all parameters, in points of share, averaged over repeats; shares are normalised to add up to one.
Figures are kept as they come, objective by objective.
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
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.importance import (
    FanovaImportanceEvaluator,
    MeanDecreaseImpurityImportanceEvaluator,
    PedAnovaImportanceEvaluator,
)
from reporting import show, write

from analysis.importance.closed_forms import BenchmarkFunction, list_benchmark_functions
from analysis.importance.ped_anova import estimate_ped_anova
from analysis.importance.shares import Importance
from analysis.importance.sobol import estimate_sobol_shares
from analysis.stats.intervals import FloatArray

TRUE_SAMPLES = 200_000


@dataclass(frozen=True)
class Repeat:
    """One study of one objective: each evaluator's normalised shares, and what ours said."""

    first: FloatArray
    top: FloatArray
    importance: Importance
    top_named: bool
    fanova: FloatArray
    mdi: FloatArray
    ped: FloatArray


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--trials", type=int, default=128)
    parser.add_argument("--noise", type=float, default=0.1, help="share of the standard deviation")
    parser.add_argument("--objectives", nargs="+", help="names of some (default: all)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--json", type=Path, help="also keep the figures here")
    asked = parser.parse_args()
    chosen = [o for o in list_benchmark_functions() if not asked.objectives or o.name in asked.objectives]
    figures: dict[str, Any] = {}
    # A fresh process now and then: Optuna's evaluators keep some megabytes of every study.
    with multiprocessing.Pool(asked.jobs, maxtasksperchild=25) as pool:
        for objective in chosen:
            began = time.perf_counter()
            job = functools.partial(_repeat, objective.name, asked.trials, asked.noise)
            repeats = list(pool.imap(job, range(asked.repeats)))
            found = _figures(objective, repeats) if any(objective.total) else _noise(repeats)
            figures[objective.name] = found
            show(
                f"{objective.name}: {asked.repeats} studies of {asked.trials} trials, noise "
                f"{asked.noise:g}, {time.perf_counter() - began:.0f} s",
                ("figure", "value"),
                list(found.items()),
            )
            sys.stdout.flush()
            write(asked.json, "importance", {"asked": _plain(asked), "objectives": figures})
    return 0


def _plain(asked: argparse.Namespace) -> dict[str, Any]:
    return {key: value for key, value in vars(asked).items() if key != "json"}


def _repeat(name: str, trials: int, noise: float, seed: int) -> Repeat:
    optuna.logging.set_verbosity(logging.ERROR)
    objective = next(o for o in list_benchmark_functions() if o.name == name)
    rng = np.random.default_rng(seed)
    live = any(objective.total)
    units, targets = objective.sample_trials(trials, noise if live else 1.0, rng)
    importance = estimate_sobol_shares(units, targets, objective.axes, rng).importance
    first = {share.path: share.first for share in importance.shares}
    top = estimate_ped_anova(units, targets, objective.axes, rng)
    reached = {share.path: share.share for share in top.shares}
    paths = [axis.path for axis in objective.axes]
    study = _study(objective, units, targets)
    evaluators = (
        FanovaImportanceEvaluator(seed=seed),
        MeanDecreaseImpurityImportanceEvaluator(seed=seed),
        PedAnovaImportanceEvaluator(),
    )
    theirs = [optuna.importance.get_param_importances(study, evaluator=e) for e in evaluators]
    return Repeat(
        _normalised([first[path] for path in paths]),
        _normalised([reached.get(path, 0.0) for path in paths]),
        importance,
        bool(top.significant_shares),
        *(_normalised([found[path] for path in paths]) for found in theirs),
    )


def _study(objective: BenchmarkFunction, units: FloatArray, targets: FloatArray) -> optuna.Study:
    distributions: dict[str, optuna.distributions.BaseDistribution] = {}
    for axis in objective.axes:
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


def _figures(objective: BenchmarkFunction, repeats: Sequence[Repeat]) -> dict[str, float | str]:
    first, top = _normalised(objective.first), _true_top(objective)
    covered = np.array([_covered(objective, repeat.importance) for repeat in repeats])
    near = [_within(objective, repeat.importance) for repeat in repeats]
    known = bool(sum(objective.first))

    def error(of: str, truth: FloatArray) -> float | str:
        return 100 * _error([getattr(r, of) for r in repeats], truth) if known else "–"

    return {
        "first order, error of ours": error("first", first),
        "first order, error of fANOVA": error("fanova", first),
        "first order, error of MDI": error("mdi", first),
        "best tenth, error of ours": 100 * _error([r.top for r in repeats], top),
        "best tenth, error of PED-ANOVA": 100 * _error([r.ped for r in repeats], top),
        "shares within 0.05, %": 100 * float(np.mean(near)),
        "intervals that cover, %": 100 * float(covered.mean()),
        "of the worst share, %": 100 * float(covered.mean(axis=0).min()),
        "studies ranked, %": 100 * float(np.mean([r.importance.ranked for r in repeats])),
        "dead ranked over live, %": 100 * float(np.mean([_wrong(objective, r) for r in repeats])),
        "mean R²": float(np.mean([repeat.importance.best_r2 for repeat in repeats])),
    }


def _within(objective: BenchmarkFunction, importance: Importance) -> bool:
    """Is every share, of first order and total, within 0.05 of the truth?"""
    shares = {share.path: share for share in importance.shares}
    return all(
        abs(shares[axis.path].first - first) <= 0.05
        and abs(shares[axis.path].total - total) <= 0.05
        for axis, first, total in zip(objective.axes, objective.first, objective.total, strict=True)
    )


def _wrong(objective: BenchmarkFunction, repeat: Repeat) -> bool:
    """Is some dead parameter's interval of total shares all above that of a live one?"""
    totals = dict(zip([a.path for a in objective.axes], objective.total, strict=True))
    dead = [s.total_low for s in repeat.importance.shares if totals[s.path] == 0.0]
    live = [s.total_high for s in repeat.importance.shares if totals[s.path] > 0.0]
    return max(dead, default=0.0) > min(live)


def _covered(objective: BenchmarkFunction, importance: Importance) -> list[bool]:
    """Whether each interval, of first order and total, holds the truth."""
    shares = {share.path: share for share in importance.shares}
    found = []
    for axis, first, total in zip(objective.axes, objective.first, objective.total, strict=True):
        share = shares[axis.path]
        found.append(share.first_low <= first <= share.first_high)
        found.append(share.total_low <= total <= share.total_high)
    return found


def _noise(repeats: Sequence[Repeat]) -> dict[str, float | str]:
    """How often pure noise is told to be noise, and what the others make of it."""
    highest = {n: np.mean([getattr(r, n).max() for r in repeats]) for n in ("fanova", "mdi", "ped")}
    return {
        "nothing named by variance, %": 100 * np.mean([not r.importance.significant_shares for r in repeats]),
        "nothing named by the best tenth, %": 100 * np.mean([not r.top_named for r in repeats]),
        "an even split": 100 / len(repeats[0].first),
        "highest share by fANOVA": 100 * highest["fanova"],
        "highest share by MDI": 100 * highest["mdi"],
        "highest share by PED-ANOVA": 100 * highest["ped"],
    }


def _true_top(objective: BenchmarkFunction) -> FloatArray:
    """Shares of the Pearson divergence of the best tenth, from a great many noiseless points."""
    rng = np.random.default_rng(0)
    base = rng.random((TRUE_SAMPLES, len(objective.axes)))
    units = np.column_stack([a.snap(base[:, j]) for j, a in enumerate(objective.axes)])
    values = objective.evaluate(units)
    best = units[np.argsort(-values)[: TRUE_SAMPLES // 10]]
    divergences = []
    for j, axis in enumerate(objective.axes):
        grid, chances = axis.grid(32)
        cells = np.searchsorted(np.cumsum(chances)[:-1], best[:, j], side="right")
        density = np.bincount(cells, minlength=len(grid)) / len(best) / chances
        divergences.append(float(chances @ (density - 1.0) ** 2))
    return _normalised(divergences)


def _error(found: Sequence[FloatArray], truth: FloatArray) -> float:
    return float(np.mean([np.abs(shares - truth).max() for shares in found]))


def _normalised(values: Sequence[float]) -> FloatArray:
    shares = np.asarray(values, dtype=float)
    return shares / shares.sum() if shares.sum() > 0 else shares


if __name__ == "__main__":
    sys.exit(main())
