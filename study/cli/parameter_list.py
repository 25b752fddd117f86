"""The list of parameters below the options in `run_sweep.py --help`."""

from __future__ import annotations

import math
import textwrap

from nerf.common.command_line import help_width
from nerf.config.domain import Domain
from nerf.config.parameter_help import describe_parameters, join_choices
from study.spec.default_space import DEFAULT_SETTINGS, DEFAULT_SPACE, SPACES, make_space
from study.spec.dimension import Dimension
from study.spec.parse_space import parse_dimension
from study.spec.space import SCENE_RANGES
from study.spec.study_space import variable_paths
from study.trainers.parameter_set import ParameterSet


def list_parameters(parameters: ParameterSet) -> str:
    """Every parameter with its default and range, and which of them vary by default."""
    return _list_of_nerf() if parameters.is_nerf else _list_of_trainer(parameters)


def _list_of_trainer(parameters: ParameterSet) -> str:
    own = variable_paths(parameters, {})
    varied = {path: _describe_range(parse_dimension(path, parameters)) for path in own}
    title = (
        "parameters for --vary and --set, with their defaults and, in brackets, the choices or the "
        "range that --vary PATH takes; a study without --vary varies those with a star:"
    )
    listed = describe_parameters(varied, parameters=parameters.by_path)
    return f"{textwrap.fill(title, help_width())}\n{listed}"


def _list_of_nerf() -> str:
    named = SPACES[DEFAULT_SPACE]
    varied = {d.path: _describe_range(d) for d in make_space(DEFAULT_SPACE, {}).dimensions}
    fixed = ", ".join(
        f"{path}={value}"
        for path, value in named.settings.items()
        if value != DEFAULT_SETTINGS.get(path)
    )
    title = (
        "parameters for --vary and --set, with the defaults of a study with --vary and, in "
        "brackets, the choices or the range that --vary PATH takes; a study without --vary and "
        f"--space varies those with a star, and has {fixed}:"
    )
    ranges = dict.fromkeys(SCENE_RANGES, "a range from the scene, or LOW:HIGH")
    listed = describe_parameters(varied, DEFAULT_SETTINGS, ranges)
    return f"{textwrap.fill(title, help_width())}\n{listed}"


def _describe_range(dimension: Dimension) -> str:
    """The values that a study without --vary draws a parameter from."""
    if dimension.choices:
        return join_choices(dimension.choices)
    if dimension.relative:
        low, high = dimension.parts
        start = "a fifth of near" if low == -math.inf else f"near + {low:g} (far - near)"
        return f"from {start} to near + {high:g} (far - near), as the scene suggests these"
    return str(Domain(dimension.low, dimension.high, dimension.log, dimension.unit))
