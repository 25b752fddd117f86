"""The study folder of a `StudySearcher`: created, opened again, or extended."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from nerf.common.errors import InputError
from study.ledger.ledger import Ledger
from study.records.provenance import extended_document, study_document
from study.records.study_folder import StudyFolder
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from study.trainers.objective import Objective
from study.trainers.parameter_set import DeclaredParameters
from study.trainers.trainable import TUNER, list_declared


class DesignOptions(TypedDict, total=False):
    """How many trials of each phase; defaults are those of `run_sweep.py`."""

    explore: int
    optimise: int
    replicates: int
    seed: int


@dataclass(frozen=True)
class TuneStudy:
    """An open study folder; its ledger holds the lock."""

    folder: StudyFolder
    ledger: Ledger


def open_tune_study(
    path: Path,
    config: type,
    objective: tuple[str, str, bool],
    steps: int,
    varied: Sequence[str],
    settings: Sequence[str],
    design: Mapping[str, Any],
) -> TuneStudy:
    """The study in the folder `path`, which is created if there is none; raises `InputError`."""
    if unknown := design.keys() - DesignOptions.__annotations__.keys():
        raise InputError(f"StudySearcher has no argument {', '.join(sorted(unknown))}")
    parameters = DeclaredParameters(list_declared(config))
    fields = {{"optimise": "optimize"}.get(name, name): value for name, value in design.items()}
    spec = StudySpec(
        space=study_space(varied, settings, steps, parameters=parameters),
        scene="",
        trainable=f"{TUNER}:{config.__qualname__}",
        objectives=(Objective(*objective),),
        steps=steps,
        retries=0,  # Ray's own FailureConfig retries
        **fields,
    )
    folder = StudyFolder(path.expanduser().absolute())
    if not folder.spec_file.exists():
        folder.create(study_document(folder.name, spec, {}, sys.argv))
        return TuneStudy(folder, Ledger(folder, spec))
    document = folder.read_spec()
    saved = StudySpec.from_json(document)
    _require_same(folder, spec, saved)
    ledger = Ledger(folder, spec)
    if spec.planned != saved.planned:
        folder.write_spec(extended_document(document, spec, sys.argv))
    return TuneStudy(folder, ledger)


def _require_same(folder: StudyFolder, spec: StudySpec, saved: StudySpec) -> None:
    """Raises `InputError` where the study was made for something else, or is to shrink."""
    phases = ("explore", "optimize", "replicates")
    same_counts = {phase: getattr(saved, phase) for phase in phases}
    now, before = dataclasses.replace(spec, **same_counts).to_json(), saved.to_json()
    changed = [name for name, value in now.items() if value != before.get(name)]
    changed += [] if spec.space.to_json() == saved.space.to_json() else ["config, vary or set"]
    if changed:
        raise InputError(
            f"study {folder.name} in {folder.path} was made with another {', '.join(changed)}; "
            "give the same, or another path"
        )
    for phase, count in same_counts.items():
        if getattr(spec, phase) < count:
            raise InputError(
                f"study {folder.name} has {phase.replace('optimize', 'optimise')}={count}, got "
                f"{getattr(spec, phase)}; give that, or more to extend it"
            )
