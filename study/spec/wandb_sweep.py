"""W&B's sweep.yaml understood: each of its `parameters` becomes what varies or what is set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError, closest
from nerf.config.parameters import parameter
from study.spec.parse_space import as_text, checked

# W&B's distributions that mean what the parameter's own scale means. Theirs are not otherwise ours:
# a parameter declares its scale once, for search, tables and figures alike.
_UNIFORM = ("uniform", "int_uniform", "q_uniform")
_LOG = ("log_uniform_values", "q_log_uniform_values")
_WANDB_KEYS = ("method", "metric", "name", "program", "command", "project", "entity", "parameters",
               "description", "early_terminate", "run_cap")  # fmt: skip


def from_wandb(path: Path, sweep: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a sweep asks for; raises `InputError` naming file and key."""
    for key in sweep:
        if key not in _WANDB_KEYS:
            raise InputError(
                f"{path}: unknown key {key!r} of a W&B sweep{closest(str(key), list(_WANDB_KEYS))}"
            )
    metric = sweep.get("metric") or {}
    if (metric.get("name", "psnr"), metric.get("goal", "maximize")) != ("psnr", "maximize"):
        raise InputError(f"{path}: metric must be psnr, to maximize; got {metric!r}")
    options: dict[str, Any] = {"vary": [], "set": []}
    if "name" in sweep:
        options["name"] = str(sweep["name"])
    if sweep.get("run_cap"):
        options["explore"] = int(sweep["run_cap"])
    own: dict[str, Callable[[Any], None]] = {
        "optimisation.steps": lambda value: options.update(steps=value),
        "seed": lambda value: options.update(seed=value),
    }
    for name, entry in _wandb_parameters(sweep["parameters"]).items():
        if name in own and "value" in entry:
            own[name](entry["value"])
        elif "value" in entry:
            options["set"] += checked(path, "set", [f"{name}={as_text(entry['value'])}"])
        else:
            options["vary"] += checked(path, "parameters", [_wandb_range(path, name, entry)])
    return options


def _wandb_parameters(table: Mapping[str, Any], before: str = "") -> dict[str, Mapping[str, Any]]:
    """Every parameter's entry by its dotted path; W&B nests them under `parameters`."""
    found: dict[str, Mapping[str, Any]] = {}
    for key, entry in table.items():
        if isinstance(entry, dict) and "parameters" in entry:
            found |= _wandb_parameters(entry["parameters"], f"{before}{key}.")
        else:
            found[f"{before}{key}"] = entry if isinstance(entry, dict) else {"value": entry}
    return found


def _wandb_range(path: Path, name: str, entry: Mapping[str, Any]) -> str:
    if "values" in entry:
        return f"{name}={','.join(map(as_text, entry['values']))}"
    if not {"min", "max"} <= set(entry):
        raise InputError(f"{path}: parameters.{name} needs value, values, or min and max")
    domain = parameter(name).domain
    usual = _LOG if domain and domain.log else _UNIFORM
    distribution = entry.get("distribution", usual[0])
    if distribution not in usual:
        scale = "logarithmic" if usual is _LOG else "linear"
        raise InputError(
            f"{path}: parameters.{name}.distribution is {distribution}, but {name} has a {scale} "
            f"scale here; use {usual[0]}, or list values"
        )
    return f"{name}={entry['min']}:{entry['max']}"
