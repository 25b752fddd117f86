"""The plan of a study that does not exist yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from nerf.common.errors import InputError, closest
from nerf.config.image_metrics import IMAGE_METRICS
from nerf.config.plugin import load_named
from study.cli.earlier_studies import take_over
from study.cli.load_scenes import load_scenes
from study.cli.options import Options
from study.cli.plan import Plan
from study.cli.plan_checks import (
    check_tried_points,
    require_program,
    require_variants_for_repeats,
    study_folder,
    with_rows,
)
from study.records.schema import CURVE_COLUMNS, SCENE_COLUMN, TRIAL_COLUMNS
from study.spec.default_space import DEFAULT_SPACE, SPACES
from study.spec.optimiser import require_sampler
from study.spec.stopping_rule import FIRST_LOOK, MAX_EXPLORE
from study.spec.study_rules import require
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from study.spec.tried_points import parse_points
from study.trainers.collapse_rule import parse_rule
from study.trainers.find_trainer import find_trainer
from study.trainers.parameter_set import (
    SEED,
    DeclaredParameters,
    NerfParameters,
    ParameterSet,
)
from study.trainers.parse_objectives import parse_objectives
from study.trainers.program.command import Program


def plan_new(options: Options) -> Plan:
    """A study that does not exist yet."""
    spec = _make_spec(options)
    require_program(spec)
    name = options.name or f"{_stem(spec)}-{datetime.now():%Y%m%d-%H%M%S}"
    if Path(name).name != name:
        raise InputError(
            f"--name must be a plain folder name, got {name!r}; name its parent by --studies"
        )
    if not options.save_study:
        require_sampler(spec.sampler)
    folder = study_folder(options, name)
    # A driver that died while it wrote study.json leaves nothing but hidden temporary files.
    if folder.path.exists() and any(p.name[0] != "." for p in folder.path.iterdir()):
        raise InputError(f"{folder.path} exists; resume it by --resume, or give another --name")
    spec, scenes = load_scenes(spec)
    check_tried_points(spec.tries, spec)
    taken = [take_over(Path(study), spec, scenes.get("")) for study in options.from_studies]
    spec = dataclasses.replace(spec, earlier=(*spec.earlier, *(each.trials for each in taken)))
    notes = tuple(each.note for each in taken)
    return Plan(folder, spec, scenes, is_new=True, taken_over=notes)


def _make_spec(options: Options) -> StudySpec:
    """The study that the options describe, before its scenes are read."""
    parameters = _parameters(options)
    options = with_rows(options, parameters)
    require_variants_for_repeats(options, bool(options.variants))
    objectives = parse_objectives(
        options.metric,
        options.direction,
        options.unit,
        "" if parameters.is_nerf else "--command" if options.command else "--trainable",
    )
    steps = _default_steps(parameters) if options.steps is None else options.steps
    space = study_space(
        options.vary,
        options.set,
        steps,
        options.variants,
        options.defaults,
        options.space_name,
        parameters,
    )
    fields = {"steps": steps, **options.spec_fields()}
    fields |= {"objectives": objectives, "plugins": load_named(options.plugin)}
    trainer = parameters.trainer if isinstance(parameters, DeclaredParameters) else None
    if trainer or options.scenes:
        fields = {"scene": "", **fields}
    if isinstance(trainer, Program):
        fields["workdir"] = trainer.workdir
    if not trainer and not options.vary and not options.variants:
        fields = {**SPACES[options.space_name or DEFAULT_SPACE].phases, **fields}
    if options.variants:  # they take the place of the default design
        fields = {"explore": 0, "optimize": 0, "replicates": 0, **fields}
    if parameters.is_nerf:
        _check_collapse(options.collapse)
    _check_optimiser(options, fields.get("optimize", StudySpec.optimize))
    if options.design == "grid":
        fields = {"explore": space.grid_size, **fields}
    if options.design in ("grid", "random"):  # neither is made of nets
        fields["nets"] = 1
    if options.until:
        most = options.explore or MAX_EXPLORE
        fields |= {"explore": min(FIRST_LOOK, most), "max_explore": most, "is_exploring": True}
    return StudySpec(space=space, tries=parse_points(options.try_texts, parameters), **fields)


def _check_collapse(rules: Sequence[str]) -> None:
    """Raises `InputError` for a rule about what is not reported of a NeRF, which never holds."""
    known = [*(CURVE_COLUMNS.keys() - {"trial_id", "step"}), *(m.name for m in IMAGE_METRICS.all)]
    for rule in map(parse_rule, rules):
        require(
            rule.metric in known,
            f"--collapse {rule.metric}: a NeRF reports {', '.join(sorted(known))}"
            f"{closest(rule.metric, known)}",
        )


def _check_optimiser(options: Options, optimize: int) -> None:
    """Raises `InputError` for options of optimised trials that would have no effect."""
    starts = bool(options.from_studies or options.earlier)
    require(
        not starts or (optimize > 1 and options.sampler != "random"),
        "--from starts a sampler that learns, and this study has none; raise --optimise, choose "
        "another --sampler, or remove it",
    )
    for name in ("sampler", "pruner"):
        if getattr(options, name) is not None and not optimize:
            raise InputError(
                f"--{name} {getattr(options, name)} is for optimised trials, and the study has "
                "none; raise --optimise, or remove it"
            )


def _parameters(options: Options) -> ParameterSet:
    trainer = find_trainer(options.given())
    if trainer is None:
        return NerfParameters.with_plugins()
    parameters = DeclaredParameters.of(trainer)
    columns = {*TRIAL_COLUMNS, SCENE_COLUMN} - {SEED}
    taken = [path for path in parameters.by_path if path in columns]
    require(
        not taken,
        f"{trainer.name}: {', '.join(taken)} is the name of a column of every table; rename this "
        "parameter",
    )
    return parameters


def _default_steps(parameters: ParameterSet) -> int:
    """The full budget without `--steps`: a trainer's own default, if it has one."""
    if parameters.is_nerf:
        return StudySpec.steps
    declared = parameters.by_path.get(parameters.steps_path)
    return int(declared.default) if declared and declared.kind == "int" else StudySpec.steps


def _stem(spec: StudySpec) -> str:
    """What the name of a study without `--name` begins with."""
    if spec.scenes:
        return "-".join(spec.labels)
    if spec.scene:
        return Path(spec.scene).stem
    return Path(spec.parameter_file or spec.trainable.rpartition(":")[0]).stem
