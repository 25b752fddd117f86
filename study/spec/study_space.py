"""The space of a study from what `--vary`, `--set` and variants give."""

from __future__ import annotations

from collections.abc import Sequence

from nerf.config.flat import Flat
from nerf.config.parameters import Value
from nerf.config.settings import parse_settings
from study.spec.default_space import DEFAULT_SETTINGS, DEFAULT_SPACE, SPACES, make_space
from study.spec.parse_space import parse_space
from study.spec.space import Space
from study.spec.study_spec import require
from study.spec.variants import Variant, variant_space

# Parameters with an option of their own, which `--set` might contradict.
_OWN_OPTION = {"optimisation.steps": "--steps", "seed": "--seed"}


def study_space(
    varied: Sequence[str],
    settings: Sequence[str],
    steps: int,
    variants: Sequence[Variant] = (),
    parameter_defaults: Flat | None = None,
    name: str | None = None,
) -> Space:
    """Parses `--vary` and `--set` texts; without `--vary` and variants, the space `name`.

    parameter_defaults: of a file that states a whole study: the default of every parameter. Nothing
    but `settings` is then fixed.
    """
    fixed: Flat = parse_fixed(settings)
    require(steps >= 1, f"--steps must be at least 1, got {steps}")
    require(
        name is None or not (varied or variants),
        f"--space {name} says what varies, and so {'does --vary' if varied else 'do variants'}; "
        "leave one of them out",
    )
    varied_paths = {text.partition("=")[0] for text in varied}
    if parameter_defaults is None:
        is_named = not varied and not variants
        own = SPACES[name or DEFAULT_SPACE].settings if is_named else DEFAULT_SETTINGS
        usual = {path: v for path, v in own.items() if path not in varied_paths}
        fixed = {**usual, **fixed}
    fixed = {**fixed, "optimisation.steps": steps}
    if variants:
        require(not varied, "a study of variants varies what they set; remove --vary")
        return variant_space(variants, fixed, parameter_defaults)
    if not varied:
        return make_space(name or DEFAULT_SPACE, fixed)
    return parse_space(varied, fixed, parameter_defaults)


def parse_fixed(settings: Sequence[str]) -> dict[str, Value]:
    """Parses `--set` texts; raises `InputError` also for what has an option of its own."""
    fixed = parse_settings(list(settings))
    for path, own in _OWN_OPTION.items():
        require(path not in fixed, f"{path} has its own option; use {own}")
    return fixed
