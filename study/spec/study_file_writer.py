"""Writes a study file that states a whole study, for `--save-study`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from nerf.common.files import write_atomically
from study.spec.existing_study import launch_fields
from study.spec.parse_space import format_dimension
from study.spec.study_file import STUDY_FILE_KEYS
from study.spec.study_spec import StudySpec
from study.trainers.find_trainer import TRAINER_OPTIONS


def write_study_file(path: Path, spec: StudySpec, options: Mapping[str, Any]) -> None:
    """Writes a new study as TOML: all of its design, and of its launch what `options` give."""
    launch = launch_fields({key: options[key] for key in STUDY_FILE_KEYS if key in options})
    design = _design(spec)
    for key in ("vary", "set", "variants", "defaults", *design):
        launch.pop(key, None)
    if launch.get("pack") == 0:
        launch["pack"] = "auto"
    what = spec.trainer or ", ".join(spec.scene_sources)
    header = (
        f"# A study of {what}: {spec.trials} trials of {spec.steps} steps. This file states "
        "all of it:\n# it stays the same study where a later version has other defaults.\n\n"
    )
    write_atomically(path, (header + tomli_w.dumps(launch | design)).encode())


def _design(spec: StudySpec) -> dict[str, Any]:
    """The options of everything in a new study that a trial's result depends on."""
    names = ["downscale", "background", "steps", "seed"]
    names += [name for name in TRAINER_OPTIONS if getattr(spec, name)]
    names += ["collapse"] if spec.collapse else []
    plugins = {"plugin": [plugin.file for plugin in spec.plugins]} if spec.plugins else {}
    phases = ["design", "explore", "optimize", "replicates"]
    phases += ["sampler", "pruner"] if spec.optimize else []
    names += ["repeats"] if spec.variants else phases
    design = plugins | {name: getattr(spec, name) for name in names}
    if sources := list(spec.scene_sources):
        design["scene"] = sources if spec.scenes else sources[0]
    if spec.until:
        design |= {"until": spec.until, "explore": spec.max_explore}
    design |= {"from": [taken.to_json() for taken in spec.earlier]} if spec.earlier else {}
    design |= {"try": list(map(str, spec.tries))} if spec.tries else {}
    if spec.objectives != StudySpec.objectives or spec.trainer:
        design["metric"] = [objective.text for objective in spec.objectives]
    space = spec.space
    steps_path = space.parameters.steps_path
    fixed = {path: value for path, value in space.fixed if path != steps_path}
    if spec.variants:
        design["variants"] = {v.name: dict(v.settings) for v in spec.variants}
    else:
        texts = (format_dimension(dimension).split("=", 1) for dimension in space.dimensions)
        design["vary"] = dict(texts)
    return design | {"set": fixed, "defaults": dict(space.parameter_defaults)}
