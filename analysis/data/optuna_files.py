"""Reads the trials of an Optuna storage (journal or SQLite file) without Optuna."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from study.spec.space import Dimension

_OPTUNA_STATES = ("RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING")
_STATES = {"COMPLETE": "completed", "PRUNED": "pruned", "FAIL": "failed"}


@dataclass(frozen=True)
class ExternalTrial:
    """One trial of another tool.

    state: completed, pruned or failed; steps: step -> metric; dimensions: as far as recorded
    """

    state: str
    value: float
    parameters: Mapping[str, Any]
    steps: Mapping[int, float]
    dimensions: Mapping[str, Dimension]


def read_journal(path: Path) -> list[ExternalTrial]:
    """Replays the operations of an Optuna journal (create 4, parameter 5, state 6, step 7)."""
    trials: list[dict[str, Any]] = []
    for line in path.read_text().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            break  # a last line that was cut off
        code, number = entry.get("op_code"), entry.get("trial_id")
        if code == 4:
            state = _OPTUNA_STATES[entry.get("state", 0)]
            trials.append({"state": state, "params": {}, "kinds": {}, "steps": {}, "value": None})
            internal = entry.get("params", {})
            for name, text in entry.get("distributions", {}).items():
                _set_parameter(trials[-1], name, internal[name], json.loads(text))
            trials[-1]["value"] = entry.get("value", (entry.get("values") or [None])[0])
        elif code == 5:
            kind = json.loads(entry["distribution"])
            _set_parameter(trials[number], entry["param_name"], entry["param_value_internal"], kind)
        elif code == 6:
            trials[number]["state"] = _OPTUNA_STATES[entry["state"]]
            trials[number]["value"] = (entry.get("values") or [None])[0]
        elif code == 7:
            trials[number]["steps"][int(entry["step"])] = entry["intermediate_value"]
    return [_make_trial(trial) for trial in trials if trial["state"] in _STATES]


def read_sqlite(path: Path) -> list[ExternalTrial]:
    """The trials of an Optuna SQLite storage, opened read-only."""
    try:
        with sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True) as base:
            trials = {
                key: {"state": state, "params": {}, "kinds": {}, "steps": {}, "value": None}
                for key, state in base.execute("SELECT trial_id, state FROM trials")
            }
            for key, name, value, kind in base.execute(
                "SELECT trial_id, param_name, param_value, distribution_json FROM trial_params"
            ):
                _set_parameter(trials[key], name, value, json.loads(kind))
            for key, value in base.execute(
                "SELECT trial_id, value FROM trial_values WHERE objective = 0"
            ):
                trials[key]["value"] = value
            for key, step, value in base.execute(
                "SELECT trial_id, step, intermediate_value FROM trial_intermediate_values"
            ):
                trials[key]["steps"][int(step)] = value
    except sqlite3.Error as error:
        raise InputError(
            f"{path} is not an Optuna storage ({error}); name a study's SQLite or journal file"
        ) from None
    return [_make_trial(trial) for trial in trials.values() if trial["state"] in _STATES]


def _set_parameter(trial: dict[str, Any], name: str, internal: float, kind: dict[str, Any]) -> None:
    """Adds a parameter: its value, which Optuna stores as a number, and its dimension."""
    attributes = kind["attributes"]
    if "choices" in attributes:
        choices = tuple(attributes["choices"])
        trial["params"][name] = choices[int(internal)]
        trial["kinds"][name] = Dimension(name, "choice", choices=choices, label=name)
        return
    integer = kind["name"].startswith("Int")
    trial["params"][name] = int(internal) if integer else float(internal)
    trial["kinds"][name] = Dimension(
        name,
        "int" if integer else "float",
        attributes["low"],
        attributes["high"],
        bool(attributes.get("log")),
        label=name,
    )


def _make_trial(trial: dict[str, Any]) -> ExternalTrial:
    steps = {k: float(v) for k, v in trial["steps"].items() if v is not None}
    value = trial["value"]
    if value is None:
        value = steps[max(steps)] if steps else float("nan")
    return ExternalTrial(
        _STATES[trial["state"]], float(value), trial["params"], steps, trial["kinds"]
    )
