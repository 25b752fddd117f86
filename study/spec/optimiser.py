"""The names of samplers and pruners of the optimise phase, and what a study needs for each."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from nerf.common.errors import InputError
from study.spec.dimension import Dimension

SAMPLERS: Mapping[str, str] = {
    "tpe": "Optuna's TPE, which takes numbers and choices alike and learns from trials that were "
    "stopped early, too",
    "gp": "Optuna's Gaussian process, for few parameters and trials that are dear; it learns from "
    "trials of the full budget only",
    "cmaes": "Optuna's CMA-ES, for numbers alone and a hundred trials or more",
    "random": "points drawn without regard to results, to compare the others with",
}
"""What proposes the configurations of the optimise phase; the first is the default."""

PRUNERS: Mapping[str, str] = {
    "halving": "our asynchronous successive halving, which lets the best third go on at 1/9 and "
    "1/3 of the budget and compares with explored trials, too, so that it can stop the very first",
    "median": "Optuna's median rule at each ninth, from five completed trials on",
    "hyperband": "Optuna's Hyperband, which halves in brackets, among optimised trials alone",
    "none": "every trial runs to its end",
}
"""What stops optimised trials early; the first is the default."""

_AUTO = (
    "--sampler auto is OptunaHub's AutoSampler, which Optuna itself does not contain and would "
    "download and run at each launch; choose one of {}"
)


def check_sampler(name: str) -> None:
    """Raises `InputError` for `auto`, which no launch without a network could run again."""
    if name == "auto":
        raise InputError(_AUTO.format(", ".join(SAMPLERS)))


def require_sampler(name: str) -> None:
    """Raises `InputError` where the package of a sampler is missing."""
    if name == "cmaes" and importlib.util.find_spec("cmaes") is None:
        raise InputError(
            "--sampler cmaes needs the package cmaes, which is not installed; "
            "pip install -e '.[cmaes]'"
        )


def describe_limits(name: str, dimensions: tuple[Dimension, ...]) -> str:
    """What a sampler does not model of these parameters; empty if it models all."""
    models = {"gp": "the Gaussian process models what", "cmaes": "CMA-ES models numbers that"}
    left = [d.path for d in dimensions if d.when or (name == "cmaes" and d.choices)]
    if name not in models or not left:
        return ""
    return f"{models[name]} every trial has: {', '.join(left)} will be drawn at random"
