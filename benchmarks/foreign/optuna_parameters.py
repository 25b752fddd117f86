"""Storages of Optuna by their parameters: choices, names, branches and changing ranges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

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
    """The range of lr was narrowed to its upper half after half of the trials."""
    units = np.random.default_rng(84).random((192, 3))
    units[96:, 0] = 0.5 + units[96:, 0] / 2
    sample = draw_sample(84, units=units)
    narrow = declare((Parameter("lr", 0.0, 1e-3, 1e-1, log=True), *PARAMETERS[1:]))
    trials = [
        create_trial(params=row, distributions=narrow if i >= 96 else DECLARED, value=value)
        for i, (row, value) in enumerate(zip(sample.rows(), sample.metric.tolist(), strict=True))
    ]
    write_study(open_journal(folder / "optuna.journal"), trials)
    return folder / "optuna.journal", sample.truth(warning="range changed")


@case()
def optuna_none_and_flags(folder: Path) -> tuple[Path, Truth]:
    """Choices of None, text, a flag and a number in one parameter."""
    norm = Parameter("norm", 0.7, choices=(None, "batch", True, 2), effects=(0, 1, 3, 4))
    parameters = (norm, Parameter("lr", 0.28, 1e-5, 1e-1, log=True))
    return write_journal(folder, draw_sample(86, parameters=parameters), parameters)


@case()
def optuna_numbers_as_choices(folder: Path) -> tuple[Path, Truth]:
    """All parameters are categorical: lr out of 1e-5, 1e-4, 1e-3, 1e-2."""
    parameters = (
        Parameter("lr", 0.6, choices=(1e-5, 1e-4, 1e-3, 1e-2)),
        Parameter("batch", 0.38, choices=(256, 16, 64)),
    )
    return write_journal(folder, draw_sample(87, parameters=parameters), parameters)


@case()
def optuna_single_value(folder: Path) -> tuple[Path, Truth]:
    """A range of a single value beside two that vary."""
    parameters = (*PARAMETERS, Parameter("fixed", 0.0, 3, 3, whole=True))
    sample = draw_sample(88, parameters=PARAMETERS)
    columns = {**sample.columns, "fixed": [3] * len(sample)}
    sample = Sample(columns, sample.metric, sample.shares)
    path, truth = write_journal(folder, sample, parameters)
    return path, sample.truth(warning="fixed", dead=("fixed",), best=truth.best)


@case()
def optuna_names_of_ours(folder: Path) -> tuple[Path, Truth]:
    """Parameters named psnr, state, phase, seed and number."""
    shares = {"psnr": 0.4, "state": 0.25, "phase": 0.15, "seed": 0.1, "number": 0.08}
    parameters = [Parameter(name, share, 0.1, 0.9) for name, share in shares.items()]
    return write_journal(folder, draw_sample(89, trials=128, parameters=parameters), parameters)


@case()
def optuna_strange_names(folder: Path) -> tuple[Path, Truth]:
    """Parameters named model/lr, "a b=c" and <i>z</i>&."""
    shares = {"model/lr": 0.6, "a b=c": 0.3, "<i>z</i>&": 0.08}
    parameters = [Parameter(name, share, 0.1, 0.9) for name, share in shares.items()]
    return write_journal(folder, draw_sample(90, parameters=parameters), parameters)


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
