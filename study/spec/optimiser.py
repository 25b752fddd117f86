"""The names of samplers and pruners of the optimise phase, and what a study needs for each."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from nerf.common.errors import InputError
from study.spec.dimension import Dimension

SAMPLERS: Mapping[str, str] = {
    "tpe": "Optuna's TPE, which handles numbers and choices alike and also learns from trials that "
    "were stopped early",
    "gp": "Optuna's Gaussian process, for few parameters and expensive trials; it learns only from "
    "trials with the full budget",
    "cmaes": "Optuna's CMA-ES, for numbers only, and for a hundred trials or more",
    "random": "random draws, a baseline for the others",
}
"""What proposes the configurations of the optimise phase; the first is the default."""

PRUNERS: Mapping[str, str] = {
    "halving": "asynchronous successive halving, which continues the best third at 1/9 and 1/3 of "
    "the budget; it compares with explored trials too, so it can stop even the first optimised one",
    "median": "Optuna's median rule at each ninth, from five completed trials on",
    "hyperband": "Optuna's Hyperband, which halves in brackets, among optimised trials only",
    "none": "every trial gets its full budget",
}
"""What stops optimised trials early; the first is the default."""

_AUTO = (
    "--sampler auto is OptunaHub's AutoSampler, which is not part of Optuna and would be "
    "downloaded at each launch; choose one of {}"
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
