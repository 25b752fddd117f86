"""The study folder: its files, its records and their schema.

    STUDIES/NAME/
        study.json        what was asked for: spec, space, scene, versions, git commit, command line
        optuna.journal    which trials exist and how they ended: the only truth
        records/ID.json   one ended trial: its row and its curve
        trials.parquet    a row a trial, made from the records
        curves.parquet    a row an evaluation, made from the records
        renders/ID.png    one validation view beside its truth, at the trial's end
        artifacts/        those pictures again, as optuna-dashboard looks for them
        checkpoints/      what a running trial resumes from
        logs/ID.log       what a trial did, attempt by attempt
        errors/ID.txt     why attempts of a trial broke off, with tracebacks
        ray/, wandb/      scratch of those tools
        best.toml         the best configuration, for nerf/train.py --config
        report.html

Every file appears whole or not at all: it is written beside its place, then renamed.
Reading a study needs this file alone; nothing here imports Ray, Optuna or torch.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nerf.common.errors import InputError
from nerf.common.files import UNFINISHED, write_atomically
from nerf.config.parameters import parameters
from study.records.schema import (
    CURVE_COLUMNS,
    SCHEMA_VERSION,
    TRIAL_COLUMNS,
    _read_table,
    tidy,
    trial_dtypes,
)


@dataclass(frozen=True)
class StudyFolder:
    """The paths of one study and the only code that reads and writes its records."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def spec_file(self) -> Path:
        return self.path / "study.json"

    @property
    def journal(self) -> Path:
        return self.path / "optuna.journal"

    @property
    def trials_file(self) -> Path:
        return self.path / "trials.parquet"

    @property
    def curves_file(self) -> Path:
        return self.path / "curves.parquet"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def best(self) -> Path:
        return self.path / "best.toml"

    @property
    def ray(self) -> Path:
        return self.path / "ray"

    @property
    def wandb(self) -> Path:
        return self.path / "wandb"

    def checkpoint(self, trial_id: str) -> Path:
        return self.path / "checkpoints" / f"{trial_id}.pt"

    def log(self, trial_id: str) -> Path:
        return self.path / "logs" / f"{trial_id}.log"

    def error(self, trial_id: str) -> Path:
        return self.path / "errors" / f"{trial_id}.txt"

    def render(self, trial_id: str) -> Path:
        return self.path / "renders" / f"{trial_id}.png"

    def record_file(self, trial_id: str) -> Path:
        return self.path / "records" / f"{trial_id}.json"

    def key(self, file: Path) -> str:
        """What a file of this folder is called, wherever the folder lies."""
        return file.relative_to(self.path).as_posix()

    def write_spec(self, spec: dict[str, Any]) -> None:
        write_atomically(self.spec_file, json.dumps(spec, indent=2, allow_nan=False).encode())

    def create(self, spec: dict[str, Any]) -> None:
        """Makes the folder with its study.json, once: `InputError` where another was faster."""
        beside = self.path / f".study-{os.getpid()}.json"
        write_atomically(beside, json.dumps(spec, indent=2, allow_nan=False).encode())
        try:
            os.link(beside, self.spec_file)  # unlike a rename, it never replaces
        except FileExistsError:
            raise InputError(
                f"{self.path} exists; go on with it by --resume, or give another --name"
            ) from None
        finally:
            beside.unlink()

    def remove_unfinished(self) -> None:
        """Removes what writers that died left beside their files; nobody else may be writing."""
        for file in self.path.glob(UNFINISHED):
            file.unlink(missing_ok=True)
        for file in self.path.glob(f"*/{UNFINISHED}"):
            file.unlink(missing_ok=True)

    def read_spec(self) -> dict[str, Any]:
        """study.json; raises `InputError` where this is no study folder."""
        try:
            spec: dict[str, Any] = dict(json.loads(self.spec_file.read_text()))
        except (OSError, ValueError, TypeError):
            raise InputError(
                f"{self.path} is no study folder (no readable study.json); name one that "
                "study/run_sweep.py made"
            ) from None
        if spec.get("schema") != SCHEMA_VERSION:
            raise InputError(
                f"{self.spec_file} has schema {spec.get('schema')!r}, this program reads "
                f"{SCHEMA_VERSION}; use the version that wrote it"
            )
        return spec

    def baseline(self) -> float:
        """The PSNR (dB) of the best picture that shows nothing of the scene; 0 where unknown."""
        told: dict[str, float] = self.read_spec()["scene"].get("baselines", {})
        return max(told.values(), default=0.0)

    def append(self, row: dict[str, Any], curve: list[dict[str, Any]]) -> None:
        """Keeps one ended trial for good; the tables follow with `write_tables`."""
        record = json.dumps({"trial": row, "curve": curve}, default=_plain)
        write_atomically(self.record_file(row["trial_id"]), record.encode())

    def records(self) -> list[dict[str, Any]]:
        """Every ended trial's record, by number; raises `InputError` for one that is damaged."""
        files = self._record_files()
        records = [_read_record(file) for file in files]
        for file, record in zip(files, records, strict=True):
            if record is None:
                raise InputError(f"{file} cannot be read; run_sweep.py --resume mends the study")
        return [record for record in records if record is not None]

    def _record_files(self) -> list[Path]:
        """In order, without those that are still being written: they are hidden, and vanish."""
        return sorted((self.path / "records").glob("[0-9]*.json"))

    def set_damaged_aside(self) -> list[Path]:
        """Renames the records that cannot be read; returns what they were called."""
        files = self._record_files()
        damaged = [file for file in files if _read_record(file) is None]
        for file in damaged:
            file.rename(file.with_suffix(".json.damaged"))
        return damaged

    def write_tables(self) -> None:
        """Makes trials.parquet and curves.parquet anew from the records."""
        records = self.records()
        # A parameter that came with a later version had its default before.
        usual = {p.path: p.default for p in parameters().values()}
        trials = tidy(pd.DataFrame([usual | record["trial"] for record in records]), trial_dtypes())
        rows = [
            {"trial_id": r["trial"]["trial_id"], **point} for r in records for point in r["curve"]
        ]
        curves = tidy(pd.DataFrame(rows), CURVE_COLUMNS)
        write_atomically(self.trials_file, trials.to_parquet(index=False))
        write_atomically(self.curves_file, curves.to_parquet(index=False))

    def read_trials(self) -> pd.DataFrame:
        """trials.parquet: `TRIAL_COLUMNS`, then a column a parameter; empty before any trial."""
        return _read_table(self.trials_file, trial_dtypes())

    def read_curves(self) -> pd.DataFrame:
        """curves.parquet, with `CURVE_COLUMNS`; empty before the first trial."""
        return _read_table(self.curves_file, CURVE_COLUMNS)


def _read_record(file: Path) -> dict[str, Any] | None:
    """A record, or None where the file holds none."""
    try:
        record = json.loads(file.read_bytes())
        whole = set(TRIAL_COLUMNS) <= set(record["trial"]) and isinstance(record["curve"], list)
    except (ValueError, TypeError, KeyError):
        return None
    return record if whole else None


def _plain(value: Any) -> Any:
    """numpy scalars and paths, for JSON."""
    return value.item() if hasattr(value, "item") else str(value)
