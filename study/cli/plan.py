"""What a command is about to run: a new study, a study to resume, or a study to extend."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nerf.common.commands import command_line
from nerf.common.errors import InputError
from nerf.config.parameters import list_parameters
from nerf.config.plugin import load_named
from study.cli.choose_study import only_study, only_unfinished_study
from study.cli.earlier_studies import take_over
from study.cli.load_scenes import Scenes, list_scale_notes, load_saved_scenes, load_scenes
from study.cli.load_trainer import with_trainer
from study.cli.options import Options
from study.driver.time_limit import Clock
from study.records.provenance import changes_since, extended_document
from study.records.schema import SCENE_COLUMN, TRIAL_COLUMNS
from study.records.study_folder import StudyFolder
from study.spec.default_space import DEFAULT_SPACE, SPACES
from study.spec.design_file import is_design_file, read_design
from study.spec.existing_study import launch_fields, require_same_study, with_more_trials
from study.spec.optimiser import describe_limits, require_sampler
from study.spec.stopping_rule import FIRST_LOOK, MAX_EXPLORE, StoppingRule, list_looks
from study.spec.study_rules import require
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from study.spec.tried_points import TriedPoint, check_points, describe_outside, parse_points
from study.spec.widened_ranges import describe_widened
from study.storage.mirror import restore
from study.trainers.find_trainer import find_trainer
from study.trainers.parameter_set import (
    SEED,
    STEPS,
    DeclaredParameters,
    NerfParameters,
    ParameterSet,
)
from study.trainers.parse_objectives import parse_objectives
from study.trainers.program.command import Program, find_places, require_found


@dataclass(frozen=True)
class Plan:
    """A study that is about to be started or resumed."""

    folder: StudyFolder
    spec: StudySpec
    scenes: Scenes
    """Of a trainer that needs no scene: none."""
    is_new: bool
    extended_document: dict[str, Any] | None = None
    """The new study.json of an extended study, to be written once its lock is held."""
    warning: str = ""
    taken_over: tuple[str, ...] = ()
    """What `--from` took of other studies, a line each."""

    @property
    def notes(self) -> list[str]:
        """What the person who starts the study should know of it, a line each."""
        spec = self.spec
        if not self.is_new and not self.extended_document:
            return self._several_metrics()
        limits = describe_limits(spec.sampler, spec.space.dimensions)
        spaces = [spec.of_scene(label).space for label in spec.labels]
        outside = dict.fromkeys(line for s in spaces for line in describe_outside(spec.tries, s))
        notes = [*([limits] if limits else []), *outside, *self.taken_over]
        if self.is_new:
            notes = [*describe_widened(spec.space), *list_scale_notes(spec), *notes]
        return [*notes, *self._several_metrics()]

    def _several_metrics(self) -> list[str]:
        spec = self.spec
        if spec.can_prune or not spec.optimize:
            return []
        names = " and ".join(objective.label for objective in spec.objectives)
        return [
            f"the optimise phase seeks the Pareto front of {names}; Optuna cannot prune trials of "
            "several metrics, so that each trains to its end"
        ]

    @property
    def summary(self) -> str:
        """What is about to run, in one line."""
        study = f"study {self.folder.name} in {self.folder.path}"
        if self.is_new and self.spec.is_exploring:
            return f"{study}: {_describe_exploring(self.spec)}"
        if self.is_new:
            return f"{study}: {self.spec.trials} trials of {self.spec.steps} steps{self._shared}"
        count = self.folder.count_records()
        ended = f"{count} of {self.spec.trials} trials have ended"
        if self.spec.is_exploring:
            ended = f"{count} trials have ended; {_describe_exploring(self.spec)}"
        return f"{study}: {'extended' if self.extended_document else 'resuming'}, {ended}"

    def require_time(self) -> None:
        """Raises `InputError` if trials are left and the hours of the study are used up."""
        spec, clock = self.spec, Clock.read(self.folder)
        if self.is_new or spec.is_finished(self.folder.count_records()):
            return
        for option, given, used in (
            ("--hours", spec.hours, clock.seconds),
            ("--budget", spec.budget, clock.gpu_seconds),
        ):
            require(
                not given or used < 3600 * given,
                f"the study has used the {given:g} hours of its {option}; resume it with more, "
                f"such as {option} {2 * given:g}",
            )

    @property
    def _shared(self) -> str:
        """How trials are divided among several scenes, if there are several."""
        count = len(self.spec.scenes)
        return f", {self.spec.trials // count} on each of {count} scenes" if count else ""

    @property
    def report_hint(self) -> str:
        """The command that reports on the trials that have ended, for a person to copy."""
        return f"report so far: {command_line('analysis/report.py', self.folder.path)}"

    @property
    def resume_hint(self) -> str:
        """The command that resumes the study, for a person to copy."""
        place = ("--studies", self.folder.path.parent, "--name", self.folder.name)
        return f"resume with: {command_line('study/run_sweep.py', *place, '--resume')}"


def _describe_exploring(spec: StudySpec) -> str:
    """What a study explores until a rule is met, and what comes then."""
    rule = StoppingRule.parse(spec.until)
    return (
        f"explores {spec.explore} to {spec.max_explore} trials of {spec.steps} steps, until "
        f"{rule.describe()}; then {spec.optimize} optimise and {spec.replicates} replicate"
    )


def make_plan(options: Options) -> Plan:
    """The plan that the options describe; raises `InputError` and changes nothing on disk.

    Only a study that is missing here and has a copy in `--storage` is restored from there.
    """
    if options.extend is not None:
        return plan_extend(options, options.extend)
    return plan_resume(options) if options.resume else plan_new(options)


def plan_new(options: Options) -> Plan:
    """A study that does not exist yet."""
    parameters = _parameters(options)
    options = _with_rows(options, parameters)
    _check_repeats(options, bool(options.variants))
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
    plugins = load_named(options.plugin)
    fields = {"steps": steps, **options.spec_fields(), "objectives": objectives}
    fields |= {"plugins": plugins}
    trainer = parameters.trainer if isinstance(parameters, DeclaredParameters) else None
    if trainer or options.scenes:
        fields = {"scene": "", **fields}
    if isinstance(trainer, Program):
        fields["workdir"] = trainer.workdir
    if not trainer and not options.vary and not options.variants:
        fields = {**SPACES[options.space_name or DEFAULT_SPACE].phases, **fields}
    if options.variants:  # they take the place of the default design
        fields = {"explore": 0, "optimize": 0, "replicates": 0, **fields}
    _check_optimiser(options, fields.get("optimize", StudySpec.optimize))
    if options.design == "grid":
        fields = {"explore": space.grid_size, **fields}
    if options.design in ("grid", "random"):  # neither is made of nets
        fields["nets"] = 1
    if options.until:
        most = options.explore or MAX_EXPLORE
        fields |= {"explore": min(FIRST_LOOK, most), "max_explore": most, "is_exploring": True}
    spec = StudySpec(space=space, tries=parse_points(options.try_texts, parameters), **fields)
    _require_program(spec)
    name = options.name or f"{_stem(spec)}-{datetime.now():%Y%m%d-%H%M%S}"
    if Path(name).name != name:
        raise InputError(
            f"--name must be a plain folder name, got {name!r}; name its parent by --studies"
        )
    if not options.save_study:
        require_sampler(spec.sampler)
    folder = _folder(options, name)
    # A driver that died while it wrote study.json leaves nothing but hidden temporary files.
    if folder.path.exists() and any(p.name[0] != "." for p in folder.path.iterdir()):
        raise InputError(f"{folder.path} exists; resume it by --resume, or give another --name")
    spec, scenes = load_scenes(spec)
    _check_points(spec.tries, spec)
    taken = [take_over(Path(study), spec, scenes.get("")) for study in options.from_studies]
    spec = dataclasses.replace(spec, earlier=(*spec.earlier, *(each.trials for each in taken)))
    notes = tuple(each.note for each in taken)
    return Plan(folder, spec, scenes, is_new=True, taken_over=notes)


def _check_points(points: Sequence[TriedPoint], spec: StudySpec) -> None:
    """Raises `InputError` for a point of `--try` that is invalid on some scene."""
    for label in spec.labels:
        check_points(points, spec.of_scene(label).space)


def _with_rows(options: Options, parameters: ParameterSet) -> Options:
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


def _require_program(spec: StudySpec) -> None:
    """Raises `InputError` where this machine, if it is the one, cannot run the study's program."""
    parameters = spec.space.parameters
    if isinstance(parameters, DeclaredParameters) and isinstance(parameters.trainer, Program):
        program = parameters.trainer
        require(
            "scene" not in find_places(program.command) or bool(spec.scene_sources),
            "--command has {scene}, but there is no --scene; add it",
        )
        if not spec.address:
            require_found(program)


def _default_steps(parameters: ParameterSet) -> int:
    """The full budget without `--steps`: a trainer's own default, if it has one."""
    declared = parameters.by_path.get(STEPS)
    return int(declared.default) if declared and declared.kind == "int" else StudySpec.steps


def _stem(spec: StudySpec) -> str:
    """What the name of a study without `--name` begins with."""
    if spec.scenes:
        return "-".join(spec.labels)
    if spec.scene:
        return Path(spec.scene).stem
    return Path(spec.parameter_file or spec.trainable.rpartition(":")[0]).stem


def plan_resume(options: Options) -> Plan:
    """What is left of the study `--name`, which keeps its design."""
    folder = _folder(options, options.name) if options.name else None
    saved = _read_saved(folder or only_unfinished_study(_studies(options)), options)
    plan = _plan_saved(saved, options)
    plan = _with_more_hours(plan, saved)
    changes = "; ".join(changes_since(saved.document, plan.spec))
    warning = f"study {plan.folder.name} was created differently: {changes}" if changes else ""
    return dataclasses.replace(plan, warning=warning)


def _with_more_hours(plan: Plan, saved: _Saved) -> Plan:
    """The plan with the trials that were left out for want of time, if it has more of that now."""
    before, now, cut = saved.spec, plan.spec, saved.document.get("cut")
    is_more = now.hours > before.hours or now.budget > before.budget
    if not cut or not is_more:
        return plan
    wanted = cut["from"]
    fields: dict[str, Any] = {"optimize": wanted["optimize"], "replicates": wanted["replicate"]}
    was_exploring = now.until and wanted["explore"] == now.max_explore > now.explore
    if was_exploring and not any(look["is_settled"] for look in saved.document.get("looks", [])):
        sizes = list_looks(now.max_explore)
        next_look = next(size for size in sizes if size >= now.explore)
        fields |= {"explore": next_look, "is_exploring": True}
    elif not now.until:
        fields["explore"] = wanted["explore"]
    spec = dataclasses.replace(now, **fields)
    document = {key: value for key, value in saved.document.items() if key != "cut"}
    return dataclasses.replace(
        plan, spec=spec, extended_document=extended_document(document, spec, sys.argv)
    )


def plan_extend(options: Options, trials: int) -> Plan:
    """The study `--name` with more `trials`, and with `--replicates` more replicates."""
    folder = _folder(options, options.name) if options.name else None
    saved = _read_saved(folder or only_study(_studies(options)), options)
    plan = _plan_saved(saved, dataclasses.replace(options, try_texts=()))
    changes = "; ".join(changes_since(saved.document, plan.spec))
    if changes and not options.allow_changes:
        raise InputError(
            f"new trials may not be comparable with those of study {plan.folder.name}: {changes}; "
            "restore that, give another --name, or add --allow-changes"
        )
    tries = parse_points(options.try_texts, plan.spec.space.parameters)
    _check_points(tries, plan.spec)
    spec = with_more_trials(plan.spec, trials, options.more_replicates or 0, tries)
    longer = extended_document(saved.document, spec, sys.argv)
    return dataclasses.replace(plan, spec=spec, extended_document=longer)


@dataclass(frozen=True)
class _Saved:
    """A study on disk."""

    folder: StudyFolder
    document: dict[str, Any]
    spec: StudySpec


def _read_saved(folder: StudyFolder, options: Options) -> _Saved:
    """The study in `folder`, restored from `--storage` if it is missing here."""
    if options.storage is not None:
        restore(folder, options.storage)
    if not folder.path.exists():
        raise InputError(
            f"there is no study {folder.name} in {folder.path.parent}; leave out --resume or "
            "--extend to start it, or name its parent by --studies"
        )
    document = folder.read_spec()
    spec = StudySpec.from_json(document)
    spec = _with_plugins(spec, options.plugin)
    return _Saved(folder, document, with_trainer(spec, options.given()))


def _with_plugins(spec: StudySpec, named: Sequence[str]) -> StudySpec:
    """The saved study with its plugins loaded, from other places where those are `named`."""
    places = {Path(plugin.file).name: plugin.file for plugin in spec.plugins}
    for file in named:
        require(
            Path(file).name in places,
            f"--plugin {file} is not one of the study's ({', '.join(places.values()) or 'none'}); "
            "leave it out to resume, or give another --name",
        )
        places[Path(file).name] = file
    plugins = load_named(tuple(places.values()))
    now = list_parameters()
    for recorded in spec.space.parameters.by_path.values() if plugins else ():
        kept = recorded.path in now and set(recorded.choices) <= set(now[recorded.path].choices)
        require(
            kept,
            f"the study's plugins have {recorded.path} in another way than when it was created; "
            "restore them, or start a new study with another --name",
        )
    return dataclasses.replace(spec, plugins=plugins)


def _plan_saved(saved: _Saved, options: Options) -> Plan:
    """The saved study, launched with the options, none of which may change its design."""
    options = _with_rows(options, saved.spec.space.parameters)
    _check_repeats(options, bool(saved.spec.variants))
    earlier = [extension["from"] for extension in saved.document.get("extended", [])]
    require_same_study(options.given(), saved.spec, earlier)
    if not options.save_study:
        require_sampler(saved.spec.sampler)
    spec = dataclasses.replace(saved.spec, **launch_fields(options.spec_fields()))
    _require_program(spec)
    scenes = load_saved_scenes(spec, saved.document, saved.folder.name)
    return Plan(saved.folder, spec, scenes, is_new=False)


def _check_repeats(options: Options, has_variants: bool) -> None:
    """Raises `InputError` if `--repeats` is given for a study without variants."""
    if options.repeats is not None and not has_variants:
        raise InputError(
            f"--repeats {options.repeats} is for a study of variants, and this study has none; "
            "give a --design FILE.csv or a --study file that lists them, or --replicates to repeat "
            "explored configurations"
        )


def _studies(options: Options) -> Path:
    return Path(options.studies or "studies").absolute()


def _folder(options: Options, name: str) -> StudyFolder:
    return StudyFolder(_studies(options) / name)
