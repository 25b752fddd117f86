"""Importance against known truth: this program beside Optuna's evaluators, on the same trials.

    python benchmarks/importance.py [--repeats 100] [--peers 20] [--trials 128] [--noise 0.1]

Each evaluator is held against its own question. fANOVA and mean decrease of impurity (MDI) share
out variance, as the first-order shares do; PED-ANOVA asks what separates the best tenth. Optuna is
handed quantiles, so that it does not suffer from log scales here. An error is the largest one of
all parameters, in points of share, averaged over repeats; shares are normalised to add up to one.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.importance import (
    FanovaImportanceEvaluator,
    MeanDecreaseImpurityImportanceEvaluator,
    PedAnovaImportanceEvaluator,
)

from analysis.axes import Floats
from analysis.importance import Importance, variance_shares
from analysis.objectives import Objective, objectives
from analysis.reaching_top import reaching_top

TRUE_SAMPLES = 200_000


@dataclass(frozen=True)
class Repeat:
    """One study of one objective: each evaluator's normalised shares, and what ours said."""

    first: Floats
    top: Floats
    importance: Importance
    top_named: bool
    fanova: Floats | None = None
    mdi: Floats | None = None
    ped: Floats | None = None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--trials", type=int, default=128)
    parser.add_argument("--noise", type=float, default=0.1, help="share of the standard deviation")
    parser.add_argument("--peers", type=int, default=20, help="repeats that Optuna is asked too")
    asked = parser.parse_args()
    optuna.logging.set_verbosity(logging.ERROR)
    print(
        f"{asked.repeats} studies of {asked.trials} trials each ({asked.peers} for the peers), "
        f"noise {asked.noise:g} of the objective's standard deviation. Errors in points of share; "
        "coverage of 95 % intervals, over all parameters and of the worst one.\n\n"
        "| objective | first order | fANOVA | MDI | coverage | worst | R² | top | PED-ANOVA |\n"
        "|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for objective in objectives():
        started = time.perf_counter()
        repeats = [
            _repeat(objective, asked.trials, asked.noise, seed, seed < asked.peers)
            for seed in range(asked.repeats)
        ]
        print(_row(objective, repeats) if any(objective.total) else _noise(repeats), flush=True)
        seconds = time.perf_counter() - started
        print(f"{objective.name}: {seconds:.0f} s", file=sys.stderr, flush=True)
    return 0


def _repeat(objective: Objective, trials: int, noise: float, seed: int, peers: bool) -> Repeat:
    rng = np.random.default_rng(seed)
    live = any(objective.total)
    units, targets = objective.trials(trials, noise if live else 1.0, rng)
    importance = variance_shares(units, targets, objective.axes, rng).importance
    first = {share.path: share.first for share in importance.shares}
    top = reaching_top(units, targets, objective.axes, rng)
    reached = {share.path: share.share for share in top.shares}
    paths = [axis.path for axis in objective.axes]
    ours = _normalised([first[path] for path in paths])
    ours_top = _normalised([reached.get(path, 0.0) for path in paths])
    if not peers:
        return Repeat(ours, ours_top, importance, bool(top.live))
    study = _study(objective, units, targets)
    evaluators = (
        FanovaImportanceEvaluator(seed=seed),
        MeanDecreaseImpurityImportanceEvaluator(seed=seed),
        PedAnovaImportanceEvaluator(),
    )
    theirs = [optuna.importance.get_param_importances(study, evaluator=e) for e in evaluators]
    shares = [_normalised([found[path] for path in paths]) for found in theirs]
    return Repeat(ours, ours_top, importance, bool(top.live), *shares)


def _study(objective: Objective, units: Floats, targets: Floats) -> optuna.Study:
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


def _row(objective: Objective, repeats: Sequence[Repeat]) -> str:
    first, top = _normalised(objective.first), _true_top(objective)
    covered = np.array([_covered(objective, repeat.importance) for repeat in repeats])
    r2 = np.mean([repeat.importance.best_r2 for repeat in repeats])
    known = bool(sum(objective.first))
    variance = [_error([getattr(r, n) for r in repeats], first) for n in ("first", "fanova", "mdi")]
    ours, fanova, mdi = (f"{100 * e:.1f}" if known else "–" for e in variance)
    reached, ped = (100 * _error([getattr(r, n) for r in repeats], top) for n in ("top", "ped"))
    return (
        f"| {objective.name} | {ours} | {fanova} | {mdi} | {covered.mean():.0%} | "
        f"{covered.mean(axis=0).min():.0%} | {r2:.2f} | {reached:.1f} | {ped:.1f} |"
    )


def _covered(objective: Objective, importance: Importance) -> list[bool]:
    """Whether each interval, of first order and total, holds the truth."""
    shares = {share.path: share for share in importance.shares}
    found = []
    for axis, first, total in zip(objective.axes, objective.first, objective.total, strict=True):
        share = shares[axis.path]
        found.append(share.first_low <= first <= share.first_high)
        found.append(share.total_low <= total <= share.total_high)
    return found


def _noise(repeats: Sequence[Repeat]) -> str:
    """How often pure noise is told to be noise, and what the others make of it."""
    silent = np.mean([not repeat.importance.live for repeat in repeats])
    unnamed = np.mean([not repeat.top_named for repeat in repeats])
    asked = [r for r in repeats if r.fanova is not None]
    highest = {n: np.mean([getattr(r, n).max() for r in asked]) for n in ("fanova", "mdi", "ped")}
    parameters = len(repeats[0].first)
    return (
        f"\nPure noise: no parameter named by variance in {silent:.0%} of studies, by the top "
        f"tenth in {unnamed:.0%}. The highest share given to one of {parameters} parameters, where "
        f"an even split is {1 / parameters:.0%}: fANOVA {highest['fanova']:.0%}, "
        f"MDI {highest['mdi']:.0%}, PED-ANOVA {highest['ped']:.0%}; none says that it is noise."
    )


def _true_top(objective: Objective) -> Floats:
    """Shares of the Pearson divergence of the best tenth, from a great many noiseless points."""
    rng = np.random.default_rng(0)
    base = rng.random((TRUE_SAMPLES, len(objective.axes)))
    units = np.column_stack([a.snap(base[:, j]) for j, a in enumerate(objective.axes)])
    values = objective.value(units)
    best = units[np.argsort(-values)[: TRUE_SAMPLES // 10]]
    divergences = []
    for j, axis in enumerate(objective.axes):
        grid, chances = axis.grid(32)
        cells = np.searchsorted(np.cumsum(chances)[:-1], best[:, j], side="right")
        density = np.bincount(cells, minlength=len(grid)) / len(best) / chances
        divergences.append(float(chances @ (density - 1.0) ** 2))
    return _normalised(divergences)


def _error(found: Sequence[Floats | None], truth: Floats) -> float:
    return float(np.mean([np.abs(s - truth).max() for s in found if s is not None]))


def _normalised(values: Sequence[float]) -> Floats:
    shares = np.asarray(values, dtype=float)
    return shares / shares.sum() if shares.sum() > 0 else shares


if __name__ == "__main__":
    sys.exit(main())
