"""Tables whose columns are partly outcomes, names of runs, dates and other records."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

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
    more = {
        "fooble": (2 * sample.metric + 0.01 * rng.normal(size=96)).tolist(),
        "n_iter_": (100 * sample.metric).astype(int).tolist(),
    }
    path = write_csv(folder / "runs.csv", as_columns(sample, "val_acc", **more))
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
    return path, sample.truth(dead=("seed",))


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


@case("--metric val/acc")
def wandb_table_export(folder: Path) -> tuple[Path, Truth]:
    """The runs table of W&B: its records, settings, and three summaries."""
    sample = draw_sample(31)
    head = {
        "Name": [f"sweep-{i}" for i in range(96)],
        "State": ["finished"] * 96,
        "Runtime": [100 + i for i in range(96)],
        "Sweep": ["abc123"] * 96,
    }
    loss = (1 - sample.metric).tolist()
    columns = {**head, **as_columns(sample, "val/acc", **{"train/loss": loss, "epoch": [9] * 96})}
    return write_csv(folder / "export.csv", columns), sample.truth(dead=("train/loss", "Runtime"))


@case("--metric val_acc")
def wandb_json(folder: Path) -> tuple[Path, Truth]:
    """W&B's API as JSON: a config and a summary for each run."""
    sample = draw_sample(32)
    runs = [
        {
            "name": f"run-{i}",
            "state": "finished",
            "config": {"optim": {"lr": row.pop("lr")}, **row, "_wandb": {"t": i}},
            "summary": {"val_acc": metric, "loss": 1 - metric, "_step": 100 + i},
        }
        for i, (row, metric) in enumerate(zip(sample.rows(), sample.metric.tolist(), strict=True))
    ]
    path = folder / "runs.json"
    path.write_text(json.dumps(runs))
    shares = {("optim.lr" if n == "lr" else n): s for n, s in sample.shares.items()}
    return path, sample.truth(shares=shares, dead=("loss", "_step"))


@case("--metric val_acc")
def wandb_api_example(folder: Path) -> tuple[Path, Truth]:
    """The CSV of W&B's own example: columns summary and config of Python dicts."""
    sample = draw_sample(33)
    columns = {
        "summary": [{"val_acc": m, "_runtime": 5} for m in sample.metric.tolist()],
        "config": sample.rows(),
        "name": [f"run-{i}" for i in range(96)],
    }
    return write_csv(folder / "project.csv", columns), sample.truth()


@case("--metric loss", "--metric loss --lower-is-better")
def wandb_chart_export(folder: Path) -> tuple[Path, Truth]:
    """The data of a W&B chart: no settings in it at all."""
    columns: dict[str, list[float]] = {"Step": list(range(20))}
    for run in ("a", "b"):
        for suffix in ("", "__MIN", "__MAX"):
            columns[f"{run} - loss{suffix}"] = [1 / (1 + step) for step in range(20)]
    return write_csv(folder / "chart.csv", columns), Truth(refusal="runs table")


@case("", "--metric value")
def optuna_data_frame(folder: Path) -> tuple[Path, Truth]:
    """study.trials_dataframe() as CSV: value and params_*; Optuna's direction is not in it."""
    sample = draw_sample(34)
    columns = {
        "number": list(range(96)),
        "value": sample.metric.tolist(),
        "datetime_start": [f"2024-01-01 10:{i % 60:02d}:00" for i in range(96)],
        "duration": [f"0 days 00:00:{i % 60:02d}" for i in range(96)],
        **{f"params_{name}": values for name, values in sample.columns.items()},
        "state": ["COMPLETE"] * 96,
    }
    return write_csv(folder / "trials.csv", columns), sample.truth(warning="--direction minimize")


@case("", "--metric mean_test_score")
def scikit_learn_results(folder: Path) -> tuple[Path, Truth]:
    """cv_results_ of RandomizedSearchCV: param_*, split scores, ranks."""
    sample = draw_sample(35)
    columns = {
        "mean_fit_time": [0.1] * 96,
        **{f"param_{name}": values for name, values in sample.columns.items()},
        "params": [str(row) for row in sample.rows()],
        "split0_test_score": (sample.metric - 0.01).tolist(),
        "split1_test_score": (sample.metric + 0.01).tolist(),
        "mean_test_score": sample.metric.tolist(),
        "std_test_score": [0.01] * 96,
        "rank_test_score": np.argsort(np.argsort(-sample.metric)).tolist(),
    }
    return write_csv(folder / "cv.csv", columns), sample.truth(dead=("split0_test_score",))


@case("--metric accuracy")
def parquet(folder: Path) -> tuple[Path, Truth]:
    """A Parquet file with a nested config."""
    sample = draw_sample(36)
    records = [
        {"config": row, "accuracy": metric}
        for row, metric in zip(sample.rows(), sample.metric.tolist(), strict=True)
    ]
    path = folder / "runs.parquet"
    pd.DataFrame(records).to_parquet(path)
    return path, sample.truth()


@case("--metric accuracy")
def json_lines_cut_off(folder: Path) -> tuple[Path, Truth]:
    """A record a line; the last one is cut off."""
    sample = draw_sample(37, trials=97)
    rows = zip(sample.rows(), sample.metric.tolist(), strict=True)
    lines = [json.dumps({**row, "accuracy": metric}) for row, metric in rows]
    path = folder / "runs.jsonl"
    path.write_text("\n".join(lines)[:-30])
    best = float(sample.metric[:-1].max())
    return path, sample.truth(best=best, completed=96, warning="1 line")


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
