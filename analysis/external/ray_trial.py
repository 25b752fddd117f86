"""One trial's folder of Ray Tune: its config, its reports and its error, from documented files."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError

RESULT_FILES = frozenset({"params.json", "result.json", "progress.csv"})
"""A folder with one of these is a trial's."""

_AUTOMATIC = frozenset(
    [
        "timestamp",
        "done",
        "training_iteration",
        "trial_id",
        "experiment_id",
        "experiment_tag",
        "date",
        "time_this_iter_s",
        "time_total_s",
        "pid",
        "hostname",
        "node_ip",
        "time_since_restore",
        "iterations_since_restore",
        "warmup_time",
        "timesteps_since_restore",
        "timesteps_total",
        "episodes_total",
        "should_checkpoint",
        "checkpoint_dir_name",
        "trial_log_path",
    ]
)
"""What Ray adds to each report of a trial."""

_EXCEPTION = re.compile(r"([\w.]+\.)?\w*(Error|Exception|Interrupt|Exit|Killed)\b")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class TrialRecord:
    """What the files of one trial state.

    config: nested keys joined by "/"; values of any JSON type
    last: the last report; metrics: last number of each metric; curves: metric -> step -> number
    not_numbers: reported keys that were never a number
    error: None without an error file, else the exception in error.txt
    damaged: lines of its reports that could not be read
    """

    folder: Path
    config: Mapping[str, Any]
    last: Mapping[str, Any]
    metrics: Mapping[str, float]
    curves: Mapping[str, Mapping[int, float]]
    not_numbers: frozenset[str]
    steps: int
    started: float
    error: str | None
    damaged: int

    @property
    def seconds(self) -> float:
        return number(self.last.get("time_total_s"))


def read_trial(folder: Path) -> TrialRecord:
    """Reads one trial; raises `InputError` if a file cannot be opened, none if one is damaged."""
    try:
        reports, damaged = _read_reports(folder)
        config, damaged_config = _read_config(folder, reports)
        error = _read_error(folder)
    except OSError as problem:
        raise InputError(f"{folder} cannot be read ({problem}); make it readable") from None
    flat = [flatten({k: v for k, v in r.items() if k != "config"}) for r in reports]
    curves, steps = _collect_curves(flat)
    reported = {key for report in flat for key, value in report.items() if value is not None}
    last = flat[-1] if flat else {}
    begun = number(flat[0].get("timestamp")) - number(flat[0].get("time_total_s")) if flat else 0.0
    return TrialRecord(
        folder=folder,
        config=flatten(config),
        last=last,
        metrics={name: curve[max(curve)] for name, curve in curves.items()},
        curves=curves,
        not_numbers=frozenset(reported - set(curves) - _AUTOMATIC),
        steps=steps,
        started=begun if math.isfinite(begun) else 0.0,
        error=error,
        damaged=damaged + damaged_config,
    )


def flatten(nested: Mapping[str, Any]) -> dict[str, Any]:
    """Joins the keys of nested objects by "/", as Ray does."""
    flat: dict[str, Any] = {}
    pending: list[tuple[str, Mapping[str, Any]]] = [("", nested)]
    while pending:  # not recursive: a damaged file may nest deeper than Python's stack
        prefix, inner = pending.pop()
        for key, value in inner.items():
            if isinstance(value, dict):
                pending.append((f"{prefix}{key}/", value))
            else:
                flat[f"{prefix}{key}"] = value
    return flat


def number(value: object) -> float:
    """A number as float; NaN for anything else, truth values included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def parse_json(text: bytes | str) -> Any:
    """The JSON value in `text`, or None if it is damaged."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _read_config(folder: Path, reports: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], int]:
    """The config in params.json, else in the last report; with 1 if params.json is damaged."""
    file, damaged = folder / "params.json", 0
    if file.is_file():
        config = parse_json(file.read_bytes())
        if isinstance(config, dict):
            return config, 0
        damaged = 1
    found = [r["config"] for r in reports if isinstance(r.get("config"), dict)]
    return (found[-1] if found else {}), damaged


def _read_reports(folder: Path) -> tuple[list[dict[str, Any]], int]:
    """The reports in result.json, else in progress.csv; with the number of damaged lines."""
    file = folder / "result.json"
    if file.is_file() and (content := file.read_bytes().strip()):
        parsed = [parse_json(line) for line in content.split(b"\n") if line.strip()]
        reports = [line for line in parsed if isinstance(line, dict)]
        return reports, len(parsed) - len(reports)
    file = folder / "progress.csv"
    if not file.is_file():
        return [], 0
    text = file.read_bytes().decode(errors="replace")
    reports, damaged = [], 0
    try:
        rows = csv.reader(io.StringIO(text, newline=""))
        heading = next(rows, [])
        for row in rows:
            if len(row) == len(heading):
                reports.append({k: _parse_cell(v) for k, v in zip(heading, row, strict=True)})
            else:
                damaged += 1
    except csv.Error:
        damaged += 1
    if reports and not damaged and not text.endswith("\n"):
        reports.pop()  # the writer ends each line: the last number of this one may be cut
        damaged += 1
    return reports, damaged


def _parse_cell(cell: str) -> Any:
    if cell in ("True", "False"):
        return cell == "True"
    try:
        return float(cell)
    except ValueError:
        return cell or None


def _collect_curves(
    reports: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, dict[int, float]], int]:
    """Each metric's numbers by step, and the last step.

    A trial that was restored goes back to an earlier step: what it had reported from there on is
    of the attempt that failed, and the new reports replace it.
    """
    curves: dict[str, dict[int, float]] = {}
    last = 0
    for index, report in enumerate(reports):
        at = number(report.get("training_iteration"))
        step = int(at) if math.isfinite(at) else index + 1
        if step <= last:
            curves = {n: {s: v for s, v in c.items() if s < step} for n, c in curves.items()}
        last = step
        for name, value in report.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and name not in _AUTOMATIC:
                curves.setdefault(name, {})[step] = number(value)
    return {name: curve for name, curve in curves.items() if curve}, last


def _read_error(folder: Path) -> str | None:
    """The last exception in error.txt, else its first line; error.pkl is not opened."""
    file = folder / "error.txt"
    if not file.is_file():
        return (
            "error.pkl, a pickle, which is not opened"
            if file.with_suffix(".pkl").exists()
            else None
        )
    text = _COLOUR.sub("", file.read_bytes().decode(errors="replace"))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    exceptions = [line for line in lines if _EXCEPTION.match(line)]
    return (exceptions[-1:] or lines[:1] or ["error.txt is empty"])[0][:200]
