"""Tables whose columns are partly outcomes, names of runs, dates and other records."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from foreign.case import Truth, case
from foreign.sample import LR, PARAMETERS, Parameter, Sample, draw_sample
from foreign.writing import as_columns, write_csv


@case("", "--metric psnr")
def outcomes_without_a_metric(folder: Path) -> tuple[Path, Truth]:
    """Five outcomes and no word which one counts; no options."""
    sample = draw_sample(21)
    return write_csv(folder / "runs.csv", _with_outcomes(sample)), Truth(refusal="--metric")


@case("--metric val_acc")
def outcomes_and_a_metric(folder: Path) -> tuple[Path, Truth]:
    """train_loss, val_loss, best_val_acc and epoch go with the metric val_acc."""
    sample = draw_sample(21)
    path = write_csv(folder / "runs.csv", _with_outcomes(sample))
    return path, sample.truth(dead=("train_loss", "val_loss", "best_val_acc", "epoch"))


@case("--metric val_acc")
def outcomes_of_unknown_names(folder: Path) -> tuple[Path, Truth]:
    """Outcomes that nobody can tell by name: fooble and n_iter_."""
    sample = draw_sample(22)
    rng = np.random.default_rng(22)
    more: dict[str, list[Any]] = {
        "fooble": (2 * sample.metric + 0.01 * rng.normal(size=96)).tolist(),
        "n_iter_": (100 * sample.metric).astype(int).tolist(),
    }
    columns = {**sample.columns, **more, "val_acc": sample.metric.tolist()}
    path = write_csv(folder / "runs.csv", columns)
    return path, sample.truth(dead=("fooble", "n_iter_"), warning="fooble", ranking_needed=False)


@case("--metric val_acc --ignore fooble,n_iter_", "--metric val_acc")
def outcomes_ignored_by_option(folder: Path) -> tuple[Path, Truth]:
    """The same, left out by --ignore."""
    path, truth = outcomes_of_unknown_names(folder)
    return path, replace(truth, warning="")


@case("--metric accuracy")
def epochs_as_a_setting(folder: Path) -> tuple[Path, Truth]:
    """epochs of 10, 20 or 40 were chosen."""
    parameters = (LR, Parameter("epochs", 0.38, choices=(10, 20, 40)))
    sample = draw_sample(23, parameters=parameters)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case("--metric accuracy --parameters lr,width,dropout,epoch", "--metric accuracy")
def epoch_named_as_a_setting(folder: Path) -> tuple[Path, Truth]:
    """A column epoch that was chosen, named by --parameters."""
    parameters = (*PARAMETERS[:1], Parameter("epoch", 0.25, choices=(10, 20, 40)), PARAMETERS[2])
    sample = draw_sample(24, parameters=parameters)
    columns = as_columns(sample, width=[64] * 96)
    return write_csv(folder / "runs.csv", columns), sample.truth()


@case("--metric accuracy")
def epochs_of_early_stopping(folder: Path) -> tuple[Path, Truth]:
    """Better runs trained longer: the column epoch is an outcome."""
    sample = draw_sample(25)
    epoch = np.round(20 + 200 * (sample.metric - sample.metric.min())).astype(int)
    path = write_csv(folder / "runs.csv", as_columns(sample, epoch=epoch.tolist()))
    return path, sample.truth(dead=("epoch",))


@case("--metric accuracy")
def size_of_the_model(folder: Path) -> tuple[Path, Truth]:
    """n_params follows from the width, and time from both."""
    sample = draw_sample(26)
    sizes = [width**2 for width in sample.columns["width"]]
    more = {"n_params": sizes, "train_time": [size / 7 for size in sizes]}
    path = write_csv(folder / "runs.csv", as_columns(sample, **more))
    return path, sample.truth(dead=("n_params", "train_time"))


@case("--metric accuracy")
def records_of_a_tracker(folder: Path) -> tuple[Path, Truth]:
    """Names, hosts, dates, links, commits, a user and a constant."""
    sample = draw_sample(27)
    more = {
        "Name": [f"run-{i}" for i in range(96)],
        "State": ["finished"] * 96,
        "Created": [f"2024-03-{1 + i % 28:02d}T10:00:00Z" for i in range(96)],
        "hostname": [f"node{i % 4}" for i in range(96)],
        "url": [f"https://example.org/{i}" for i in range(96)],
        "git_commit": [f"{i % 3}a1b2c3d4" for i in range(96)],
        "dataset": ["cifar"] * 96,
    }
    columns = {**more, **as_columns(sample)}
    return write_csv(folder / "runs.csv", columns), sample.truth(dead=("hostname", "git_commit"))


@case("--metric accuracy")
def seeds_and_repeats(folder: Path) -> tuple[Path, Truth]:
    """24 configurations with 4 seeds each; the noise between seeds is 30 %."""
    parameters = (
        Parameter("lr", 0.5, 1e-5, 1e-1, log=True),
        Parameter("width", 0.2, choices=(32, 64, 128, 256)),
    )
    units = np.repeat(np.random.default_rng(28).random((24, 2)), 4, axis=0)
    sample = draw_sample(28, parameters=parameters, units=units)
    path = write_csv(folder / "runs.csv", as_columns(sample, seed=[0, 1, 2, 3] * 24))
    # A configuration counts once, with the mean of four seeds: a quarter of the noise's variance.
    means = sample.metric.reshape(24, 4).mean(axis=1)
    whole = 0.7 + 0.3 / 4
    shares = {name: share / whole for name, share in sample.shares.items()}
    truth = sample.truth(dead=("seed",), best=float(means.max()), completed=24, shares=shares)
    return path, truth


@case("--metric accuracy")
def numbered_categories(folder: Path) -> tuple[Path, Truth]:
    """An optimizer as 0, 1, 2, 3, of which 0 and 3 are alike."""
    optimizer = Parameter("optimizer", 0.5, choices=(0, 1, 2, 3), effects=(0, 2, 3, 0.2))
    sample = draw_sample(29, parameters=(optimizer, Parameter("lr", 0.48, 1e-5, 1e-1, log=True)))
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case("--metric loss", "--metric loss --lower-is-better")
def histories(folder: Path) -> tuple[Path, Truth]:
    """Ten rows for each of 96 runs, one for each step."""
    sample = draw_sample(30, centre=0.5, scale=-0.05)
    frame = pd.DataFrame({"run": [f"r{i:02d}" for i in range(96)], **as_columns(sample, "loss")})
    steps = pd.concat([frame.assign(step=s, loss=frame["loss"] + 1 / s) for s in range(1, 11)])
    last = {"loss": sample.metric + 0.1}
    path = folder / "history.csv"
    steps.sort_values(["run", "step"]).to_csv(path, index=False)
    return path, sample.truth(best=float(last["loss"].min()))


@case("--metric rmse", "--metric rmse --lower-is-better")
def direction_by_name(folder: Path) -> tuple[Path, Truth]:
    """An rmse: lower is better by its name."""
    sample = draw_sample(38, centre=2.0, scale=-0.2)
    return write_csv(folder / "runs.csv", as_columns(sample, "rmse")), sample.truth(minimize=True)


@case("--metric quuxness --direction minimize", "--metric quuxness --lower-is-better")
def direction_by_option(folder: Path) -> tuple[Path, Truth]:
    """A metric of unknown name, to be minimised."""
    sample = draw_sample(39, centre=2.0, scale=-0.2)
    columns = as_columns(sample, "quuxness")
    return write_csv(folder / "runs.csv", columns), sample.truth(minimize=True)


@case("--metric quuxness")
def direction_unknown(folder: Path) -> tuple[Path, Truth]:
    """The same without --direction: what was assumed has to be listed."""
    sample = draw_sample(39, centre=2.0, scale=-0.2)
    columns = as_columns(sample, "quuxness")
    return write_csv(folder / "runs.csv", columns), sample.truth(warning="--direction minimize")


def _with_outcomes(sample: Sample) -> dict[str, list[float]]:
    rng = np.random.default_rng(20)
    loss = 1 - sample.metric
    more = {
        "train_loss": (loss + 0.002 * rng.normal(size=96)).tolist(),
        "val_loss": (loss + 0.005 * rng.normal(size=96)).tolist(),
        "best_val_acc": (sample.metric + 0.001).tolist(),
        "epoch": (50 + 100 * sample.metric).astype(int).tolist(),
    }
    return as_columns(sample, "val_acc", **more)
