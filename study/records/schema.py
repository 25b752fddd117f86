"""Columns and types of a study's tables, and the version of their format."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nerf.common.errors import InputError
from nerf.config.image_metrics import TEST_PREFIX
from nerf.config.parameters import Parameter
from study.records.resume_command import resume_command
from study.spec.space import Space
from study.trainers.objective import NERF_METRICS, plugin_columns, read_objectives
from study.trainers.parameter_set import NERF, ParameterSet

SCHEMA_VERSION = 1

PHASES = ("variant", "try", "explore", "optimize", "replicate")


def phase_name(phase: str) -> str:
    """What a person reads for one of `PHASES`."""
    return "optimise" if phase == "optimize" else phase


STATES = ("completed", "pruned", "collapsed", "failed")

TRIAL_COLUMNS = {
    "trial_id": "string",  # the trial's number, as its files are named
    "number": "int64",
    "phase": "string",  # one of PHASES
    "state": "string",  # one of STATES
    "reason": "string",  # why it is not completed; empty if it is
    "seed": "int64",
    "steps_done": "int64",
    "budget_steps": "int64",
    "psnr": "float64",  # validation, dB; NaN if none was measured
    "ssim": "float64",  # validation
    "test_psnr": "float64",  # test views, dB; NaN if the budget was not reached
    "test_ssim": "float64",
    "train_seconds": "float64",
    "peak_memory": "float64",  # MiB (study/worker/peak_memory.py); NaN if it was not measured
    "started": "datetime64[ns, UTC]",
    "ended": "datetime64[ns, UTC]",
    "host": "string",
    "device": "string",
}
"""Columns of trials.parquet; after them, one for each parameter, varied or not, by its path."""

SCENE_COLUMN = "scene"
"""Column of trials.parquet, after the phase, of a study of several scenes: the label of one."""

CURVE_COLUMNS = {
    "trial_id": "string",
    "step": "int64",
    "seconds": "float64",  # of training so far, without evaluation
    "memory": "float64",  # the peak so far, MiB
    "loss": "float64",  # mean squared error of the last batch of rays
    "psnr": "float64",  # validation, dB
    "ssim": "float64",
    "learning_rate": "float64",
}

_KIND_DTYPES = {"float": "float64", "int": "int64", "bool": "bool"}

ADDED_COLUMNS = ("peak_memory", "memory")
"""Columns that tables of earlier versions lack; empty there."""

_CURVE_OF_ANY = ("trial_id", "step", "seconds", "memory")
"""Columns of every curves.parquet; a metric each follows."""


@dataclass(frozen=True)
class TableSchema:
    """What the columns of a study's tables are."""

    parameters: ParameterSet = NERF
    metrics: tuple[str, ...] = ()
    """Columns of the metrics that a trainer of the user reports, or a plugin measures of a NeRF."""
    has_scenes: bool = False
    """Whether trials are of several scenes."""

    @staticmethod
    def of(document: Mapping[str, Any]) -> TableSchema:
        """The schema of the study with this study.json."""
        parameters = Space.from_json(document["space"]).parameters
        objectives = read_objectives(document["spec"])
        if parameters.is_nerf:
            columns = plugin_columns(objectives)
        else:
            columns = tuple(objective.column for objective in objectives)
        return TableSchema(parameters, columns, "scenes" in document)

    @property
    def base(self) -> dict[str, str]:
        """Columns of trials.parquet before those of the parameters, without own metrics."""
        columns: dict[str, str] = {}
        for name, dtype in TRIAL_COLUMNS.items():
            if self.parameters.is_nerf or name not in NERF_METRICS:
                columns[name] = dtype
            if name == "phase" and self.has_scenes:
                columns[SCENE_COLUMN] = "string"
        return columns

    def trial_dtypes(self, columns: Iterable[str] = ()) -> dict[str, str]:
        """Columns of trials.parquet and their types; `columns` are those that a table has."""
        own = {p.path: _dtype(p) for p in self.parameters.by_path.values() if p.path != "seed"}
        metrics = self._metrics(columns, self.base.keys() | own.keys())
        return self.base | metrics | own

    def curve_dtypes(self, columns: Iterable[str] = ()) -> dict[str, str]:
        """Columns of curves.parquet and their types; `columns` are those that a table has."""
        if self.parameters.is_nerf:
            own = (name for name in self.metrics if not name.startswith(TEST_PREFIX))
            return CURVE_COLUMNS | dict.fromkeys(own, "float64")
        always = {name: CURVE_COLUMNS[name] for name in _CURVE_OF_ANY}
        return always | self._metrics(columns, always.keys() | self.base.keys())

    def _metrics(self, columns: Iterable[str], others: Collection[str]) -> dict[str, str]:
        if self.parameters.is_nerf:
            return dict.fromkeys(self.metrics, "float64")
        names = dict.fromkeys((*self.metrics, *columns))
        return {name: "float64" for name in names if name not in others and name != "seed"}


def _dtype(parameter: Parameter) -> str:
    """The type of a parameter's column; of choices, that of the choices."""
    if parameter.kind == "choice" and all(type(c) is int for c in parameter.choices):
        return "int64"
    if parameter.kind == "choice" and all(type(c) is float for c in parameter.choices):
        return "float64"
    return _KIND_DTYPES.get(parameter.kind, "string")


def trial_dtypes() -> dict[str, str]:
    """Columns of trials.parquet and their types, of a study of NeRFs."""
    return TableSchema().trial_dtypes()


def tidy(frame: pd.DataFrame, dtypes: dict[str, str]) -> pd.DataFrame:
    """Selects, orders and converts the columns of `frame` to those of `dtypes`."""
    frame = frame.reindex(columns=list(dtypes))
    for column, dtype in dtypes.items():
        if dtype.startswith("datetime64"):
            frame[column] = pd.to_datetime(frame[column], utc=True, format="ISO8601")
    return frame.astype(dtypes)


def trial_id(number: int) -> str:
    """The name of a trial in files and tables."""
    return f"{number:05d}"


def read_table(
    file: Path, dtypes: Callable[[Iterable[str]], dict[str, str]], parameters: ParameterSet
) -> pd.DataFrame:
    """Reads a table, empty if there is no file; raises `InputError` for a damaged one.

    dtypes: the columns' types, from the columns that the file has
    """
    if not file.exists():
        return tidy(pd.DataFrame(), dtypes(()))
    try:
        frame = pd.read_parquet(file)
        types = dtypes(frame.columns)
        for path in parameters.by_path:
            if path in types and path not in frame:
                frame[path] = parameters.value_before_added(path)
        for column in ADDED_COLUMNS:
            if column in types and column not in frame:
                frame[column] = math.nan
        return frame.astype(types)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{file} cannot be read ({str(error).splitlines()[0]}); rebuild it from the records "
            f"with {resume_command(file.parent)}"
        ) from None
