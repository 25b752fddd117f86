"""Trials chosen in several ways, over a rate, a width and an optimizer; the width has no effect."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.data.metric import Metric
from analysis.data.outcomes import add_recorded_outcomes
from analysis.data.study import Study
from analysis.stats.intervals import FloatArray
from analysis.surrogate.unit_cube import to_quantiles
from study.records.schema import TRIAL_COLUMNS, tidy, trial_id
from study.records.study_folder import StudyFolder
from study.spec.dimension import Dimension
from study.spec.space import Space

DIMENSIONS = (
    Dimension("lr", "float", 1e-5, 1e-1, True, label="lr"),
    Dimension("width", "int", 16, 256, label="width"),
    Dimension("optimizer", "choice", choices=("adam", "sgd"), label="optimizer"),
)
_NOISE = 0.1


def distance_from_best(units: FloatArray) -> FloatArray:
    """(...,) loss at quantiles (..., 3): of the rate's distance from its middle, and of sgd."""
    result: FloatArray = 4.0 * (units[..., 0] - 0.5) ** 2 + 0.5 * (units[..., 2] > 0.5)
    return result


def walk_table(trials: int, seed: int = 0) -> pd.DataFrame:
    """Trials of which the first third is random, and others are steps from the best so far."""
    rng = np.random.default_rng((seed, 2))
    units = rng.random((trials, 3))
    for i in range(trials // 3, trials):
        scores = _noise(trials, seed)[:i] - distance_from_best(units[:i])
        near = units[int(scores.argmax())] + 0.08 * rng.normal(size=3)
        units[i] = np.clip(near, 0.0, 1.0 - 1e-9)
    return make_table(units, seed)


def correlated_units(trials: int, seed: int = 0) -> FloatArray:
    """(trials, 3) of which the rate and the width move together."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(trials, 3))
    latent[:, 1] = 0.9 * latent[:, 0] + np.sqrt(1.0 - 0.9**2) * latent[:, 1]
    return np.asarray(norm.cdf(latent))


def make_table(units: FloatArray, seed: int = 0) -> pd.DataFrame:
    """The trials at these quantiles in their order, with noisy scores."""
    points = pd.DataFrame([Space(DIMENSIONS).point(row.tolist()) for row in units])
    scores = _noise(len(units), seed) - distance_from_best(to_quantiles(points, DIMENSIONS))
    return points.assign(number=range(len(units)), score=scores, state="completed")


def _noise(trials: int, seed: int) -> FloatArray:
    return np.asarray(_NOISE * np.random.default_rng((seed, 1)).normal(size=trials))


def make_study(table: pd.DataFrame) -> Study:
    """The study of these trials, as a reader makes it before its design is known."""
    frame = table.assign(
        trial_id=[trial_id(number) for number in table["number"]],
        phase="explore",
        reason="",
        seed=0,
        steps_done=1,
        budget_steps=1,
    )
    dtypes = {"lr": "float64", "width": "int64", "optimizer": "object", "score": "float64"}
    return Study(
        folder=StudyFolder(Path("sweep-report")),
        name="sweep",
        created="",
        scene={},
        spec={},
        versions={},
        command=(),
        space=Space(DIMENSIONS),
        trials=add_recorded_outcomes(tidy(frame, TRIAL_COLUMNS | dtypes)),
        curves=pd.DataFrame({"trial_id": [], "step": [], "score": []}),
        metric=Metric("accuracy"),
        source="CSV",
    )
