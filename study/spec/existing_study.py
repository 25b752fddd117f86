"""Resuming and extending a study: it may get more trials, and its design must stay the same.

The options of a launch are compared one by one with what the study is, not with what they would
make today: the command that created a study resumes it, too, after it was extended, and where a
later version has other defaults.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from nerf.common.errors import InputError
from nerf.config.parameters import Value
from study.spec.default_space import name_space
from study.spec.dimension import Dimension
from study.spec.parse_space import format_value, parse_dimension
from study.spec.space import Space
from study.spec.study_rules import option_name, require
from study.spec.study_space import parse_fixed
from study.spec.study_spec import StudySpec
from study.spec.tried_points import TriedPoint, parse_points
from study.spec.variants import Variant
from study.trainers.objective import Objective
from study.trainers.parameter_set import get_parameter
from study.trainers.parse_objectives import split_metrics

_DESIGN_FIELDS = (
    *("downscale", "background", "design", "steps", "seed", "collapse", "until"),
    *("sampler", "pruner"),
)
"""Fields that never change."""

_PHASE_OF = {
    "explore": "explore",
    "optimize": "optimize",
    "replicates": "replicate",
    "repeats": "variant",
}
"""Fields that only `--extend` changes, and the phase that they count the trials of."""

_PRIOR_FIELDS = ("low", "high", "log", "choices", "step", "weights", "parts")
"""What two dimensions of one parameter must share to be the same."""


def with_more_trials(
    spec: StudySpec, trials: int, replicates: int = 0, tries: Sequence[TriedPoint] = ()
) -> StudySpec:
    """Adds trials to the explore phase, or to the optimise phase if the study explores nothing.

    A study of variants gets further repeats of all of them. `trials` may be 0 if `replicates` or
    `tries` that the study has not are added. Raises `InputError` for smaller numbers, and for
    replicates or tries of variants.
    """
    if spec.variants:
        require(not tries, "a study of variants runs nothing else; remove --try")
        return _with_more_repeats(spec, trials, replicates)
    require(
        not spec.is_exploring,
        f"the study still explores until {spec.until!r} is settled; --resume it, and extend it "
        "after that",
    )
    more = tuple(point for point in tries if point not in spec.tries)
    minimum = 0 if replicates > 0 or more else 1
    require(trials >= minimum, f"--extend must be at least {minimum}, got {trials}")
    require(replicates >= 0, f"--replicates must be 0 or more, got {replicates}")
    phase = "explore" if spec.explore else "optimize"
    if spec.design == "grid" and phase == "explore":
        left = spec.space.grid_size - spec.explore
        require(
            trials <= left,
            f"--extend {trials} is more than the {left} cells of the grid that are left; give "
            "--extend 0 --replicates R to repeat configurations with other seeds",
        )
    longer: dict[str, Any] = {phase: getattr(spec, phase) + trials}
    longer |= {"replicates": spec.replicates + replicates, "tries": (*spec.tries, *more)}
    return dataclasses.replace(spec, **longer)


def _with_more_repeats(spec: StudySpec, trials: int, replicates: int) -> StudySpec:
    count = len(spec.variants)
    require(
        replicates == 0,
        f"a study of variants has no replicates, got --replicates {replicates}; "
        f"--extend {count} runs every variant with another seed",
    )
    require(
        trials > 0 and trials % count == 0,
        f"--extend must be a positive multiple of the study's {count} variants, got {trials}",
    )
    return dataclasses.replace(spec, repeats=spec.repeats + trials // count)


def launch_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a spec's `fields` that a resumed study may change, such as `max_concurrent`."""
    fixed = ("scene", "scenes", *_DESIGN_FIELDS, *_PHASE_OF)
    return {k: v for k, v in fields.items() if k not in fixed}


def require_same_study(
    given: Mapping[str, Any], saved: StudySpec, earlier: Sequence[Mapping[str, int]] = ()
) -> None:
    """Raises `InputError` if an option in `given`, by name, contradicts the `saved` study.

    earlier: the planned trials of each phase (`StudySpec.planned`) before each extension
    """
    _require_same_scenes(given, saved)
    for field in _DESIGN_FIELDS:
        if field in given and given[field] != getattr(saved, field):
            _refuse(
                f"{option_name(field)} {_join(given[field])}",
                f"the study's {_join(getattr(saved, field))}",
            )
    for field, phase in _PHASE_OF.items():
        per_unit = max(len(saved.variants), 1) if field == "repeats" else 1
        per_unit *= len(saved.labels)
        counts = {planned.get(phase, 0) // per_unit for planned in (*earlier, saved.planned)}
        if field == "explore" and saved.until:
            counts = {saved.max_explore}
        if field in given and given[field] not in counts:
            _refuse(f"{option_name(field)} {given[field]}", f"the study's {getattr(saved, field)}")
    _require_same_metrics(given, saved.objectives)
    require(
        given.get("earlier", saved.earlier) == saved.earlier,
        "the trials of `from` in the --study file are not those that the study started from; leave "
        "them out to resume, or give another --name",
    )
    started = [taken.study for taken in saved.earlier]
    for study in given.get("from_studies", ()):
        require(
            study in started,
            f"--from {study} is not among what the study started from "
            f"({', '.join(started) or 'nothing'}); leave it out to resume, or give another --name",
        )
    for point in parse_points(given.get("try_texts", ()), saved.space.parameters):
        require(
            point in saved.tries,
            f"--try {point} is not among the study's; add it by --extend 0 --try {point}",
        )
    _require_same_settings(given.get("set", ()), saved)
    if "space_name" in given:
        _require_same_space(given["space_name"], saved.space)
    _require_same_ranges(given.get("vary", ()), saved.space)
    _require_same_variants(given.get("variants", ()), saved.variants)
    usual = dict(saved.space.parameter_defaults)
    for path, value in given.get("defaults", {}).items():
        if value != usual.get(path):
            _refuse(f"the --study file's default {path}={value}", f"the study's {usual.get(path)}")


def _require_same_scenes(given: Mapping[str, Any], saved: StudySpec) -> None:
    """Raises `InputError` if the options name other scenes than the study's, in any order."""
    one = (given["scene"],) if "scene" in given else ()
    named = one or tuple(scene.source for scene in given.get("scenes", ()))
    if named and set(named) != set(saved.scene_sources):
        _refuse(f"--scene {_join(named)}", f"the study's {_join(saved.scene_sources)}")


def _require_same_metrics(given: Mapping[str, Any], saved: Sequence[Objective]) -> None:
    """Raises `InputError` if a metric, its direction or its unit is not the study's."""
    texts, direction, unit = (given.get(name) for name in ("metric", "direction", "unit"))
    texts = texts or ((saved[0].metric,) if len(saved) == 1 else ())
    named = split_metrics(texts, direction, unit)
    for metric, objective in zip(named, saved, strict=False):
        for option, value, own in (
            ("metric", metric.name, objective.metric),
            ("direction", metric.direction, objective.direction),
            ("unit", metric.unit, objective.unit),
        ):
            if value and value != own:
                _refuse(f"--{option} {value}", f"the study's {own or 'none'}")
    names = [objective.metric for objective in saved]
    if texts and len(named) != len(saved):
        _refuse(f"--metric {', '.join(m.name for m in named)}", f"the study's {', '.join(names)}")
    if direction or unit:
        require(bool(texts), "--direction and --unit are for a single metric; leave them out")


def _join(value: Any) -> str:
    return (", ".join(value) if isinstance(value, tuple) else str(value)) or "none"


def _refuse(option: str, study_has: str) -> None:
    raise InputError(
        f"{option} differs from {study_has}; leave it out to resume, or give another --name"
    )


def _require_same_settings(settings: Sequence[str], saved: StudySpec) -> None:
    """Raises `InputError` if a `--set` text gives a parameter another value than all trials have.

    Settings of the study may be left out.
    """
    space, parameters = saved.space, saved.space.parameters
    varied = {d.path for d in space.dimensions} - dict(space.fixed).keys()
    varied |= {parameters.by_path[path].sets for path in varied}
    values: Mapping[str, Value] = saved.reference_values | dict(space.fixed)
    for path, value in parse_fixed(settings, parameters).items():
        if path in varied or parameters.by_path[path].sets in varied - {""}:
            raise InputError(
                f"--set {path}={format_value(value)} fixes what the study varies; leave it out to "
                "resume, or give another --name"
            )
        if value != values[path]:
            _refuse(f"--set {path}={format_value(value)}", f"the study's {values[path]}")


def _require_same_ranges(texts: Sequence[str], space: Space) -> None:
    """Raises `InputError` if `--vary` texts, where there are some, do not name what varies."""
    saved = {dimension.path: dimension for dimension in space.dimensions}
    paths = {text.partition("=")[0] for text in texts}
    for text in texts:
        path, has_range, _ = text.partition("=")
        get_parameter(path, space.parameters)  # raises for an unknown one
        if path not in saved:
            _refuse(f"--vary {text}", f"the study, in which {path} does not vary")
        given = parse_dimension(text, space.parameters)
        if space.bounds:
            given = given.scale_to(*space.bounds)
        if has_range and not _is_same_prior(given, saved[path]):
            _refuse(f"--vary {text}", f"the study's {saved[path]}")
    if texts and (missing := saved.keys() - paths):
        raise InputError(
            f"the study varies {', '.join(sorted(missing))} as well; leave out --vary to resume, "
            "or give another --name"
        )


def _require_same_space(name: str, space: Space) -> None:
    """Raises `InputError` if the study does not vary what `--space` names."""
    if name_space(space) != name:
        varied = ", ".join(map(str, space.dimensions))
        _refuse(f"--space {name}", f"what the study varies: {varied}")


def _is_same_prior(one: Dimension, other: Dimension) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in _PRIOR_FIELDS)


def _require_same_variants(given: Sequence[Variant], saved: Sequence[Variant]) -> None:
    """Raises `InputError` if variants, where some are given, are not those of the study."""
    if not given or [(v.name, dict(v.settings)) for v in given] == [
        (v.name, dict(v.settings)) for v in saved
    ]:
        return
    raise InputError(
        "the rows of --design or variants of --study differ from those of the study; leave them "
        "out to resume, or give another --name"
    )
