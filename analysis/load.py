"""Study folder -> tidy data frames, and which of its trials may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nerf.parameters import Value, flatten, parameters
from study.folder import StudyFolder
from study.space import Space
from study.storage import borrow, is_url


@dataclass(frozen=True)
class Study:
    """One study as read from its folder; complete for the trials that have ended so far.

    trials: the columns of `study.folder.TRIAL_COLUMNS` and one for each parameter, a row a trial
    curves: the columns of `study.folder.CURVE_COLUMNS`, a row an evaluation
    assumed: what another tool's record does not say and was guessed; empty for our own
    """

    folder: StudyFolder
    name: str
    created: str
    scene: Mapping[str, Any]
    asked: Mapping[str, Any]
    versions: Mapping[str, Any]
    command: tuple[str, ...]
    space: Space
    trials: pd.DataFrame
    curves: pd.DataFrame
    assumed: tuple[str, ...] = ()

    @property
    def defaults(self) -> dict[str, Value]:
        """The default configuration's varied values; empty for parameters that are not a NeRF's."""
        if all(d.path in parameters() for d in self.space.dimensions):
            return self.space.defaults()
        return {}

    @property
    def default_configuration(self) -> dict[str, Value]:
        """Every parameter's value under the defaults, near and far from the scene's bounds."""
        if not self.defaults:
            return {}
        return flatten(self.space.config(self.defaults))

    @property
    def baselines(self) -> dict[str, float]:
        """PSNR in dB of pictures that know nothing of the scene; empty where not recorded."""
        return dict(self.scene.get("baselines") or {})


@dataclass(frozen=True)
class Comparable:
    """The trials that a variance share may be computed from, and how many were left out, by why."""

    trials: pd.DataFrame
    left_out: Mapping[str, int]

    def sentence(self) -> str:
        """What was used and what was not, for a person."""
        used = f"{_count(len(self.trials), 'trial')} used"
        if not self.left_out:
            return f"{used}, none left out."
        reasons = "; ".join(f"{count} {reason}" for reason, count in self.left_out.items())
        return f"{used}; left out: {reasons}."


def load_study(folder: StudyFolder | Path | str) -> Study:
    """The study in `folder`, as far as it has come; raises `InputError` where there is none.

    An s3://... or gs://... URL is that of a copy which `run_sweep.py --storage` keeps.
    """
    if isinstance(folder, str) and is_url(folder):
        folder = borrow(folder)
    folder = folder if isinstance(folder, StudyFolder) else StudyFolder(Path(folder))
    spec = folder.read_spec()
    return Study(
        folder=folder,
        name=str(spec.get("name", folder.name)),
        created=str(spec.get("created", "")),
        scene=spec.get("scene", {}),
        asked=spec.get("spec", {}),
        versions=spec.get("versions", {}),
        command=tuple(map(str, spec.get("command", ()))),
        space=Space.from_json(spec["space"]),
        trials=folder.read_trials(),
        curves=folder.read_curves(),
    )


def comparable(trials: pd.DataFrame) -> Comparable:
    """The explore trials that reached one common budget with a finite PSNR.

    Trials stopped early carry the PSNR of another budget, and those of the optimise phase were
    drawn where results were already good; either would move the shares (see the README).
    """
    explore = trials["phase"] == "explore"
    budget = int(trials.loc[explore, "budget_steps"].max()) if explore.any() else 0
    short = trials["steps_done"] < trials["budget_steps"]
    reasons = np.select(
        [
            trials["phase"] == "replicate",
            ~explore,
            trials["state"] == "failed",
            (trials["state"] == "collapsed") & short,
            short,
            trials["budget_steps"] != budget,
            ~np.isfinite(trials["psnr"]),
        ],
        [
            "repeated with another seed",
            "of the optimise phase (drawn where results were good)",
            "failed",
            "collapsed before the full budget",
            "stopped before the full budget",
            "with another budget",
            "without a finite PSNR",
        ],
        default="",
    )
    counts = pd.Series(reasons[reasons != ""]).value_counts(sort=False)
    return Comparable(trials[reasons == ""], {str(k): int(v) for k, v in counts.items()})


def measured(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials with a finite PSNR, however they ended."""
    return pd.DataFrame(trials[np.isfinite(trials["psnr"].to_numpy(dtype=float))])


def finished(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials of any phase that reached their budget alive, with a finite PSNR."""
    alive = (trials["state"] == "completed") & (trials["steps_done"] == trials["budget_steps"])
    return measured(trials[alive.to_numpy(dtype=bool)])


def default_trial(study: Study) -> pd.Series | None:
    """The finished trial that ran the default configuration, or None where the study has none."""
    done = finished(study.trials)
    if not study.defaults:
        return None
    same = matching(done, study.defaults)
    return done[same].iloc[0] if same.any() else None


def matching(trials: pd.DataFrame, values: Mapping[str, Value]) -> NDArray[np.bool_]:
    """(trials,) whether each one has all these values."""
    same = np.ones(len(trials), dtype=bool)
    for path, value in values.items():
        same &= _equals(trials[path], value)
    return same


def best_trial(trials: pd.DataFrame) -> pd.Series | None:
    """The finished trial of highest validation PSNR, or None where none has finished.

    Replicates are not among them: they say how good the best one is with other seeds.
    """
    done = finished(trials[trials["phase"] != "replicate"])
    return None if done.empty else done.iloc[int(done["psnr"].argmax())]


def _equals(column: pd.Series, value: Value) -> NDArray[np.bool_]:
    if isinstance(value, float):
        return np.asarray(np.isclose(column.to_numpy(dtype=float), value))
    return np.asarray(column == value, dtype=bool)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
