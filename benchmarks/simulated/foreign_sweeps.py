"""Sweeps of other tools over a simulated objective, proposed by samplers that people use.

The samplers are Optuna's, asked and told in memory, ways of choosing by hand, and orders that a
script fixes (`simulated.fixed_orders`). Each proposes
quantiles of the prior, so that a sampler of uniform numbers samples the prior.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from scipy.stats import norm

from analysis.data.outcomes import add_recorded_outcomes
from analysis.data.study import Study
from analysis.surrogate.unit_cube import Axis
from simulated.fixed_orders import FIXED_ORDERS
from simulated.objective import STEPS, FloatArray, Objective
from study.records.schema import TRIAL_COLUMNS, tidy, trial_id
from study.records.study_folder import StudyFolder

_CORRELATION = 0.8  # of the first, second and fourth parameter of a correlated design
_BY_HAND_STEP = 0.1  # standard deviation of a step by hand, as quantiles

_SAMPLERS: dict[str, Callable[[int], optuna.samplers.BaseSampler]] = {
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "QMC": lambda seed: optuna.samplers.QMCSampler(seed=seed, scramble=True),
    "TPE": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "TPE, multivariate": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=True),
    "GP": lambda seed: optuna.samplers.GPSampler(seed=seed),
    "CMA-ES": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
}

SAMPLERS = (*_SAMPLERS, "correlated", "by hand", "grid", *FIXED_ORDERS)

_NEEDS = {"CMA-ES": "cmaes", "GP": "torch"}


def missing_package(sampler: str) -> str:
    """The package that a sampler needs and that is not installed; empty if none."""
    package = _NEEDS.get(sampler, "")
    return package if package and importlib.util.find_spec(package) is None else ""


def is_grid(sampler: str) -> bool:
    """Whether it lists levels, of parameters other than those that the objective needs."""
    return any(word in sampler for word in ("grid", "loops", "one at a time"))


def simulate_sweep(objective: Objective, sampler: str, trials: int, index: int) -> Study:
    """The `index`-th sweep of this size; always the same. Every trial completes."""
    return make_sweep(objective, *propose_trials(objective, sampler, trials, index))


def propose_trials(
    objective: Objective, sampler: str, trials: int, index: int
) -> tuple[FloatArray, FloatArray]:
    """(trials, axes) quantiles in the order in which they ran, and (trials,) results."""
    key = (zlib.crc32(f"{objective.name}, {sampler}".encode()), trials, index)
    rng = np.random.default_rng(key)
    if sampler in _SAMPLERS:
        return _ask_optuna(objective, sampler, trials, rng)
    if sampler == "by hand":
        return _walk_by_hand(objective, trials, rng)
    draws = {"correlated": _draw_correlated, "grid": _list_grid, **FIXED_ORDERS}
    units = objective.snap(draws[sampler](objective, trials, rng))
    return units, _measure(objective, units, rng)


def make_sweep(objective: Objective, units: FloatArray, scores: FloatArray) -> Study:
    """The study of these trials, as a reader makes it."""
    rows = [
        {
            "trial_id": trial_id(number), "number": number, "phase": "explore",
            "state": "completed", "reason": "", "seed": 0, "steps_done": STEPS,
            "budget_steps": STEPS, "train_seconds": 10.0, "psnr": score, "score": score,
            **objective.space.point(np.minimum(point, 1.0 - 1e-9).tolist()),
        }
        for number, (point, score) in enumerate(zip(units, scores, strict=True))
    ]  # fmt: skip
    dtypes: dict[str, str] = {d.path: "object" for d in objective.dimensions if d.choices}
    frame = pd.DataFrame(rows)
    if {"sampling.near", "sampling.span"} <= set(objective.paths):
        frame["sampling.far"] = frame["sampling.near"] + frame["sampling.span"]  # which span sets
        dtypes["sampling.far"] = "float64"
    for d in objective.dimensions:
        dtypes.setdefault(d.path, "int64" if d.kind == "int" else "float64")
    # A reader leaves out what never changes.
    varied = tuple(d for d in objective.dimensions if frame[d.path].nunique() > 1)
    return Study(
        folder=StudyFolder(Path("simulated")),
        name="simulated",
        created="",
        scene={},
        spec={},
        versions={},
        command=(),
        space=dataclasses.replace(objective.space, dimensions=varied),
        trials=add_recorded_outcomes(tidy(frame, TRIAL_COLUMNS | {"score": "float64"} | dtypes)),
        curves=pd.DataFrame({"trial_id": [], "step": [], "score": []}),
        source="Optuna",
    )


def _measure(objective: Objective, units: FloatArray, rng: np.random.Generator) -> FloatArray:
    return objective.mean(units) + objective.draw_noise(units, rng)


def _ask_optuna(
    objective: Objective, sampler: str, trials: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seed = int(rng.integers(2**31))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(direction="maximize", sampler=_SAMPLERS[sampler](seed))
        distributions = {axis.path: _distribution(axis) for axis in objective.axes}
        units, scores = np.empty((trials, len(objective.axes))), np.empty(trials)
        for i in range(trials):
            trial = study.ask(distributions)
            units[i] = [_to_quantile(axis, trial.params[axis.path]) for axis in objective.axes]
            scores[i] = _measure(objective, units[i][None, :], rng)[0]
            study.tell(trial, float(scores[i]))
    return units, scores


def _distribution(axis: Axis) -> BaseDistribution:
    if axis.unordered:
        return CategoricalDistribution([str(i) for i in range(len(axis.centres))])
    if 0 < len(axis.centres) <= 32:
        return IntDistribution(0, len(axis.centres) - 1)
    return FloatDistribution(0.0, 1.0)


def _to_quantile(axis: Axis, value: object) -> float:
    number = float(value)  # type: ignore[arg-type]
    if 0 < len(axis.centres) <= 32:
        return axis.centres[int(number)]
    return float(axis.snap(np.array([number]))[0])


def _draw_correlated(objective: Objective, trials: int, rng: np.random.Generator) -> FloatArray:
    latent = rng.normal(size=(trials, len(objective.axes)))
    common = rng.normal(size=trials)
    for j in (0, 1, 3):
        # sqrt(r) of a common variable gives each pair the correlation r.
        latent[:, j] = _CORRELATION**0.5 * common + (1.0 - _CORRELATION) ** 0.5 * latent[:, j]
    return objective.snap(norm.cdf(latent))


def _walk_by_hand(
    objective: Objective, trials: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """As a person does: from the best so far, move one or two parameters, at times far away."""
    d = len(objective.axes)
    units, scores = np.empty((trials, d)), np.empty(trials)
    for i in range(trials):
        point = units[int(scores[:i].argmax())].copy() if i else rng.random(d)
        for j in rng.choice(d, size=int(rng.integers(1, 3)), replace=False):
            far = rng.random() < 0.3 or objective.axes[j].unordered
            point[j] = rng.random() if far else point[j] + _BY_HAND_STEP * rng.normal()
        units[i] = objective.snap(np.clip(point, 0.0, 1.0 - 1e-9)[None, :])[0]
        scores[i] = _measure(objective, units[i][None, :], rng)[0]
    return units, scores


def _list_grid(objective: Objective, trials: int, rng: np.random.Generator) -> FloatArray:
    """`trials` cells of a grid with two or three levels of the first four parameters.

    The others stay at their middle, as grids of more do not fit a budget. All cells, each as often
    as the next one, in random order.
    """
    d = len(objective.axes)
    levels = [3, 3, 2, 2]
    cells = np.stack(np.meshgrid(*map(np.arange, levels), indexing="ij"), -1).reshape(-1, 4)
    chosen = cells[np.concatenate([rng.permutation(len(cells)) for _ in range(-(-trials // 36))])]
    units = np.full((trials, d), 0.5)
    for j in range(min(4, d)):
        units[:, j] = (chosen[:trials, j] + 0.5) / levels[j]
    return objective.snap(units)
