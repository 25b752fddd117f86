"""Loads the trainer of an existing study, to resume or extend it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.spec.study_rules import require
from study.spec.study_spec import StudySpec
from study.trainers.find_trainer import TRAINER_OPTIONS, find_trainer
from study.trainers.parameter_set import DeclaredParameters
from study.trainers.program.command import Program, require_valid
from study.trainers.trainer import Trainer


def with_trainer(spec: StudySpec, given: Mapping[str, Any]) -> StudySpec:
    """The saved study with its trainer, from another place if the options `given` name one.

    Its parameters stay those with which it was created.
    """
    named = {name: given[name] for name in TRAINER_OPTIONS if name in given}
    saved = spec.space.parameters
    if not isinstance(saved, DeclaredParameters):
        require(not named, "the study trains NeRFs; leave out its trainer to resume it")
        return spec
    for option, other in (("trainable", spec.command), ("command", spec.trainable)):
        require(
            option not in named or not other,
            f"the study's trainer is {other}; leave out --{option} to resume it",
        )
    fields = {name: named.get(name, getattr(spec, name)) for name in TRAINER_OPTIONS}
    known = {name: value for name, value in fields.items() if value}
    trainer = _load_program(fields, saved, named) if spec.command else find_trainer(known)
    assert trainer
    fields |= {"trainable": trainer.name} if spec.trainable else {}
    _require_parameters(trainer, saved)
    space = dataclasses.replace(spec.space, parameters=dataclasses.replace(saved, trainer=trainer))
    return dataclasses.replace(spec, space=space, **fields)


def _load_program(
    fields: Mapping[str, str], saved: DeclaredParameters, named: Mapping[str, Any]
) -> Program:
    """The program with the parameters in study.json, as their file may be gone."""
    file = fields["parameter_file"]
    if "parameter_file" in named or Path(file).exists():
        program = find_trainer(fields)
        assert isinstance(program, Program)
        _require_parameters(program, saved)
    program = Program(fields["command"], saved.declared, file, fields["workdir"])
    require_valid(program)
    return program


def _require_parameters(trainer: Trainer, saved: DeclaredParameters) -> None:
    """Raises `InputError` unless the trainer has all parameters of the study."""
    now = {parameter.path: parameter for parameter in trainer.load().parameters}
    gone = [p.path for p in saved.declared if p.path not in now or now[p.path].kind != p.kind]
    require(
        not gone,
        f"{trainer.name} no longer declares {', '.join(gone)} as when the study was created; "
        "restore it, or start a new study with another --name",
    )
