"""What a command is about to run: a new study, a study to resume, or a study to extend."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nerf.common.commands import command_line
from nerf.common.errors import InputError
from nerf.scenes import load, load_saved
from nerf.scenes.scene import Scene
from study.cli.options import Options
from study.records.provenance import changes_since, extended_document
from study.records.study_folder import StudyFolder
from study.spec.existing_study import require_same_study, with_more_trials
from study.spec.space import Space
from study.spec.study_spec import StudySpec, study_space
from study.spec.variants import variant_values
from study.storage.mirror import restore


@dataclass(frozen=True)
class Plan:
    """A study that is about to be started or resumed."""

    folder: StudyFolder
    spec: StudySpec
    scene: Scene
    is_new: bool
    extended_document: dict[str, Any] | None = None
    """The new study.json of an extended study, to be written once its lock is held."""
    warning: str = ""

    @property
    def resume_hint(self) -> str:
        """The command that resumes the study, for a person to copy."""
        place = ("--studies", self.folder.path.parent, "--name", self.folder.name)
        return f"resume with: {command_line('study/run_sweep.py', *place, '--resume')}"


def make_plan(options: Options) -> Plan:
    """The plan that the options describe; raises `InputError` and changes nothing on disk.

    Only a study that is missing here and has a copy in `--storage` is restored from there.
    """
    if options.extend is not None:
        return plan_extend(options, options.extend)
    return plan_resume(options) if options.resume else plan_new(options)


def plan_new(options: Options) -> Plan:
    """A study that does not exist yet."""
    _check_repeats(options, bool(options.variants))
    steps = StudySpec.steps if options.steps is None else options.steps
    space = study_space(options.vary, options.set, steps, options.variants)
    fields = options.spec_fields()
    if options.variants:  # they take the place of the default design
        fields = {"explore": 0, "optimize": 0, "replicates": 0, **fields}
    if options.design == "grid":
        fields = {"explore": space.grid_size, **fields, "nets": 1}
    spec = StudySpec(space=space, **fields)
    stem = Path(options.scene).stem if options.scene else "bricks"
    name = options.name or f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"
    if Path(name).name != name:
        raise InputError(
            f"--name must be a plain folder name, got {name!r}; name its parent by --studies"
        )
    folder = _folder(options, name)
    # A driver that died while it wrote study.json leaves nothing but hidden temporary files.
    if folder.path.exists() and any(p.name[0] != "." for p in folder.path.iterdir()):
        raise InputError(f"{folder.path} exists; resume it by --resume, or give another --name")
    scene = load(spec.scene, **_scene_options(spec))
    space = _scene_space(spec, (round(scene.bounds.near, 3), round(scene.bounds.far, 3)))
    for background in space.values("optimisation.background"):
        if background == "random":
            scene.require_alphas(str(background))
    return Plan(folder, dataclasses.replace(spec, space=space), scene, is_new=True)


def plan_resume(options: Options) -> Plan:
    """What is left of the study `--name`, which keeps its design."""
    saved = _read_saved(options, "--resume")
    fields = options.spec_fields()
    plan = _plan_saved(saved, options, fields)
    changes = "; ".join(changes_since(saved.document))
    warning = f"study {plan.folder.name} was created differently: {changes}" if changes else ""
    return dataclasses.replace(plan, warning=warning)


def plan_extend(options: Options, trials: int) -> Plan:
    """The study `--name` with more `trials`, and with `--replicates` more replicates."""
    saved = _read_saved(options, "--extend")
    fields = options.spec_fields()
    replicates = fields.pop("replicates", 0)
    plan = _plan_saved(saved, options, fields)
    changes = "; ".join(changes_since(saved.document))
    if changes and not options.allow_changes:
        raise InputError(
            f"new trials may not be comparable with those of study {plan.folder.name}: {changes}; "
            "restore that, give another --name, or add --allow-changes"
        )
    spec = with_more_trials(plan.spec, trials, replicates)
    longer = extended_document(saved.document, spec, sys.argv)
    return dataclasses.replace(plan, spec=spec, extended_document=longer)


@dataclass(frozen=True)
class _Saved:
    """A study on disk."""

    folder: StudyFolder
    document: dict[str, Any]
    spec: StudySpec


def _read_saved(options: Options, option: str) -> _Saved:
    """The study `--name`, restored from `--storage` if it is missing here."""
    if options.name is None:
        raise InputError(f"{option} needs the study's name; give --name")
    folder = _folder(options, options.name)
    if options.storage is not None:
        restore(folder, options.storage)
    document = folder.read_spec()
    return _Saved(folder, document, StudySpec.from_json(document))


def _plan_saved(saved: _Saved, options: Options, fields: dict[str, Any]) -> Plan:
    """The saved study with these `fields`, none of which may change its design."""
    _check_repeats(options, bool(saved.spec.variants))
    space = saved.spec.space
    if options.vary or options.set or options.variants:
        variants = options.variants or saved.spec.variants
        space = study_space(options.vary, options.set, saved.spec.steps, variants)
        space = dataclasses.replace(space, bounds=saved.spec.space.bounds)
    spec = dataclasses.replace(saved.spec, space=space, **fields)
    require_same_study(spec, saved.spec, list(options.given()))
    scene = load_saved(spec.scene, saved.document["scene"]["hash"], **_scene_options(spec))
    if scene.content_hash != saved.document["scene"]["hash"]:
        raise InputError(
            f"the scene {spec.scene} has changed since study {saved.folder.name} was created; "
            "restore it, or start a new study with another --name"
        )
    return Plan(saved.folder, spec, scene, is_new=False)


def _check_repeats(options: Options, has_variants: bool) -> None:
    """Raises `InputError` if `--repeats` is given for a study without variants."""
    if options.repeats is not None and not has_variants:
        raise InputError(
            f"--repeats {options.repeats} is for a study of variants, and this study has none; "
            "give a --study file that lists them, or --replicates to repeat explored configurations"
        )


def _scene_space(spec: StudySpec, bounds: tuple[float, float]) -> Space:
    """The study's space for a scene with these bounds; raises `InputError` if one is invalid."""
    if not spec.variants:
        return spec.space.with_scene_bounds(bounds)
    # Only the variants themselves are run, so not every combination of their values need be valid.
    space = dataclasses.replace(spec.space, bounds=bounds)
    for variant in spec.variants:
        space.config(variant_values(variant, space))
    return space


def _folder(options: Options, name: str) -> StudyFolder:
    return StudyFolder(Path(options.studies or "studies").absolute() / name)


def _scene_options(spec: StudySpec) -> dict[str, Any]:
    """How the study's scene is read."""
    return {
        "downscale": spec.downscale,
        "background": spec.background,
        "follow_links": spec.follow_links,
    }
