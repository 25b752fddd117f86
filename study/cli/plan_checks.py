"""What plans of new and of saved studies have in common: folders, rows of a table, and checks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from nerf.common.errors import InputError
from study.cli.options import Options
from study.records.study_folder import StudyFolder
from study.spec.design_file import is_design_file, read_design
from study.spec.study_rules import require
from study.spec.study_spec import StudySpec
from study.spec.tried_points import TriedPoint, check_points
from study.trainers.parameter_set import (
    DeclaredParameters,
    ParameterSet,
)
from study.trainers.program.command import Program, find_places, require_found


def with_rows(options: Options, parameters: ParameterSet) -> Options:
    """The options with the rows of a design in a file as variants."""
    if options.design is None or not is_design_file(options.design):
        return options
    require(
        not options.variants,
        f"--design {options.design} lists configurations, and so do the variants of the --study "
        "file; leave one of them out",
    )
    rows = read_design(Path(options.design), parameters)
    return dataclasses.replace(options, design=None, variants=rows)


def check_tried_points(points: Sequence[TriedPoint], spec: StudySpec) -> None:
    """Raises `InputError` for a point of `--try` that is invalid on some scene."""
    for label in spec.labels:
        check_points(points, spec.of_scene(label).space)


def require_program(spec: StudySpec) -> None:
    """Raises `InputError` if trials run on this machine and it lacks the study's program."""
    parameters = spec.space.parameters
    if isinstance(parameters, DeclaredParameters) and isinstance(parameters.trainer, Program):
        program = parameters.trainer
        require(
            "scene" not in find_places(program.command) or bool(spec.scene_sources),
            "--command has {scene}, but there is no --scene; add it",
        )
        if not spec.address:
            require_found(program)


def require_variants_for_repeats(options: Options, has_variants: bool) -> None:
    """Raises `InputError` if `--repeats` is given for a study without variants."""
    if options.repeats is not None and not has_variants:
        raise InputError(
            f"--repeats {options.repeats} is for a study of variants, and this study has none; "
            "give a --design FILE.csv or a --study file that lists them, or --replicates to repeat "
            "explored configurations"
        )


def studies_folder(options: Options) -> Path:
    return Path(options.studies or "studies").absolute()


def study_folder(options: Options, name: str) -> StudyFolder:
    return StudyFolder(studies_folder(options) / name)
