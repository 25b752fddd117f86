"""Studies that other tools made: Optuna storages, Ray Tune results, W&B sweeps exported as CSV.

They are read as they lie on disk, with none of these tools. What such a record does not say, the
prior and the budget above all, is taken from the caller or guessed from the trials; what was
guessed is listed in `Study.assumed`, and every report repeats it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.optuna_files import ExternalTrial, read_journal, read_sqlite
from analysis.data.study import Study
from nerf.common.errors import InputError
from study.records.schema import CURVE_COLUMNS, TRIAL_COLUMNS, tidy
from study.records.study_folder import StudyFolder
from study.spec.space import Dimension, Space

_CSV_FACTS = ("Name", "State", "ID", "User", "Notes", "Tags", "Created", "Runtime", "Sweep")


def read_external_sweep(
    path: Path,
    metric: str = "psnr",
    priors: Sequence[Dimension] = (),
    lower_is_better: bool = False,
) -> Study:
    """The study at `path`: a journal or SQLite file of Optuna's, a folder of Ray Tune's, a CSV.

    metric: the column or key to explain (Optuna has one value and needs none); priors: what is
    known of the domains. Raises `InputError` for anything else, and where no trial is found.
    """
    records, name = _records(path, metric)
    if not records:
        raise InputError(
            f"{path} holds no ended trial with a metric {metric!r}; name it with --metric"
        )
    sign = -1.0 if lower_is_better else 1.0
    assumed = [
        "every trial was drawn from the prior (explore): with a sampler that follows results, "
        "shares lean towards where it looked",
    ]
    dimensions = _dimensions(records, {d.path: d for d in priors}, assumed)
    trials, curves = _frames(records, dimensions, sign, assumed)
    return Study(
        folder=StudyFolder(path.parent / f"{path.stem}-report"),
        name=path.stem,
        created="",
        scene={"name": name, "source": str(path.name)},
        spec={},
        versions={},
        command=(),
        space=Space(dimensions),
        trials=trials,
        curves=curves,
        assumed=tuple(assumed),
    )


def _records(path: Path, metric: str) -> tuple[list[ExternalTrial], str]:
    if path.is_dir():
        return _ray_records(path, metric), "a Ray Tune folder"
    if not path.exists():
        raise InputError(
            f"{path} does not exist; name a study folder, storage, results folder or CSV"
        )
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"SQLite format 3"):
        return read_sqlite(path), "an Optuna storage"
    if start.lstrip().startswith(b"{"):
        return read_journal(path), "an Optuna journal"
    if path.suffix == ".csv":
        return _csv_records(path, metric), "a CSV export"
    raise InputError(
        f"{path} is no study folder, Optuna journal, SQLite storage, Ray Tune folder or CSV; "
        "name one of these"
    )


def _ray_records(path: Path, metric: str) -> list[ExternalTrial]:
    """Each trial folder's params.json and the lines of its result.json."""
    found = []
    for results in sorted(path.rglob("result.json")):
        config = results.with_name("params.json")
        lines = [line for line in results.read_text().splitlines() if line.strip()]
        reports = [json.loads(line) for line in lines]
        steps = {
            int(r.get("training_iteration", i + 1)): float(r[metric])
            for i, r in enumerate(reports)
            if isinstance(r.get(metric), int | float)
        }
        if steps and config.exists():
            values = _flat(json.loads(config.read_text()))
            found.append(ExternalTrial("completed", steps[max(steps)], values, steps, {}))
    return found


def _csv_records(path: Path, metric: str) -> list[ExternalTrial]:
    """A row a run; parameters are the columns that vary and are no summary of W&B's own."""
    try:
        table = pd.read_csv(path)
    except ValueError as error:
        raise InputError(f"{path} is no CSV ({error}); name a file with a heading line") from None
    if metric not in table:
        known = ", ".join(map(str, table.columns[:12]))
        raise InputError(
            f"{path} has no column {metric!r} (it has {known}); name one with --metric"
        )
    skipped = {metric, *_CSV_FACTS}
    names = [
        name
        for name in table.columns
        if name not in skipped and not name.startswith("_") and table[name].nunique() > 1
    ]
    return [
        ExternalTrial(
            "completed" if str(row.get("State", "finished")).lower() == "finished" else "failed",
            float(row[metric]),
            {name: row[name] for name in names},
            {},
            {},
        )
        for row in table.to_dict("records")
    ]


def _flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        elif isinstance(value, bool | int | float | str):
            flat[f"{prefix}{key}"] = value
    return flat


def _dimensions(
    records: Sequence[ExternalTrial], priors: Mapping[str, Dimension], assumed: list[str]
) -> tuple[Dimension, ...]:
    """The parameters that every trial has and that vary, with what is known of their priors."""
    common = [n for n in records[0].parameters if all(n in r.parameters for r in records)]
    partial = {name for r in records for name in r.parameters} - set(common)
    if partial:
        assumed.append(f"left out, since not every trial has them: {', '.join(sorted(partial))}")
    found = []
    for name in common:
        values = [r.parameters[name] for r in records]
        recorded = next((r.dimensions[name] for r in records if name in r.dimensions), None)
        if name in priors:
            found.append(priors[name])
        elif recorded is not None:
            found.append(recorded)
        elif len(set(values)) > 1:
            found.append(_guessed(name, values, assumed))
    return tuple(found)


def _guessed(name: str, values: Sequence[Any], assumed: list[str]) -> Dimension:
    if any(isinstance(v, str | bool | np.bool_) for v in values):
        choices = tuple(sorted({str(v) for v in values}))
        assumed.append(f"{name}: each of {', '.join(choices)} as likely")
        return Dimension(name, "choice", choices=choices, label=name)
    low, high = float(min(values)), float(max(values))
    log = low > 0 and high / low >= 30
    integer = all(float(v).is_integer() for v in values)
    scale = "logarithm" if log else "value"
    assumed.append(f"{name}: uniform in its {scale} from {low:g} to {high:g}, the range seen")
    return Dimension(name, "int" if integer else "float", low, high, log, label=name)


def _frames(
    records: Sequence[ExternalTrial], dimensions: Sequence[Dimension], sign: float, assumed: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    budget = max((max(r.steps) for r in records if r.steps), default=1)
    assumed.append(f"the full budget is {budget} steps, the most that any trial reports")
    rows, points = [], []
    for number, record in enumerate(records):
        reached = max(record.steps, default=budget)
        state = "pruned" if record.state == "completed" and reached < budget else record.state
        name = f"{number:05d}"
        rows.append(
            {
                "trial_id": name, "number": number, "phase": "explore", "state": state,
                "reason": "", "seed": 0, "steps_done": reached, "budget_steps": budget,
                "psnr": sign * record.value,
                **{d.path: _typed(d, record.parameters[d.path]) for d in dimensions},
            }
        )  # fmt: skip
        points += [{"trial_id": name, "step": s, "psnr": sign * v} for s, v in record.steps.items()]
    kinds = {"float": "float64", "int": "int64", "bool": "bool", "choice": "object"}
    dtypes = TRIAL_COLUMNS | {d.path: kinds[d.kind] for d in dimensions}
    return tidy(pd.DataFrame(rows), dtypes), tidy(pd.DataFrame(points), CURVE_COLUMNS)


def _typed(dimension: Dimension, value: Any) -> Any:
    if dimension.choices and value not in dimension.choices:
        return str(value)
    return int(value) if dimension.kind == "int" else value
