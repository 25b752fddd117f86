"""Tables that tools export: W&B, Optuna, scikit-learn; Parquet and JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from foreign.case import Truth, case
from foreign.sample import draw_sample
from foreign.writing import write_csv


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
    columns = {
        **head,
        **sample.columns,
        "train/loss": loss,
        "epoch": [9] * 96,
        "val/acc": sample.metric.tolist(),
    }
    return write_csv(folder / "export.csv", columns), sample.truth(dead=("train/loss", "Runtime"))


@case("--metric val_acc")
def wandb_json(folder: Path) -> tuple[Path, Truth]:
    """W&B's API as JSON: a config and a summary for each run."""
    sample = draw_sample(32)
    runs: list[dict[str, Any]] = [
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
    columns: dict[str, list[Any]] = {
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
    truth = sample.truth(minimize=True, warning="--direction maximize")  # Optuna's default
    return write_csv(folder / "trials.csv", columns), truth


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
