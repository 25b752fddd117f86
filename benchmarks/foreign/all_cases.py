"""All cases: importing their modules lists them in `CASES`."""

from __future__ import annotations

from foreign import (  # noqa: F401
    designs,
    grids,
    mlflow_cases,
    not_sweeps,
    optuna_parameters,
    optuna_storages,
    optuna_trials,
    ray_cases,
    roles,
    text_tables,
    tool_tables,
)
from foreign.case import CASES

__all__ = ["CASES"]
