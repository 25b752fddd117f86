"""Builds studies as if read from another tool's sweep, with any metric and direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.assumption import Assumption
from analysis.data.metric import Metric
from analysis.data.outcomes import add_recorded_outcomes
from analysis.data.study import Study
from nerf.config.parameters import Value
from study.records.schema import CURVE_COLUMNS, TRIAL_COLUMNS, tidy, trial_id
from study.records.study_folder import StudyFolder
from study.spec.space import Dimension, Space

VAL_LOSS = Metric("val_loss", minimize=True)
ACCURACY = Metric("accuracy", "%")

DIMENSIONS = (
    Dimension("lr", "float", 1e-5, 1e-1, True, label="lr"),
    Dimension("optimizer", "choice", choices=("adam", "sgd"), label="optimizer"),
    Dimension("width", "int", 16, 256, label="width"),
)
STEPS = 9
ASSUMED = (
    Assumption("lower val_loss is better (by its name)", "--direction maximize"),
    Assumption(
        "lr is uniform in its logarithm from 1e-05 to 0.1",
        "--prior lr=1e-05:0.1",
        "read the other way, the headline stays: lr 80 % [70, 90]",
    ),
    Assumption("every trial is one run"),
)


def distance_from_best(values: Mapping[str, Value]) -> float:
    """At least 0: squared decades of lr from 1e-3, and 0.3 for sgd; width has no effect."""
    decades = np.log10(float(values["lr"])) + 3.0
    return float(0.5 * decades**2 + 0.3 * (values["optimizer"] == "sgd"))


def val_loss(values: Mapping[str, Value]) -> float:
    """A validation loss from 0.1 up, lowest at an lr of 1e-3 with adam."""
    return 0.1 + 0.2 * distance_from_best(values)


def accuracy(values: Mapping[str, Value]) -> float:
    """An accuracy in per cent up to 92, highest at an lr of 1e-3 with adam."""
    return 92.0 - 10.0 * distance_from_best(values)


def make_foreign_study(
    folder: Path,
    metric: Metric = VAL_LOSS,
    objective: Callable[[Mapping[str, Value]], float] = val_loss,
    *,
    trials: int = 64,
    noise: float = 0.05,
    repeats: int = 0,
    pruned: int = 4,
    failed: int = 2,
    not_finite: int = 1,
    seconds: bool = False,
    curves: bool = True,
    name: str = "sweep.db",
    seed: int = 0,
) -> Study:
    """A sweep of uniformly drawn trials whose metric is `objective` plus noise.

    noise: standard deviation as a part of that of the objective; repeats: trials that run the first
    configurations again
    pruned, failed, not_finite: how many of the last trials were pruned at a third of their steps,
    failed without a value, or completed with NaN
    seconds, curves: whether the record has durations, and values on the way
    """
    rng = np.random.default_rng(seed)
    space = Space(DIMENSIONS)
    units = rng.random((trials, len(DIMENSIONS)))
    units = np.concatenate([units, units[:repeats]])
    points = [space.point(row.tolist()) for row in units]
    clean = np.array([objective(point) for point in points])
    noisy = clean + noise * clean.std() * rng.normal(size=len(clean))
    rows, reported = [], []
    for number, (point, value) in enumerate(zip(points, noisy, strict=True)):
        left = trials - number  # repeats, of which all complete, have none left
        state = "failed" if 0 < left <= failed else "completed"
        if failed < left <= failed + pruned:
            state = "pruned"
        if state == "failed" or failed + pruned < left <= failed + pruned + not_finite:
            value = float("nan")
        done = STEPS if state == "completed" else STEPS // 3
        rows.append({
            "trial_id": trial_id(number), "number": number, "phase": "explore", "state": state,
            "reason": "out of memory" if state == "failed" else "", "seed": 0, "steps_done": done,
            "budget_steps": STEPS, "train_seconds": 60.0 + number if seconds else float("nan"),
            "score": metric.values(float(value)), **point,
        })  # fmt: skip
        # Far from the end every trial is worse by half of the whole spread, whichever way that is.
        worse = (1.0 if metric.minimize else -1.0) * 0.5 * float(np.ptp(clean))
        reported += [
            {
                "trial_id": trial_id(number),
                "step": step,
                "score": metric.values(float(value + worse * (1.0 - step / STEPS))),
            }
            for step in range(1, done + 1)
            if curves and np.isfinite(value)
        ]
    kinds = {"lr": "float64", "optimizer": "object", "width": "int64"}
    dtypes = TRIAL_COLUMNS | {"score": "float64"} | kinds
    return Study(
        folder=StudyFolder(folder / f"{name}-report"),
        name=name,
        created="",
        scene={},
        spec={},
        versions={},
        command=(),
        space=space,
        trials=add_recorded_outcomes(tidy(pd.DataFrame(rows), dtypes)),
        curves=tidy(pd.DataFrame(reported), CURVE_COLUMNS | {"score": "float64"}),
        metric=metric,
        source="Optuna",
        assumed=ASSUMED,
        left_out=("3 trials that have not ended",),
    )
