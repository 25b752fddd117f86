"""What Ray Tune states of a whole experiment: states of its trials, its metric, and its search."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.external.ray_trial import number, parse_json
from analysis.external.sweep import Setting
from nerf.common.errors import InputError


@dataclass(frozen=True)
class TrialEntry:
    """A trial in the experiment's state file."""

    trial_id: str = ""
    status: str = ""
    started: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    stop: Mapping[str, Any] = field(default_factory=dict)


def read_state_file(experiment: Path) -> tuple[str, dict[str, TrialEntry], tuple[str, ...]]:
    """The metric that was optimised and the trials by folder, of the newest state file."""
    files = sorted(experiment.glob("experiment_state-*.json"))
    if not files:
        return "", {}, ()
    try:
        state = parse_json(files[-1].read_bytes())
    except OSError as error:
        raise InputError(f"{files[-1]} cannot be read ({error}); make it readable") from None
    if not isinstance(state, dict):
        return "", {}, (f"{files[-1].name}, which is damaged: states come from the trials' files",)
    entries = {}
    saved = state.get("trial_data", state.get("checkpoints"))
    for item in saved if isinstance(saved, list) else []:
        # Ray 2.4 and later save a pair of JSON texts for each trial, earlier versions one.
        parts = [p if isinstance(p, dict) else parse_json(str(p)) for p in _as_list(item)]
        trial: dict[str, Any] = {}
        for part in parts:
            trial |= part if isinstance(part, dict) else {}
        folder = str(trial.get("relative_logdir") or trial.get("logdir") or trial.get("trial_id"))
        entries[PurePosixPath(folder.replace("\\", "/")).name] = TrialEntry(
            trial_id=str(trial.get("trial_id") or ""),
            status=str(trial.get("status") or ""),
            started=_finite(trial.get("start_time")),
            settings=_as_dict(trial.get("evaluated_params")),
            stop=_as_dict(trial.get("stopping_criterion")),
        )
    metric = _as_dict(state.get("runner_data")).get("_metric")
    return metric if isinstance(metric, str) else "", entries, ()


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _finite(value: object) -> float:
    return number(value) if math.isfinite(number(value)) else 0.0


def recognise_search(experiment: Path, settings: Sequence[Mapping[str, Setting]]) -> str:
    """What proposed the trials, by the names of the state files that it left."""
    names = {file.name for file in experiment.iterdir()}
    if any(name.startswith("pbt_") for name in names):
        return "pbt"
    if any(name.startswith(("search_gen_state-", "searcher-state-")) for name in names):
        return "search algorithm"
    if not any(name.startswith("basic-variant-state-") for name in names):
        return ""
    levels: dict[str, set[str]] = defaultdict(set)
    for values in settings:
        for name, value in values.items():
            levels[name].add(repr(value))
    varied = [name for name in levels if len(levels[name]) > 1]
    cells = {tuple(repr(values.get(name)) for name in varied) for values in settings}
    full = len(varied) > 1 and len(cells) == math.prod(len(levels[name]) for name in varied)
    return "grid" if full else "random"
