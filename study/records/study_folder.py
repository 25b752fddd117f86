"""The study folder: the paths of its files, and how its records and tables are read and written.

    STUDIES/NAME/
        study.json        spec, space, scene, versions, git commit and command line
        optuna.journal    which trials exist and how they ended: the source of truth
        records/ID.json   one ended trial: its table row and its learning curve
        trials.parquet    one row per trial, built from the records
        curves.parquet    one row per evaluation, built from the records
        renders/ID.png    one validation view, rendered at the trial's end, beside the photograph
        driver.lock       locked by the process that runs the study, named in driver.lock.holder
        .lease.json       with --storage: the lease on the copy (study/storage/lease.py)
        artifacts/        links to the renders, for optuna-dashboard
        checkpoints/      of trials that are running or interrupted
        logs/ID.log       log of a trial, attempt by attempt
        errors/ID.txt     tracebacks of a trial's failed attempts
        ray/, wandb/      working files of these tools
        tensorboard/, mlflow/  with --track: what these tools read
        clock.json        with --hours or --budget: the time that launches have taken
        best.toml         the best configuration, for nerf/train.py --config
        best-SCENE.toml, report-SCENE.html  of each of several scenes
        report.html

Files are written atomically: under a hidden temporary name, then renamed. Reading a study needs
only this module; nothing here imports Ray, Optuna or torch.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nerf.common.commands import command_name
from nerf.common.errors import InputError
from nerf.common.files import UNFINISHED, write_atomically
from study.records.outcomes import UNKNOWN_TRIVIAL_PSNR
from study.records.resume_command import resume_command
from study.records.schema import (
    ADDED_COLUMNS,
    SCHEMA_VERSION,
    TRIAL_COLUMNS,
    TableSchema,
    read_table,
    tidy,
)
from study.trainers.objective import NERF_METRICS


@dataclass(frozen=True)
class StudyFolder:
    """The folder of one study."""

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
    def clock(self) -> Path:
        return self.path / "clock.json"

    @property
    def best(self) -> Path:
        return self.path / "best.toml"

    def best_of(self, scene: str) -> Path:
        """The best configuration on one of several scenes."""
        return self.path / f"best-{scene}.toml"

    def report_of(self, scene: str) -> Path:
        """The report on one of several scenes."""
        return self.path / f"report-{scene}.html"

    @property
    def ray(self) -> Path:
        return self.path / "ray"

    @property
    def wandb(self) -> Path:
        return self.path / "wandb"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def mlflow(self) -> Path:
        return self.path / "mlflow"

    def checkpoint(self, trial_id: str) -> Path:
        return self.path / "checkpoints" / f"{trial_id}.pt"

    def trial_folder(self, trial_id: str) -> Path:
        """Files of a trainer's own, beside the checkpoint; removed with it."""
        return self.checkpoint(trial_id).with_suffix("")

    def remove_checkpoint(self, trial_id: str) -> None:
        """Removes what an ended trial does not need any more: its checkpoint and its folder."""
        self.checkpoint(trial_id).unlink(missing_ok=True)
        shutil.rmtree(self.trial_folder(trial_id), ignore_errors=True)

    def log(self, trial_id: str) -> Path:
        return self.path / "logs" / f"{trial_id}.log"

    @property
    def errors(self) -> Path:
        return self.path / "errors"

    def error(self, trial_id: str) -> Path:
        return self.errors / f"{trial_id}.txt"

    def render(self, trial_id: str) -> Path:
        return self.path / "renders" / f"{trial_id}.png"

    def record_file(self, trial_id: str) -> Path:
        return self.path / "records" / f"{trial_id}.json"

    def key(self, file: Path) -> str:
        """The path of a file relative to the study folder, with slashes."""
        return file.relative_to(self.path).as_posix()

    def write_spec(self, spec: dict[str, Any]) -> None:
        write_atomically(self.spec_file, json.dumps(spec, indent=2, allow_nan=False).encode())

    def create(self, spec: dict[str, Any]) -> None:
        """Creates the folder with its study.json; raises `InputError` if study.json exists.

        Of two processes that do this at the same time, one fails.
        """
        temporary = self.path / f".study-{os.getpid()}.json"
        write_atomically(temporary, json.dumps(spec, indent=2, allow_nan=False).encode())
        try:
            os.link(temporary, self.spec_file)  # unlike a rename, it fails if the file exists
        except FileExistsError:
            raise InputError(
                f"{self.path} exists; resume it by --resume, or give another --name"
            ) from None
        finally:
            temporary.unlink()

    def remove_unfinished(self) -> None:
        """Removes temporary files of processes that died; no other process may be writing."""
        for file in self.path.glob(UNFINISHED):
            file.unlink(missing_ok=True)
        for file in self.path.glob(f"*/{UNFINISHED}"):
            file.unlink(missing_ok=True)

    def read_spec(self) -> dict[str, Any]:
        """Reads study.json; raises `InputError` if this is not a study folder, or it is damaged."""
        try:
            spec: dict[str, Any] = dict(json.loads(self.spec_file.read_text(encoding="utf-8")))
        except OSError:
            raise InputError(
                f"{self.path} is not a study folder (no readable study.json); give one that "
                f"{command_name('study/run_sweep.py')} created"
            ) from None
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{self.spec_file} is damaged ({error}); restore it, for instance from the copy "
                "that --storage keeps"
            ) from None
        if spec.get("schema") != SCHEMA_VERSION:
            raise InputError(
                f"{self.spec_file} has schema {spec.get('schema')!r}, but this program reads "
                f"schema {SCHEMA_VERSION}; use the version that wrote it"
            )
        return spec

    def trivial_psnrs(self) -> dict[str, float]:
        """By scene, PSNR (dB) of the best trivial image, such as the mean training image.

        `UNKNOWN_TRIVIAL_PSNR` if study.json has none. A study's only scene is `""`.
        """
        document = self.read_spec()
        scenes: dict[str, Any] = document.get("scenes") or {"": document["scene"]}
        return {
            label: max((about.get("baselines") or {}).values(), default=UNKNOWN_TRIVIAL_PSNR)
            for label, about in scenes.items()
        }

    def append(self, row: dict[str, Any], curve: list[dict[str, Any]]) -> None:
        """Writes the record of an ended trial; `write_tables` adds it to the tables."""
        record = json.dumps({"trial": row, "curve": curve}, default=_to_json)
        write_atomically(self.record_file(row["trial_id"]), record.encode())

    def records(self) -> list[dict[str, Any]]:
        """Reads the records of all ended trials; raises `InputError` if one is damaged."""
        files = self._record_files()
        records = [_read_record(file) for file in files]
        for file, record in zip(files, records, strict=True):
            if record is None:
                raise InputError(
                    f"{file} cannot be read; repair the study with {resume_command(self.path)}"
                )
        return [record for record in records if record is not None]

    def _record_files(self) -> list[Path]:
        """Record files in order, without the hidden ones that are still being written."""
        return sorted((self.path / "records").glob("[0-9]*.json"))

    def count_records(self) -> int:
        """The number of trials that have ended."""
        return len(self._record_files())

    def set_aside_damaged_records(self) -> list[Path]:
        """Renames records that cannot be read to *.json.damaged; returns their old names."""
        files = self._record_files()
        damaged = [file for file in files if _read_record(file) is None]
        for file in damaged:
            file.rename(file.with_suffix(".json.damaged"))
        return damaged

    def write_tables(self) -> None:
        """Rebuilds trials.parquet and curves.parquet from the records."""
        records = self.records()
        write_atomically(self.trials_file, self.build_trials(records).to_parquet(index=False))
        write_atomically(self.curves_file, self.build_curves(records).to_parquet(index=False))

    def build_trials(self, records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """The table of trials with these records."""
        schema = self._schema()
        parameters = schema.parameters
        defaults = {path: parameters.value_before_added(path) for path in parameters.by_path}
        trials = pd.DataFrame([defaults | record["trial"] for record in records])
        return tidy(trials, schema.trial_dtypes(trials.columns))

    def build_curves(self, records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """The table of evaluations in these records."""
        rows = [
            {"trial_id": r["trial"]["trial_id"], **point} for r in records for point in r["curve"]
        ]
        curves = pd.DataFrame(rows)
        return tidy(curves, self._schema().curve_dtypes(curves.columns))

    def read_trials(self) -> pd.DataFrame:
        """Reads trials.parquet: `TRIAL_COLUMNS`, then one column per parameter."""
        schema = self._schema()
        return read_table(self.trials_file, schema.trial_dtypes, schema.parameters)

    def read_curves(self) -> pd.DataFrame:
        """Reads curves.parquet, with `CURVE_COLUMNS`, or a trainer's own metrics."""
        schema = self._schema()
        return read_table(self.curves_file, schema.curve_dtypes, schema.parameters)

    def _schema(self) -> TableSchema:
        return TableSchema.of(self.read_spec()) if self.spec_file.exists() else TableSchema()


def _read_record(file: Path) -> dict[str, Any] | None:
    """Reads a record; None if it is damaged."""
    try:
        record = json.loads(file.read_bytes())
        required = TRIAL_COLUMNS.keys() - {*NERF_METRICS, *ADDED_COLUMNS}
        is_complete = required <= set(record["trial"]) and isinstance(record["curve"], list)
    except (ValueError, TypeError, KeyError):
        return None
    return record if is_complete else None


def _to_json(value: Any) -> Any:
    """Converts numpy scalars and paths for JSON."""
    return value.item() if hasattr(value, "item") else str(value)
