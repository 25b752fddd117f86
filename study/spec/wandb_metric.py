"""The `metric` of a W&B sweep.yaml as the metric of a study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError, closest
from study.trainers.objective import PSNR
from study.trainers.parse_objectives import parse_objectives

_KEYS = ("name", "goal", "impute", "impute_while_running")
_DIRECTIONS = {"maximize": "max", "minimize": "min"}
_EXAMPLE = "metric: {name: psnr, goal: maximize}"


def read_metric(
    file: Path, method: str, sweep: Mapping[Any, Any], is_nerf: bool
) -> dict[str, tuple[str]]:
    """The option `metric`, if the sweep has one; raises `InputError` with file and key."""
    if "metric" not in sweep:
        if method == "bayes" or "early_terminate" in sweep:
            needs = "method bayes" if method == "bayes" else "early_terminate"
            raise InputError(f"{file}: metric is missing, which {needs} needs; write {_EXAMPLE}")
        return {}
    metric = sweep["metric"]
    if not isinstance(metric, dict):
        raise InputError(f"{file}: metric must be a table, got {metric!r}; write {_EXAMPLE}")
    for key in metric:
        if key == "target":
            raise InputError(f"{file}: metric.target: studies do not stop at a target; remove it")
        if key not in _KEYS:
            raise InputError(f"{file}: metric.{key}: unknown key{closest(str(key), list(_KEYS))}")
    name, goal = metric.get("name"), metric.get("goal", "minimize")  # as W&B takes it
    if not isinstance(name, str) or not name:
        raise InputError(f"{file}: metric.name must be the name of a metric, got {name!r}")
    if not isinstance(goal, str) or goal not in _DIRECTIONS:
        raise InputError(f"{file}: metric.goal must be maximize or minimize, got {goal!r}")
    text = f"{name}:{_DIRECTIONS[goal]}"
    try:
        parse_objectives([text], None, None, "" if is_nerf else "--trainable")
    except InputError as error:
        hint = "" if "goal" in metric else " (without metric.goal, W&B minimises)"
        raise InputError(f"{file}: metric: {error}{hint}") from None
    return {} if is_nerf and name == PSNR.metric else {"metric": (text,)}
