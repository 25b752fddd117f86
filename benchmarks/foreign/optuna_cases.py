"""Storages of Optuna, SQLite and journals."""

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
    declare,
    make_trials,
    open_journal,
    open_sqlite,
    write_schema_2_10,
    write_study,
)
from foreign.sample import LR, PARAMETERS, Parameter, Sample, draw_sample

DECLARED = declare(PARAMETERS)

FloatArray = np.ndarray[Any, np.dtype[np.float64]]


@case()
def optuna_minimize(folder: Path) -> tuple[Path, Truth]:
    """SQLite, minimised: Optuna's default."""
    sample = draw_sample(71, scale=-0.05)
    path = folder / "study.db"
    write_study(open_sqlite(path), make_trials(sample, DECLARED), direction="minimize")
    return path, sample.truth(minimize=True)


@case()
def optuna_journal(folder: Path) -> tuple[Path, Truth]:
    """A journal, maximised."""
    return _journal(folder, draw_sample(72))


@case()
def optuna_2_10(folder: Path) -> tuple[Path, Truth]:
    """The schema of Optuna 2.10, with its log ranges, also of integers; minimised."""
    parameters = (
        LR,
        Parameter("units", 0.25, 8, 512, log=True, whole=True),
        PARAMETERS[2],
    )
    sample = draw_sample(73, parameters=parameters, scale=-0.05)
    trials = make_trials(sample, declare(parameters))
    path = write_schema_2_10(folder / "old.db", trials, "minimize")
    return path, sample.truth(minimize=True)


@case()
def optuna_two_studies(folder: Path) -> tuple[Path, Truth]:
    """Two studies, in which lr has opposite effects; no options."""
    path, _ = _two_studies(folder)
    return path, Truth(refusal="--study-name.*down.*96 trials")


@case("--study-name down", "")
def optuna_one_of_two_studies(folder: Path) -> tuple[Path, Truth]:
    """The same with --study-name."""
    path, sample = _two_studies(folder)
    return path, sample.truth()


@case()
def optuna_deleted_study(folder: Path) -> tuple[Path, Truth]:
    """A journal of two studies, the other of which was deleted."""
    path = folder / "optuna.journal"
    sample = draw_sample(75)
    storage = open_journal(path)
    write_study(storage, make_trials(draw_sample(76, scale=-0.5), DECLARED), "gone")
    write_study(storage, make_trials(sample, DECLARED), "here")
    optuna.delete_study(study_name="gone", storage=storage)
    return path, sample.truth()


@case()
def optuna_two_objectives(folder: Path) -> tuple[Path, Truth]:
    """Two objectives and no option."""
    path, _ = _two_objectives(folder)
    return path, Truth(refusal="--metric.*seconds")


@case("--metric seconds", "")
def optuna_second_objective(folder: Path) -> tuple[Path, Truth]:
    """The second one by --metric: it is minimised, and depends on the width alone."""
    path, seconds = _two_objectives(folder)
    best, count = float(seconds.min()), len(seconds)
    dead = ("lr", "dropout")
    return path, Truth({"width": 0.98}, dead=dead, best=best, completed=count)


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
def optuna_tpe_multivariate(folder: Path) -> tuple[Path, Truth]:
    """Multivariate TPE, 200 trials; aug has no effect."""
    return _optimise(folder, optuna.samplers.TPESampler(seed=3, multivariate=True))


@case()
def optuna_tpe(folder: Path) -> tuple[Path, Truth]:
    """TPE, which leaves no mark in the record, 100 trials; aug has no effect."""
    return _optimise(folder, optuna.samplers.TPESampler(seed=5), trials=100)


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
def optuna_branches(folder: Path) -> tuple[Path, Truth]:
    """momentum exists if the optimizer is sgd, and matters there."""
    rng = np.random.default_rng(83)
    units = rng.random((192, 2))
    sgd = rng.random(192) < 0.5
    lr, momentum = 12**0.5 * (units.T - 0.5)
    # 0.5 lr, 0.3 of the optimizer, 0.2 of momentum: 0.4 within a branch of half of the trials.
    total = 0.5**0.5 * lr + 0.3**0.5 * (2 * sgd - 1) + 0.38**0.5 * momentum * sgd
    metric = 0.7 + 0.05 * (total + 0.01**0.5 * rng.normal(size=192))
    ranges = declare((LR, Parameter("momentum", 0.0, 0.5, 0.99)))
    choice = declare((Parameter("optimizer", 0.0, choices=("adam", "sgd")),))
    trials = []
    for unit, is_sgd, value in zip(units, sgd, metric.tolist(), strict=True):
        row = {"optimizer": "sgd" if is_sgd else "adam", "lr": float(1e-5 * 1e4 ** unit[0])}
        if is_sgd:
            row["momentum"] = float(0.5 + 0.49 * unit[1])
        spaces = {name: d for name, d in (choice | ranges).items() if name in row}
        trials.append(create_trial(params=row, distributions=spaces, value=value))
    write_study(open_journal(folder / "optuna.journal"), trials)
    whole = 0.5 + 0.3 + 0.19 + 0.01
    truth = Truth(
        {"lr": 0.5 / whole, "optimizer": 0.3 / whole},
        best=float(metric.max()), completed=192, warning="momentum",
    )  # fmt: skip
    return folder / "optuna.journal", truth


@case()
def optuna_ranges_changed(folder: Path) -> tuple[Path, Truth]:
    """The range of lr was narrowed after half of the trials."""
    narrow = (Parameter("lr", 0.3, 1e-3, 1e-1, log=True), *PARAMETERS[1:])
    first, second = draw_sample(84), draw_sample(85, parameters=narrow)
    study = write_study(open_journal(folder / "optuna.journal"), make_trials(first, DECLARED))
    study.add_trials(make_trials(second, declare(narrow)))
    best = float(max(first.metric.max(), second.metric.max()))
    names = ("lr", "width", "dropout")  # their shares differ between the two halves
    truth = Truth(unknown=names, best=best, completed=192, warning="range changed")
    return folder / "optuna.journal", truth


@case()
def optuna_none_and_flags(folder: Path) -> tuple[Path, Truth]:
    """Choices of None, text, a flag and a number in one parameter."""
    norm = Parameter("norm", 0.7, choices=(None, "batch", True, 2), effects=(0, 1, 3, 4))
    parameters = (norm, Parameter("lr", 0.28, 1e-5, 1e-1, log=True))
    return _journal(folder, draw_sample(86, parameters=parameters), parameters)


@case()
def optuna_numbers_as_choices(folder: Path) -> tuple[Path, Truth]:
    """All parameters are categorical: lr out of 1e-5, 1e-4, 1e-3, 1e-2."""
    parameters = (
        Parameter("lr", 0.6, choices=(1e-5, 1e-4, 1e-3, 1e-2)),
        Parameter("batch", 0.38, choices=(256, 16, 64)),
    )
    return _journal(folder, draw_sample(87, parameters=parameters), parameters)


@case()
def optuna_single_value(folder: Path) -> tuple[Path, Truth]:
    """A range of a single value beside two that vary."""
    parameters = (*PARAMETERS, Parameter("fixed", 0.0, 3, 3, whole=True))
    sample = draw_sample(88, parameters=PARAMETERS)
    columns = {**sample.columns, "fixed": [3] * len(sample)}
    sample = Sample(columns, sample.metric, sample.shares)
    path, truth = _journal(folder, sample, parameters)
    return path, sample.truth(warning="fixed", dead=("fixed",), best=truth.best)


@case()
def optuna_names_of_ours(folder: Path) -> tuple[Path, Truth]:
    """Parameters named psnr, state, phase, seed and number."""
    shares = {"psnr": 0.4, "state": 0.25, "phase": 0.15, "seed": 0.1, "number": 0.08}
    parameters = [Parameter(name, share, 0.1, 0.9) for name, share in shares.items()]
    return _journal(folder, draw_sample(89, trials=128, parameters=parameters), parameters)


@case()
def optuna_strange_names(folder: Path) -> tuple[Path, Truth]:
    """Parameters named model/lr, "a b=c" and <i>z</i>&."""
    shares = {"model/lr": 0.6, "a b=c": 0.3, "<i>z</i>&": 0.08}
    parameters = [Parameter(name, share, 0.1, 0.9) for name, share in shares.items()]
    return _journal(folder, draw_sample(90, parameters=parameters), parameters)


@case()
def optuna_integers_and_steps(folder: Path) -> tuple[Path, Truth]:
    """A log-uniform integer and a range in steps."""
    parameters = (
        Parameter("units", 0.6, 8, 512, log=True, whole=True),
        Parameter("drop", 0.38, choices=(0.0, 0.125, 0.25, 0.375, 0.5)),
    )
    sample = draw_sample(91, parameters=parameters)
    ranges = declare(parameters[:1]) | {"drop": FloatDistribution(0.0, 0.5, step=0.125)}
    write_study(open_journal(folder / "optuna.journal"), make_trials(sample, ranges))
    return folder / "optuna.journal", sample.truth()


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
    path, _ = _journal(folder, sample, parameters)
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
    return folder / "optuna.journal", Truth(refusal="no ended trial")


def _journal(
    folder: Path, sample: Sample, parameters: tuple[Parameter, ...] | list[Parameter] = PARAMETERS
) -> tuple[Path, Truth]:
    """A journal with a maximised study of the sample."""
    path = folder / "optuna.journal"
    write_study(open_journal(path), make_trials(sample, declare(parameters)))
    return path, sample.truth()


def _two_studies(folder: Path) -> tuple[Path, Sample]:
    path = folder / "study.db"
    storage = open_sqlite(path)
    up, down = draw_sample(74), draw_sample(77, scale=-0.05)
    write_study(storage, make_trials(up, DECLARED), "up")
    write_study(storage, make_trials(down, DECLARED), "down")
    return path, down


def _two_objectives(folder: Path) -> tuple[Path, np.ndarray]:
    sample = draw_sample(80)
    slow = draw_sample(81, parameters=(Parameter("width", 0.98, choices=(32, 64, 128, 256)),))
    places = {32: 0, 64: 1, 128: 2, 256: 3}
    steps = np.array([places[width] for width in sample.columns["width"]])
    noise = np.random.default_rng(81).normal(size=len(slow))
    seconds = 60 + 10 * (0.98**0.5 * (steps - 1.5) / 1.25**0.5 + 0.02**0.5 * noise)
    study = optuna.create_study(
        storage=open_journal(folder / "optuna.journal"), directions=["maximize", "minimize"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names of metrics are experimental
        study.set_metric_names(["accuracy", "seconds"])
    for row, *values in zip(sample.rows(), sample.metric.tolist(), seconds.tolist(), strict=True):
        study.add_trial(create_trial(params=row, distributions=DECLARED, values=values))
    return folder / "optuna.journal", seconds


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
        warning="sampler|optimiser|good results",
    )  # fmt: skip
    return folder / "optuna.journal", truth


_NOISE = 0.01


def _hills(lr: FloatArray, width: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The effect of each, greatest within its range."""
    return -((np.log10(lr) + 2.5) ** 2) / 10, -(((width - 300) / 500) ** 2)
