"""Reads a W&B sweep.yaml: each of its `parameters` becomes a `--vary` or a `--set`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError, closest
from nerf.config.parameters import parameter
from study.spec.parse_space import check_texts, format_value

# The distributions that agree with a parameter's declared scale. No other is accepted, as search,
# tables and figures all use the declared scale.
_UNIFORM = ("uniform", "int_uniform", "q_uniform")
_LOG = ("log_uniform_values", "q_log_uniform_values")
# Options of a study that W&B lists among the parameters.
_OWN_OPTION = {"optimisation.steps": "steps", "seed": "seed"}
_WANDB_KEYS = (
    "method",
    "metric",
    "name",
    "program",
    "command",
    "project",
    "entity",
    "parameters",
    "description",
    "early_terminate",
    "run_cap",
)


def read_wandb_sweep(path: Path, sweep: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a sweep stands for; raises `InputError` with `path` and key."""
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
    for name, entry in _flatten_parameters(sweep["parameters"]).items():
        if name in _OWN_OPTION and "value" in entry:
            options[_OWN_OPTION[name]] = entry["value"]
        elif "value" in entry:
            options["set"] += check_texts(path, "set", [f"{name}={format_value(entry['value'])}"])
        else:
            options["vary"] += check_texts(path, "parameters", [_vary_text(path, name, entry)])
    return options


def _flatten_parameters(table: Mapping[str, Any], prefix: str = "") -> dict[str, Mapping[str, Any]]:
    """Every parameter's entry by its dotted path; W&B nests groups under `parameters`."""
    entries: dict[str, Mapping[str, Any]] = {}
    for key, entry in table.items():
        if isinstance(entry, dict) and "parameters" in entry:
            entries |= _flatten_parameters(entry["parameters"], f"{prefix}{key}.")
        else:
            entries[f"{prefix}{key}"] = entry if isinstance(entry, dict) else {"value": entry}
    return entries


def _vary_text(path: Path, name: str, entry: Mapping[str, Any]) -> str:
    """The `--vary` text of one entry."""
    if "values" in entry:
        return f"{name}={','.join(map(format_value, entry['values']))}"
    if not {"min", "max"} <= set(entry):
        raise InputError(f"{path}: parameters.{name} needs value, values, or min and max")
    domain = parameter(name).domain
    accepted = _LOG if domain and domain.log else _UNIFORM
    distribution = entry.get("distribution", accepted[0])
    if distribution not in accepted:
        scale = "logarithmic" if accepted is _LOG else "linear"
        raise InputError(
            f"{path}: parameters.{name}.distribution is {distribution}, but {name} has a {scale} "
            f"scale here; use {accepted[0]}, or list values"
        )
    return f"{name}={entry['min']}:{entry['max']}"
