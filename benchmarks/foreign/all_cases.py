"""All cases: importing their modules lists them in `CASES`."""

from __future__ import annotations

from foreign import (  # noqa: F401
    designs,
    mlflow_cases,
    not_sweeps,
    optuna_cases,
    ray_cases,
    roles,
    text_tables,
)
from foreign.case import CASES

__all__ = ["CASES"]
