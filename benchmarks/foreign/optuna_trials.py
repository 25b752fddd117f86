"""Storages of Optuna by what became of their trials, and which trials a sampler chose."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from foreign.case import Truth, case
from foreign.optuna_writing import (
    DECLARED,
    declare,
    make_trials,
    open_journal,
    write_journal,
    write_study,
)
from foreign.sample import LR, PARAMETERS, Parameter, Sample, draw_sample

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

_NOISE = 0.01


@case()
def optuna_failed_first(folder: Path) -> tuple[Path, Truth]:
    """Two trials failed before their first suggest; three run, one waits."""
    sample = draw_sample(78)
    study = write_study(open_journal(folder / "optuna.journal"), [])
    for _ in range(2):
        study.add_trial(create_trial(state=TrialState.FAIL))
    study.add_trials(make_trials(sample, DECLARED))
    for _ in range(3):
        study.ask()
    study.enqueue_trial({"lr": 0.01})
    return folder / "optuna.journal", sample.truth(warning="4 trials not ended")


@case()
def optuna_pruned(folder: Path) -> tuple[Path, Truth]:
    """Half were pruned, the worse ones: among the others lr matters less."""
    sample = draw_sample(79, trials=192)
    median = float(np.median(sample.metric))
    trials = [
        create_trial(
            params=row, distributions=DECLARED, value=value,
            state=TrialState.COMPLETE if value > median else TrialState.PRUNED,
            intermediate_values={1: value - 0.1, 2: value},
        )
        for row, value in zip(sample.rows(), sample.metric.tolist(), strict=True)
    ]  # fmt: skip
    write_study(open_journal(folder / "optuna.journal"), trials)
    truth = sample.truth(completed=96, ranking_needed=False, warning="pruned")
    return folder / "optuna.journal", truth


@case()
def optuna_infinite(folder: Path) -> tuple[Path, Truth]:
    """Four completed trials have an infinite loss; minimised."""
    sample = draw_sample(92, trials=100, scale=-0.05)
    metric = sample.metric.copy()
    metric[:4] = np.inf
    truth = sample.truth(minimize=True, best=float(sample.metric[4:].min()), completed=None)
    diverged = Sample(sample.columns, metric, sample.shares)
    study = open_journal(folder / "optuna.journal")
    write_study(study, make_trials(diverged, DECLARED), direction="minimize")
    return folder / "optuna.journal", truth


@case()
def optuna_constraints(folder: Path) -> tuple[Path, Truth]:
    """Twelve trials break a constraint, the best one among them."""
    sample = draw_sample(93, trials=108)
    trials = make_trials(sample, DECLARED)
    broken = set(np.random.default_rng(93).choice(108, 11, replace=False).tolist())
    broken.add(int(sample.metric.argmax()))
    for index, trial in enumerate(trials):
        trial.system_attrs = {"constraints": [1.0 if index in broken else -1.0]}
    write_study(open_journal(folder / "optuna.journal"), trials)
    feasible = [m for i, m in enumerate(sample.metric.tolist()) if i not in broken]
    truth = sample.truth(best=max(feasible), completed=len(feasible), warning="infeasible")
    return folder / "optuna.journal", truth


@case()
def optuna_repeats(folder: Path) -> tuple[Path, Truth]:
    """24 configurations with 4 seeds each, seed a parameter."""
    parameters = (*PARAMETERS, Parameter("seed", 0.0, choices=(0, 1, 2, 3)))
    units = np.repeat(np.random.default_rng(94).random((24, 3)), 4, axis=0)
    seeds = np.tile((np.arange(4) + 0.5) / 4, 24)
    sample = draw_sample(94, parameters=parameters, units=np.column_stack([units, seeds]))
    path, _ = write_journal(folder, sample, parameters)
    return path, sample.truth(dead=("seed",), ranking_needed=False)


@case()
def optuna_user_attributes(folder: Path) -> tuple[Path, Truth]:
    """User attributes hold a test accuracy, a duration and a note."""
    sample = draw_sample(95)
    trials = make_trials(sample, DECLARED)
    for trial in trials:
        trial.user_attrs = {"test_acc": 1.1 * (trial.value or 0), "minutes": 3.5, "note": "ok"}
    write_study(open_journal(folder / "optuna.journal"), trials)
    return folder / "optuna.journal", sample.truth(dead=("test_acc", "minutes"))


@case()
def optuna_nothing_completed(folder: Path) -> tuple[Path, Truth]:
    """All trials run or failed."""
    study = write_study(open_journal(folder / "optuna.journal"), [])
    study.add_trial(create_trial(state=TrialState.FAIL))
    for _ in range(5):
        study.ask(DECLARED)
    return folder / "optuna.journal", Truth(refusal="no completed trial.*when")


@case()
def optuna_grid(folder: Path) -> tuple[Path, Truth]:
    """GridSampler over 6 x 4 values of declared ranges, twice as many trials as cells."""
    parameters = (
        Parameter("lr", 0.7, choices=(1e-5, 6.3e-5, 4e-4, 2.5e-3, 1.6e-2, 1e-1)),
        Parameter("drop", 0.28, choices=(0.05, 0.25, 0.4, 0.6)),
    )
    cells = np.array([(i, j) for i in range(6) for j in range(4)] * 2)
    sample = draw_sample(82, parameters=parameters, units=(cells + 0.5) / [6, 4])
    ranges = {
        "lr": FloatDistribution(1e-5, 1e-1, log=True),
        "drop": FloatDistribution(0.05, 0.6),
    }
    trials = make_trials(sample, ranges)
    for index, trial in enumerate(trials):
        trial.system_attrs = {"grid_id": index % 24, "search_space": {}}
    write_study(open_journal(folder / "optuna.journal"), trials)
    return folder / "optuna.journal", sample.truth()


@case()
def optuna_tpe_multivariate(folder: Path) -> tuple[Path, Truth]:
    """Multivariate TPE, 200 trials; aug has no effect."""
    return _optimise(folder, optuna.samplers.TPESampler(seed=3, multivariate=True))


@case()
def optuna_tpe(folder: Path) -> tuple[Path, Truth]:
    """TPE, which leaves no mark in the record, 100 trials; aug has no effect."""
    return _optimise(folder, optuna.samplers.TPESampler(seed=5), trials=100)


def _optimise(
    folder: Path, sampler: optuna.samplers.BaseSampler, trials: int = 200
) -> tuple[Path, Truth]:
    """A history of an optimiser: lr and width matter around a best value, aug does not."""
    ranges = declare((LR, Parameter("width", 0.0, 8.0, 512.0), Parameter("aug", 0.0, 0.0, 1.0)))
    rng = np.random.default_rng(96)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # multivariate sampling is experimental
        study = optuna.create_study(sampler=sampler, direction="maximize")
        for _ in range(trials):
            trial = study.ask(ranges)
            of_lr, of_width = _hills(trial.params["lr"], trial.params["width"])
            study.tell(trial, float(1 + of_lr + of_width + _NOISE * rng.normal()))
    write_study(open_journal(folder / "optuna.journal"), study.trials)
    grid = np.linspace(0, 1, 100_001)  # of the priors
    variances = [float(v.var()) for v in _hills(1e-5 * 1e4**grid, 8 + 504 * grid)]
    whole = sum(variances) + _NOISE**2
    truth = Truth(
        {"lr": variances[0] / whole, "width": variances[1] / whole},
        dead=("aug",), best=study.best_value, completed=trials, ranking_needed=False,
        warning="Results decided where trials lie",
    )  # fmt: skip
    return folder / "optuna.journal", truth


def _hills(lr: FloatArray, width: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The effect of each, greatest within its range."""
    return -((np.log10(lr) + 2.5) ** 2) / 10, -(((width - 300) / 500) ** 2)
