"""The options of `report.py` for sweeps of other tools."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Literal

from analysis.external.question import Question
from nerf.common.errors import InputError
from study.spec.space import Dimension


def add_question_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that decide what another tool's record leaves open."""
    group = parser.add_argument_group("sweeps of other tools")
    group.add_argument("--study-name", metavar="NAME", help="one of several studies in a file")
    group.add_argument(
        "--metric",
        metavar="NAME",
        help="metric to rank by, where the record does not say or has more",
    )
    group.add_argument(
        "--direction",
        choices=("maximize", "minimize"),
        help="whether a higher or lower metric is better",
    )
    group.add_argument(
        "--unit", default="", metavar="TEXT", help="unit of the metric, for texts and axes"
    )
    group.add_argument(
        "--parameters",
        type=_names,
        default=(),
        metavar="A,B",
        help="analyse these parameters only, which may be columns taken as outcomes otherwise",
    )
    group.add_argument(
        "--ignore", type=_names, default=(), metavar="A,B", help="leave these parameters out"
    )
    group.add_argument(
        "--prior",
        action="append",
        default=[],
        metavar="NAME=LOW:HIGH[:log]",
        help="range that a parameter was drawn from, uniform in its value or in its logarithm "
        "(repeatable)",
    )


def make_question(options: argparse.Namespace) -> Question:
    """The question that the options ask; raises `InputError` like `pose_question`."""
    return pose_question(
        study=options.study_name,
        metric=options.metric,
        direction=options.direction,
        unit=options.unit,
        parameters=options.parameters,
        ignored=options.ignore,
        priors=options.prior,
    )


def pose_question(
    *,
    study: str | None,
    metric: str | None,
    direction: Literal["maximize", "minimize"] | None,
    unit: str,
    parameters: Sequence[str],
    ignored: Sequence[str],
    priors: Sequence[str],
) -> Question:
    """The question with these fields, where `priors` are texts as of --prior.

    Raises `InputError` for a malformed prior, and for fields that contradict one another.
    """
    dimensions = tuple(parse_prior(text) for text in priors)
    named = [prior.path for prior in dimensions]
    if twice := {name for name in named if named.count(name) > 1}:
        raise InputError(f"--prior names {min(twice)} twice; give it one range")
    if both := {*named, *parameters} & set(ignored):
        raise InputError(
            f"--ignore names {min(both)}, and so does --prior or --parameters; name it once"
        )
    return Question(study, metric, direction, unit, tuple(parameters), tuple(ignored), dimensions)


def parse_prior(text: str) -> Dimension:
    """`NAME=LOW:HIGH` or `NAME=LOW:HIGH:log` as a dimension; raises `InputError`."""
    name, _, domain = text.rpartition("=")
    ends = domain.split(":")
    try:
        low, high = float(ends[0]), float(ends[1])
    except (ValueError, IndexError):
        low, high = 0.0, 0.0
    log = ends[2:] == ["log"]
    finite = math.isfinite(high - low)
    if not (name and finite and low < high) or (ends[2:] and not log) or (log and low <= 0):
        raise InputError(f"a prior must be NAME=LOW:HIGH or NAME=LOW:HIGH:log, got {text!r}")
    return Dimension(name, "float", low, high, log, label=name)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
