"""Options that say which trials a study runs: how many, at which points, and when it stops."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping

from study.spec.default_space import DEFAULT_SPACE, SPACES
from study.spec.optimiser import PRUNERS, SAMPLERS
from study.spec.stopping_rule import MAX_EXPLORE
from study.spec.study_rules import DESIGNS
from study.spec.study_spec import StudySpec

_Group = argparse._ArgumentGroup


def add_trials(group: _Group) -> None:
    """Adds how many trials each phase runs, for how many steps, and from which seed."""
    add = group.add_argument
    explore = (
        f"trials of the explore phase (default: {_default_trials('explore')}; with --design grid "
        "all cells)"
    )
    add("--explore", type=int, metavar="N", help=explore)
    optimize = (
        "the default configuration, and trials that --sampler proposes as better ones "
        f"(default: {_default_trials('optimize')})"
    )
    add("--optimise", "--optimize", type=int, metavar="M", dest="optimize", help=optimize)
    replicates = (
        "further trials that repeat an explored point, the best configuration and the default "
        f"in turn, with other seeds (default: {_default_trials('replicates')}); variants have "
        "--repeats"
    )
    add("--replicates", type=int, metavar="R", help=replicates)
    add(
        "--try",
        action="append",
        dest="try_texts",
        metavar="PATH=VALUE,...",
        help="run this configuration, the defaults with these values changed, before all others "
        "(repeatable; with --extend: add it); the report leaves it out of shares and rates, which "
        "rest on the design alone",
    )
    repeats = (
        "trials of each row of --design FILE.csv, or of each variant that a --study file lists, "
        f"each with another seed (default: {StudySpec.repeats}); other studies have --replicates"
    )
    add("--repeats", type=int, metavar="R", help=repeats)
    steps = f"training steps of a full trial (default: {StudySpec.steps})"
    add("--steps", type=int, metavar="S", help=steps)
    seed = f"seed of the design, the sampler and each trial's training (default: {StudySpec.seed})"
    add("--seed", type=int, metavar="K", help=seed)


def add_search(group: _Group) -> None:
    """Adds where the points of the explore and optimise phases come from."""
    add = group.add_argument
    design = (
        "what the explore phase runs: points of a quasi-random (Sobol') design, which cover the "
        "space more evenly than independent draws (random), or every combination of the values "
        f"that vary (grid; default: {StudySpec.design}); FILE.csv runs its rows and nothing else, "
        "--repeats times each"
    )
    add("--design", metavar="|".join((*DESIGNS, "FILE.csv")), help=design)
    add("--sampler", metavar="|".join(SAMPLERS), help=_describe_choices("proposes", SAMPLERS))
    add("--pruner", metavar="|".join(PRUNERS), help=_describe_choices("stops", PRUNERS))
    add(
        "--from",
        action="append",
        dest="from_studies",
        metavar="STUDY",
        help="let the sampler start from the trials of another study, a folder or a name in "
        "--studies, that could be trials of this one: of the same scene, steps and settings, "
        "within what varies here (repeatable); no importance, rate or report uses them",
    )


def add_stopping(group: _Group) -> None:
    """Adds what ends a study before all of its trials have run."""
    add = group.add_argument
    add(
        "--until-sure",
        metavar="MARGIN",
        help="explore in batches until the three highest shares are known to +- MARGIN, a part of "
        f"the variance such as 0.1, or --explore trials have finished (default: {MAX_EXPLORE})",
    )
    add(
        "--until",
        metavar="CLAIM",
        help="the same until another claim is settled: order (of the three highest shares), "
        "'PATH breaks' or 'PATH matters'",
    )
    add(
        "--hours",
        type=_positive,
        metavar="H",
        help="finish within H hours, all launches and the report together; if that is too little "
        "for all trials, phases are cut in proportion",
    )
    add(
        "--budget",
        type=_positive,
        metavar="GPU-HOURS",
        help="the same in GPU hours: trials at a time x --gpus-per-trial x hours",
    )


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")
    return number


def _default_trials(phase: str) -> str:
    """The default number of trials of a phase, by what varies."""
    usual = getattr(StudySpec, phase)
    own = SPACES[DEFAULT_SPACE].phases.get(phase, usual)
    return f"{own}; with --vary or another --space {usual}"


def _describe_choices(does: str, choices: Mapping[str, str]) -> str:
    """The help of a choice between samplers or pruners, of which the first is the default."""
    texts = "; ".join(f"{name}: {text}" for name, text in choices.items())
    return f"what {does} optimised trials ({texts}; default: {next(iter(choices))})"
