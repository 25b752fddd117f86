"""The space of a study from what `--vary`, `--set` and variants give."""

from __future__ import annotations

from collections.abc import Sequence

from nerf.config.flat import Flat
from nerf.config.parameters import Value
from nerf.config.settings import parse_settings
from study.spec.default_space import DEFAULT_SETTINGS, DEFAULT_SPACE, SPACES, make_space
from study.spec.parse_space import parse_space
from study.spec.space import Space
from study.spec.study_rules import require
from study.spec.variants import Variant, variant_space
from study.trainers.parameter_set import NERF, SEED, ParameterSet, get_parameter


def study_space(
    varied: Sequence[str],
    settings: Sequence[str],
    steps: int,
    variants: Sequence[Variant] = (),
    parameter_defaults: Flat | None = None,
    name: str | None = None,
    parameters: ParameterSet = NERF,
) -> Space:
    """Parses `--vary` and `--set` texts; without `--vary` and variants, the space `name`.

    These are, of a trainer of the user, all parameters with a range or choices.

    parameter_defaults: of a file that states a whole study: the default of every parameter. Nothing
    but `settings` is then fixed.
    """
    fixed: Flat = parse_fixed(settings, parameters)
    require(steps >= 1, f"--steps must be at least 1, got {steps}")
    require(
        name is None or not (varied or variants),
        f"--space {name} says what varies, and so {'does --vary' if varied else 'do variants'}; "
        "leave one of them out",
    )
    varied_paths = {text.partition("=")[0] for text in varied}
    require(
        name is None or parameters.is_nerf,
        f"--space {name} is a space of NeRFs; name what varies by --vary",
    )
    if parameter_defaults is None and parameters.is_nerf:
        is_named = not varied and not variants
        own = SPACES[name or DEFAULT_SPACE].settings if is_named else DEFAULT_SETTINGS
        usual = {path: v for path, v in own.items() if path not in varied_paths}
        fixed = {**usual, **fixed}
    if parameters.steps_path:
        fixed = {**fixed, parameters.steps_path: steps}
    if variants:
        require(not varied, "a study of variants varies what they set; remove --vary")
        return variant_space(variants, fixed, parameter_defaults, parameters)
    if not varied and parameters.is_nerf:
        return make_space(name or DEFAULT_SPACE, fixed, parameters)
    varied = varied or variable_paths(parameters, fixed)
    return parse_space(varied, fixed, parameter_defaults, parameters)


def variable_paths(parameters: ParameterSet, fixed: Flat) -> list[str]:
    """The parameters with a range or choices of their own that are not fixed."""
    left = {path: p for path, p in parameters.by_path.items() if path not in fixed}
    ours = [path for path, p in left.items() if p.domain or p.choices]
    return [path for path in ours if path not in parameters.not_varied]


def parse_fixed(settings: Sequence[str], parameters: ParameterSet = NERF) -> dict[str, Value]:
    """Parses `--set` texts; raises `InputError` also for what has an option of its own."""
    fixed = parse_settings(list(settings), lambda path: get_parameter(path, parameters))
    for path, own in {parameters.steps_path: "--steps", SEED: "--seed"}.items():
        require(path not in fixed, f"{path} has its own option; use {own}")
    return fixed
