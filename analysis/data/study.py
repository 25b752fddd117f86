"""Study folder -> tidy data frames, and which of its trials may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nerf.config.flat import flatten
from nerf.config.parameters import Value, parameters
from study.records.study_folder import StudyFolder
from study.spec.space import Space
from study.spec.storage_url import is_url
from study.storage.remote import borrow


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
    spec: Mapping[str, Any]
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
    def trivial_psnrs(self) -> dict[str, float]:
        """PSNR in dB of pictures that know nothing of the scene; empty where not recorded."""
        return dict(self.scene.get("baselines") or {})


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
        spec=spec.get("spec", {}),
        versions=spec.get("versions", {}),
        command=tuple(map(str, spec.get("command", ()))),
        space=Space.from_json(spec["space"]),
        trials=folder.read_trials(),
        curves=folder.read_curves(),
    )
