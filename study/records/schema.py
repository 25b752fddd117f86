"""Columns and types of a study's tables, and the version of their format."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from nerf.common.commands import command_name
from nerf.common.errors import InputError
from nerf.config.flat import value_before_added
from nerf.config.parameters import list_parameters

SCHEMA_VERSION = 1

PHASES = ("variant", "explore", "optimize", "replicate")


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
    "started": "datetime64[ns, UTC]",
    "ended": "datetime64[ns, UTC]",
    "host": "string",
    "device": "string",
}
"""Columns of trials.parquet; after them, one for each parameter, varied or not, by its path."""

CURVE_COLUMNS = {
    "trial_id": "string",
    "step": "int64",
    "seconds": "float64",  # of training so far, without evaluation
    "loss": "float64",  # mean squared error of the last batch of rays
    "psnr": "float64",  # validation, dB
    "ssim": "float64",
    "learning_rate": "float64",
}

_KIND_DTYPES = {"float": "float64", "int": "int64", "bool": "bool", "choice": "string"}


def trial_dtypes() -> dict[str, str]:
    """Columns of trials.parquet and their types."""
    return TRIAL_COLUMNS | {
        p.path: _KIND_DTYPES[p.kind] for p in list_parameters().values() if p.path != "seed"
    }


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


def read_table(file: Path, dtypes: dict[str, str]) -> pd.DataFrame:
    """Reads a table, empty if there is no file; raises `InputError` for a damaged one."""
    if not file.exists():
        return tidy(pd.DataFrame(), dtypes)
    try:
        frame = pd.read_parquet(file)
        for p in list_parameters().values():
            if p.path in dtypes and p.path not in frame:
                frame[p.path] = value_before_added(p.path)
        return frame.astype(dtypes)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{file} cannot be read ({str(error).splitlines()[0]}); rebuild it from the records "
            f"with {command_name('study/run_sweep.py')} --resume"
        ) from None
