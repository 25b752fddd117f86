"""Resuming and extending a study: it may get more trials, and its design must stay the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from nerf.common.errors import InputError
from study.spec.study_spec import StudySpec, option_name, require

_DESIGN_FIELDS = (
    "scene",
    "downscale",
    "background",
    "explore",
    "design",
    "optimize",
    "replicates",
    "repeats",
    "steps",
    "seed",
)
"""Fields that must not change when a study is resumed or extended."""


def with_more_trials(spec: StudySpec, trials: int, replicates: int = 0) -> StudySpec:
    """Adds trials to the explore phase, or to the optimise phase if the study explores nothing.

    A study of variants gets further repeats of all of them. `trials` may be 0 if `replicates` are
    added. Raises `InputError` for smaller numbers, and for replicates of variants.
    """
    if spec.variants:
        return _with_more_repeats(spec, trials, replicates)
    minimum = 0 if replicates > 0 else 1
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
    return dataclasses.replace(spec, **longer, replicates=spec.replicates + replicates)


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


def require_same_study(changed: StudySpec, saved: StudySpec, given: Sequence[str]) -> None:
    """Raises `InputError` if an option in `given` changes the design of the `saved` study."""
    for field in _DESIGN_FIELDS:
        if field in given and getattr(changed, field) != getattr(saved, field):
            raise InputError(
                f"{option_name(field)} {getattr(changed, field)} differs from the study's "
                f"{getattr(saved, field)}; leave it out to resume, or give another --name"
            )
    design = {"vary", "set", "variants"} & set(given)
    if design and (changed.space, changed.variants) != (saved.space, saved.variants):
        differing = "variants" if changed.variants != saved.variants else "--vary and --set"
        raise InputError(
            f"{differing} differ from those of the study; leave them out to resume, or give "
            "another --name"
        )
