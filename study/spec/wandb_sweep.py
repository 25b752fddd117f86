"""A W&B sweep.yaml as the options of a study, with notes on how each part of it was read.

Every key has W&B's meaning, or is refused, or is named in a note. Nothing is silently ignored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError, closest
from study.spec.parse_space import parse_dimension
from study.spec.study_spec import StudySpec
from study.spec.wandb_entry import SweepParameters
from study.spec.wandb_metric import read_metric
from study.spec.wandb_parameters import read_parameters
from study.trainers.parameter_set import ParameterSet

_METHODS = ("grid", "random", "bayes")
_USED = ("method", "metric", "name", "parameters", "run_cap", "early_terminate")
_UNUSED = (
    "program",
    "command",
    "project",
    "entity",
    "description",
    "controller",
    "job",
    "image_uri",
    "apiVersion",
    "kind",
)
_REFUSED = {
    "metrics": "write metric: {name: psnr, goal: maximize}, and name others by --metric",
    "scheduler": "other schedulers cannot be used here; remove it and write method: bayes",
}
_HYPERBAND_KEYS = ("type", "min_iter", "max_iter", "s", "eta", "strict")

_TRIALS = StudySpec.explore + StudySpec.optimize
"""Trials of a sweep without run_cap, which W&B would run until somebody stops it."""


def read_wandb_sweep(
    file: Path, sweep: Mapping[Any, Any], trainer_parameters: ParameterSet
) -> dict[str, Any]:
    """A sweep as options of a study, with `notes`; raises `InputError` with file and key."""
    _check_keys(file, sweep)
    method = _read_method(file, sweep)
    metric = read_metric(file, method, sweep, trainer_parameters.is_nerf)
    table, is_grid = sweep.get("parameters"), method == "grid"
    parameters = read_parameters(file, table, is_grid, trainer_parameters)
    budget, notes = _read_budget(file, method, sweep, parameters, trainer_parameters)
    notes += _read_early_terminate(file, method, sweep)
    notes += parameters.notes
    if method == "bayes" and any("*" in text for text in parameters.vary):
        notes.append("probabilities hold for explored trials; TPE does not take them")
    unused = [key for key in sweep if key in _UNUSED]
    unused += [f"metric.{key}" for key in sweep.get("metric") or () if key.startswith("impute")]
    if unused:
        notes.append(f"not used here: {', '.join(unused)}")
    return {
        **_read_name(file, sweep),
        **metric,
        **budget,
        **parameters.own,
        "vary": parameters.vary,
        "set": parameters.set,
        "notes": [f"{file.name}: {note}" for note in notes],
    }


def _check_keys(file: Path, sweep: Mapping[Any, Any]) -> None:
    for key in sweep:
        if key in _REFUSED:
            raise InputError(f"{file}: {key}: {_REFUSED[key]}")
        if key not in (*_USED, *_UNUSED):
            hint = closest(str(key), [*_USED, *_UNUSED])
            raise InputError(f"{file}: unknown key {key!r} of a W&B sweep{hint}")


def _read_method(file: Path, sweep: Mapping[Any, Any]) -> str:
    method = sweep.get("method")
    if method not in _METHODS:
        got = "it is missing" if method is None else f"got {method!r}"
        hint = closest(str(method), list(_METHODS)) if method is not None else ""
        raise InputError(f"{file}: method must be grid, random or bayes; {got}{hint}")
    return str(method)


def _read_name(file: Path, sweep: Mapping[Any, Any]) -> dict[str, str]:
    if "name" not in sweep:
        return {}
    name = sweep["name"]
    if not isinstance(name, str | int) or Path(str(name)).name != str(name):
        raise InputError(f"{file}: name must be a plain folder name here, got {name!r}")
    return {"name": str(name)}


def _read_budget(
    file: Path,
    method: str,
    sweep: Mapping[Any, Any],
    parameters: SweepParameters,
    trainer_parameters: ParameterSet,
) -> tuple[dict[str, Any], list[str]]:
    """Trials of each phase, and notes that say so."""
    cap = sweep.get("run_cap")
    if "run_cap" in sweep and (not isinstance(cap, int) or isinstance(cap, bool) or cap < 1):
        raise InputError(f"{file}: run_cap must be a whole number of at least 1, got {cap!r}")
    if method == "grid":
        size = math.prod(parse_dimension(t, trainer_parameters).levels for t in parameters.vary)
        return _read_grid(cap, size)
    trials = cap or _TRIALS
    explore = _explored_before_tpe(trials) if method == "bayes" else trials
    budget: dict[str, Any] = {"explore": explore, "optimize": trials - explore, "replicates": 0}
    phases = f"explore = {explore}, optimize = {trials - explore}, replicates = 0"
    if method == "random":
        budget["design"], phases = "random", f"design = random, {phases}"
    limit = f"run_cap {cap}" if cap else "no run_cap, which W&B would run until it is stopped,"
    notes = [f"method {method} with {limit} is {phases}"]
    if method == "bayes":
        notes.append("explored trials are points of a Sobol' design, not independent draws")
    if budget["optimize"]:
        notes.append("the first of the optimised trials is the default configuration")
    return budget, notes


def _explored_before_tpe(trials: int) -> int:
    """A quarter of the trials, at least 8 of them, but no more than half (rounded up)."""
    return min(max(8, trials // 4), -(-trials // 2))


def _read_grid(cap: int | None, size: int) -> tuple[dict[str, Any], list[str]]:
    budget: dict[str, Any] = {"design": "grid", "optimize": 0, "replicates": 0}
    if cap is None or cap >= size:
        phases = "optimize = 0, replicates = 0"
        return budget, [f"method grid is design = grid, {phases}: the {size} cells, each once"]
    phases = f"explore = {cap}, optimize = 0, replicates = 0"
    note = f"method grid with run_cap {cap} is design = grid, {phases}"
    return {**budget, "explore": cap}, [f"{note}: the first {cap} of {size} cells"]


def _read_early_terminate(file: Path, method: str, sweep: Mapping[Any, Any]) -> list[str]:
    """Notes on W&B's hyperband beside the successive halving that studies have."""
    if "early_terminate" not in sweep:
        if method != "bayes":
            return []
        return [
            "no early_terminate, but optimised trials are stopped early here all the same, by "
            "successive halving"
        ]
    entry = sweep["early_terminate"]
    _check_hyperband(file, entry)
    ignored = ", ".join(key for key in entry if key != "type")
    if method != "bayes":
        return [
            f"early_terminate stops none of these trials: method {method} explores, and explored "
            "trials always run their full budget here"
        ]
    return [
        "early_terminate is successive halving here: at about 1/9 and 1/3 of the budget the best "
        f"third of optimised trials goes on, explored ones run to the end; not used: {ignored}"
    ]


def _check_hyperband(file: Path, entry: Any) -> None:
    where = f"{file}: early_terminate"
    if not isinstance(entry, dict):
        raise InputError(
            f"{where} must be a table like {{type: hyperband, min_iter: 3}}, got {entry!r}"
        )
    for key in entry:
        if key not in _HYPERBAND_KEYS:
            raise InputError(
                f"{where}.{key}: unknown key{closest(str(key), list(_HYPERBAND_KEYS))}"
            )
    if entry.get("type") != "hyperband":
        raise InputError(f"{where}.type must be hyperband, got {entry.get('type')!r}")
    if "min_iter" not in entry and not {"max_iter", "s"} <= entry.keys():
        raise InputError(f"{where} needs min_iter, or max_iter and s")
    for key, least in (("min_iter", 1), ("max_iter", 1), ("s", 1), ("eta", 1.000001)):
        value = entry.get(key, least)
        if not isinstance(value, int | float) or isinstance(value, bool) or value < least:
            bound = "above 1" if key == "eta" else "of at least 1"
            raise InputError(f"{where}.{key} must be a number {bound}, got {value!r}")
    if not isinstance(entry.get("strict", True), bool):
        raise InputError(f"{where}.strict must be true or false, got {entry['strict']!r}")
