"""The plan of a study on disk that is resumed or extended."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from nerf.config.parameters import list_parameters
from nerf.config.plugin import load_named
from study.cli.choose_study import only_study, only_unfinished_study
from study.cli.load_scenes import load_saved_scenes
from study.cli.load_trainer import with_trainer
from study.cli.options import Options
from study.cli.plan import Plan
from study.cli.plan_checks import (
    check_tried_points,
    require_program,
    require_variants_for_repeats,
    studies_folder,
    study_folder,
    with_rows,
)
from study.records.provenance import changes_since, extended_document
from study.records.study_folder import StudyFolder
from study.spec.existing_study import launch_fields, require_same_study, with_more_trials
from study.spec.optimiser import require_sampler
from study.spec.stopping_rule import list_looks
from study.spec.study_rules import require
from study.spec.study_spec import StudySpec
from study.spec.tried_points import parse_points
from study.storage.mirror import restore
from study.trainers.parse_objectives import known_objectives


def plan_resume(options: Options) -> Plan:
    """What is left of the study `--name`, which keeps its design."""
    folder = study_folder(options, options.name) if options.name else None
    saved = _read_saved(folder or only_unfinished_study(studies_folder(options)), options)
    plan = _plan_saved(saved, options)
    plan = _with_more_hours(plan, saved)
    changes = "; ".join(changes_since(saved.document, plan.spec))
    warning = f"study {plan.folder.name} was created differently: {changes}" if changes else ""
    return dataclasses.replace(plan, warning=warning)


def _with_more_hours(plan: Plan, saved: _Saved) -> Plan:
    """The plan with the trials that were left out for lack of time, if it has more time now."""
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
    folder = study_folder(options, options.name) if options.name else None
    saved = _read_saved(folder or only_study(studies_folder(options)), options)
    plan = _plan_saved(saved, dataclasses.replace(options, try_texts=()))
    changes = "; ".join(changes_since(saved.document, plan.spec))
    if changes and not options.allow_changes:
        raise InputError(
            f"new trials may not be comparable with those of study {plan.folder.name}: {changes}; "
            "restore that, give another --name, or add --allow-changes"
        )
    tries = parse_points(options.try_texts, plan.spec.space.parameters)
    check_tried_points(tries, plan.spec)
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
            f"the study's plugins no longer declare {recorded.path} as when it was created; "
            "restore them, or start a new study with another --name",
        )
    lost = [o.metric for o in spec.objectives if not (spec.trainer or o in known_objectives())]
    require(
        not lost,
        f"the study's plugins no longer register the metric {', '.join(lost)} as when it was "
        "created; restore it, or start a new study with another --name",
    )
    return dataclasses.replace(spec, plugins=plugins)


def _plan_saved(saved: _Saved, options: Options) -> Plan:
    """The saved study, launched with the options, none of which may change its design."""
    options = with_rows(options, saved.spec.space.parameters)
    require_variants_for_repeats(options, bool(saved.spec.variants))
    earlier = [extension["from"] for extension in saved.document.get("extended", [])]
    require_same_study(options.given(), saved.spec, earlier)
    if not options.save_study:
        require_sampler(saved.spec.sampler)
    spec = dataclasses.replace(saved.spec, **launch_fields(options.spec_fields()))
    require_program(spec)
    scenes = load_saved_scenes(spec, saved.document, saved.folder.name)
    return Plan(saved.folder, spec, scenes, is_new=False)
