"""Ready commands in claims: train a recommended configuration, run the next study."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from analysis.data.replicate_command import replicate_command
from analysis.data.study import Study
from analysis.findings.next_study import NextStudy, study_steps
from nerf.common.commands import command_at_root
from nerf.common.errors import InputError
from nerf.config.flat import build, flatten
from nerf.config.parameters import Value
from study.spec.default_space import DEFAULT_SETTINGS, DEFAULT_SPACE, SPACES, name_space
from study.spec.parse_space import format_dimension, format_value, parse_dimension
from study.spec.space import Dimension
from study.trainers.find_trainer import TRAINER_OPTIONS
from study.trainers.objective import PSNR, read_objectives
from study.trainers.parameter_set import ParameterSet

_REPLICATES = 12
_NOT_TRAINING = ("evaluation.", "compute.", "seed")


def train_command(study: Study, values: Mapping[str, Value]) -> str:
    """The command that trains the study's default configuration with these values changed.

    By best.toml if that has them. Empty for another trainer, which runs in studies only.
    """
    if not study.is_nerf:
        return ""
    if values and _file_has(study.best_file, values):
        options = (*plugin_options(study), *scene_options(study))
        return command_at_root("nerf/train.py", *options, "--config", study.best_file)
    held = _held_settings(study, DEFAULT_SETTINGS)
    settings = {**held, **{path: _shorten(v) for path, v in values.items()}}
    options = (*plugin_options(study), *scene_options(study))
    return command_at_root("nerf/train.py", *options, *_set_options(settings))


def next_study_command(study: Study, plan: NextStudy) -> str:
    """The command that runs the next study on the same scene; empty where there is none to run."""
    if plan.aim == "compare":
        return replicate_command(study, _REPLICATES)
    if not plan.aim or (plan.aim == "train" and not plan.steps):
        return ""
    varied = {d.path for d in plan.varied}
    named = name_space(replace(study.space, dimensions=plan.varied))
    own = SPACES[named].settings if named else DEFAULT_SETTINGS
    recommended = {path: _shorten(value) for path, value in (plan.fixed or {}).items()}
    settings = {**_held_settings(study, own), **recommended}
    fixed = {path: value for path, value in settings.items() if path not in varied}
    parameters = study.space.parameters
    vary = [part for d in plan.varied for part in ("--vary", _vary_text(d, parameters))]
    if named:
        vary = [] if named == DEFAULT_SPACE else ["--space", named]
    return command_at_root(
        "study/run_sweep.py",
        *_trainer_options(study),
        *plugin_options(study),
        *scene_options(study),
        *vary,
        *_set_options(fixed),
        "--steps",
        plan.steps or study_steps(study),
        *_design_options(study, plan),
    )


def _file_has(file: Path, values: Mapping[str, Value]) -> bool:
    """Whether a best.toml has these values; False without one."""
    try:
        sections = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    found = {
        f"{section}.{name}": value
        for section, of_section in sections.items()
        if isinstance(of_section, dict)
        for name, value in of_section.items()
    }
    if "sampling.span" in values:  # the file has far in its place
        found["sampling.span"] = found.get("sampling.far", 0.0) - found.get("sampling.near", 0.0)
    return all(_is_equal(found.get(path), value) for path, value in values.items())


def _shorten(value: Value) -> Value:
    """A number to five digits, which a person can read; best.toml has all of them."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _is_equal(found: object, value: Value) -> bool:
    if isinstance(found, int | float) and isinstance(value, int | float):
        return math.isclose(found, value, rel_tol=1e-6)
    return found == value


def _vary_text(dimension: Dimension, parameters: ParameterSet) -> str:
    """The shortest `--vary` text of a dimension."""
    whole = format_dimension(dimension)
    for text in (dimension.path, whole.removesuffix(":log").removesuffix(":linear")):
        try:
            if str(parse_dimension(text, parameters)) == str(dimension):
                return text
        except InputError:
            return whole  # a parameter or a value that this version does not know
    return whole


def _held_settings(study: Study, own: Mapping[str, Value]) -> dict[str, Value]:
    """What needs an option to be as in the study: its fixed values, and defaults of its time.

    own: settings that need none, as such a study fixes them by itself
    """
    parameters = study.space.parameters
    if not study.is_nerf:
        return {p: v for p, v in study.space.fixed if p != parameters.steps_path}
    now = flatten(build({}))
    then = {path: v for path, v in study.space.parameter_defaults if now.get(path, v) != v}
    settings = {**then, **dict(study.space.fixed)}
    return {
        path: value
        for path, value in settings.items()
        if not path.startswith(_NOT_TRAINING)
        and path != "optimisation.steps"
        and own.get(path) != value
    }


def _trainer_options(study: Study) -> Iterator[object]:
    objectives = read_objectives(study.spec)
    for name in TRAINER_OPTIONS:
        if value := study.spec.get(name):
            yield from ("--" + name.replace("_", "-"), value)
    if not study.is_nerf or objectives != (PSNR,):
        for objective in objectives:
            yield from ("--metric", objective.metric if study.is_nerf else objective.text)
    for rule in study.spec.get("collapse", ()):
        yield from ("--collapse", rule)


def _design_options(study: Study, plan: NextStudy) -> Iterator[object]:
    """How to explore, sample and prune; more trials than a grid has cells are a Sobol' design."""
    design = study.spec.get("design", "sobol")
    if design == "grid" and plan.aim == "train":
        yield from ("--design", design)
    else:
        yield from ("--design", design) if design == "random" else ()
        yield from ("--explore", plan.explore)
    for name in ("sampler", "pruner"):
        if value := study.spec.get(name):
            yield from ("--" + name, value)


def plugin_options(study: Study) -> Iterator[object]:
    """The `--plugin` options of a study."""
    for plugin in study.spec.get("plugins", ()):
        yield from ("--plugin", plugin["file"])


def scene_options(study: Study) -> Iterator[object]:
    """The options by which a study's scene is read as it was."""
    if not study.spec.get("scene", "bricks"):
        return
    yield from ("--scene", study.spec.get("scene", "bricks"))
    if (downscale := study.spec.get("downscale", 1)) != 1:
        yield from ("--downscale", downscale)
    if "--background" in study.command:
        yield from ("--background", study.spec.get("background", "auto"))
    if study.spec.get("follow_links"):
        yield "--follow-links"


def _set_options(values: Mapping[str, Value]) -> Iterator[str]:
    for path, value in values.items():
        yield from ("--set", f"{path}={format_value(value)}")
