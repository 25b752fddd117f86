"""Reads sweeps of other tools: Optuna storages, Ray Tune results, W&B sweeps exported as CSV.

None of these tools is needed. What such a record lacks, above all the prior and the budget, comes
from the caller or is guessed from the trials; guesses are listed in `Study.assumed` and repeated
in every report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.assumption import Assumption
from analysis.data.metric import Metric
from analysis.data.optuna_files import ExternalTrial, read_journal, read_sqlite
from analysis.data.outcomes import add_recorded_outcomes
from analysis.data.study import Study
from nerf.common.errors import InputError
from study.records.schema import CURVE_COLUMNS, TRIAL_COLUMNS, tidy
from study.records.study_folder import StudyFolder
from study.spec.space import Dimension, Space

_CSV_METADATA = ("Name", "State", "ID", "User", "Notes", "Tags", "Created", "Runtime", "Sweep")


def read_external_sweep(
    path: Path,
    metric: str = "psnr",
    priors: Sequence[Dimension] = (),
    lower_is_better: bool = False,
) -> Study:
    """Reads an Optuna journal or SQLite file, a Ray Tune results folder or a CSV as a study.

    Args:
        path: the file or folder.
        metric: the column or key to explain; not used for Optuna, whose trials have one value.
        priors: domains that the record lacks; others are guessed from the values seen.
        lower_is_better: turns the sign of the metric.

    Raises:
        InputError: `path` is none of these, or holds no finished trial with this metric.

    Example:
        >>> study = read_external_sweep(Path("optuna.db"))
        >>> findings = analyze_study(study)
    """
    records, name = _read_trials(path, metric)
    if not records:
        raise InputError(
            f"{path} holds no ended trial with a metric {metric!r}; name it with --metric"
        )
    sign = -1.0 if lower_is_better else 1.0
    assumed = [
        "every trial was drawn from the prior (explore): with a sampler that follows results, "
        "shares lean towards where it looked",
    ]
    dimensions = _find_dimensions(records, {d.path: d for d in priors}, assumed)
    trials, curves = _make_frames(records, dimensions, sign, assumed)
    return Study(
        folder=StudyFolder(path.parent / f"{path.stem}-report"),
        name=path.stem,
        created="",
        scene={},
        spec={},
        versions={},
        command=(),
        space=Space(dimensions),
        trials=add_recorded_outcomes(trials),
        curves=curves,
        metric=Metric(metric, minimize=lower_is_better),
        source=name,
        assumed=tuple(map(Assumption, assumed)),
    )


def _read_trials(path: Path, metric: str) -> tuple[list[ExternalTrial], str]:
    if path.is_dir():
        return _read_ray(path, metric), "a Ray Tune folder"
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
        return _read_csv(path, metric), "a CSV export"
    raise InputError(
        f"{path} is not a study folder, Optuna journal, SQLite storage, Ray Tune folder or CSV; "
        "name one of these"
    )


def _read_ray(path: Path, metric: str) -> list[ExternalTrial]:
    """A trial for each folder with a params.json and a result.json of one report a line."""
    trials = []
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
            values = _flatten(json.loads(config.read_text()))
            trials.append(ExternalTrial("completed", steps[max(steps)], values, steps, {}))
    return trials


def _read_csv(path: Path, metric: str) -> list[ExternalTrial]:
    """A trial for each row; parameters are the columns that vary, without those of W&B itself."""
    try:
        table = pd.read_csv(path)
    except ValueError as error:
        raise InputError(
            f"{path} is not a CSV ({error}); name a file with a heading line"
        ) from None
    if metric not in table:
        known = ", ".join(map(str, table.columns[:12]))
        raise InputError(
            f"{path} has no column {metric!r} (it has {known}); name one with --metric"
        )
    skipped = {metric, *_CSV_METADATA}
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


def _flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        elif isinstance(value, bool | int | float | str):
            flat[f"{prefix}{key}"] = value
    return flat


def _find_dimensions(
    records: Sequence[ExternalTrial], priors: Mapping[str, Dimension], assumed: list[str]
) -> tuple[Dimension, ...]:
    """The parameters that every trial has and that vary, with their known or guessed priors."""
    common = [n for n in records[0].parameters if all(n in r.parameters for r in records)]
    partial = {name for r in records for name in r.parameters} - set(common)
    if partial:
        assumed.append(f"left out, since not every trial has them: {', '.join(sorted(partial))}")
    dimensions = []
    for name in common:
        values = [r.parameters[name] for r in records]
        recorded = next((r.dimensions[name] for r in records if name in r.dimensions), None)
        if name in priors:
            dimensions.append(priors[name])
        elif recorded is not None:
            dimensions.append(recorded)
        elif len(set(values)) > 1:
            dimensions.append(_guess_dimension(name, values, assumed))
    return tuple(dimensions)


def _guess_dimension(name: str, values: Sequence[Any], assumed: list[str]) -> Dimension:
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


def _make_frames(
    records: Sequence[ExternalTrial],
    dimensions: Sequence[Dimension],
    sign: float,
    assumed: list[str],
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
                "trial_id": name,
                "number": number,
                "phase": "explore",
                "state": state,
                "reason": "",
                "seed": 0,
                "steps_done": reached,
                "budget_steps": budget,
                "score": sign * record.value,
                **{d.path: _typed(d, record.parameters[d.path]) for d in dimensions},
            }
        )
        points += [
            {"trial_id": name, "step": s, "score": sign * v} for s, v in record.steps.items()
        ]
    kinds = {"float": "float64", "int": "int64", "bool": "bool", "choice": "object"}
    dtypes = TRIAL_COLUMNS | {"score": "float64"} | {d.path: kinds[d.kind] for d in dimensions}
    return tidy(pd.DataFrame(rows), dtypes), tidy(
        pd.DataFrame(points), CURVE_COLUMNS | {"score": "float64"}
    )


def _typed(dimension: Dimension, value: Any) -> Any:
    if dimension.choices and value not in dimension.choices:
        return str(value)
    return int(value) if dimension.kind == "int" else value
