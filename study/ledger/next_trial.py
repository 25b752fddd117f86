"""Which trial of a study comes next, and the configuration and seed that it gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial

from nerf.config.parameters import Value
from study.search.explore_design import explore_values
from study.search.replicates import replicate_seed, replicate_values
from study.search.sobol_design import trial_seed
from study.search.variant_design import variant_point
from study.spec.study_spec import StudySpec
from study.spec.tried_points import point_values

_PHASES = ("variant", "try", "explore", "optimize")
"""In the order in which they run; replicates follow."""


@dataclass(frozen=True)
class Turn:
    """The place of a trial in the study's plan."""

    phase: str
    scene: str
    """The label of its scene; empty in a study of one."""
    index: int
    """Its place among the phase's trials on that scene."""


@dataclass(frozen=True)
class Plan:
    """What a trial runs."""

    seed: int
    values: dict[str, Value]
    """Of the varied parameters; empty where the sampler is to propose them."""
    is_default: bool = False
    """Whether it is the default configuration that the optimise phase begins with."""


def next_turn(spec: StudySpec, created: Mapping[str, int]) -> Turn:
    """The turn of the next trial, in the first phase that lacks one; else a replicate's.

    Scenes take turns, so that a study that stops early has run each point on all of them. Variants
    come together on a scene.

    created: how many trials of each phase exist
    """
    planned = spec.planned
    phase = next((p for p in _PHASES if created[p] < planned[p]), "replicate")
    size = len(spec.variants) if phase == "variant" else 1
    block, place = divmod(created[phase], size)
    round_, scene = divmod(block, len(spec.labels))
    return Turn(phase, spec.labels[scene], round_ * size + place)


def plan_trial(spec: StudySpec, turn: Turn, number: int, trials: Sequence[FrozenTrial]) -> Plan:
    """The configuration and seed of the trial with this number.

    spec: of the turn's scene; trials: those on it so far
    """
    seed, index = trial_seed(spec.seed, number), turn.index
    match turn.phase:
        case "variant":
            # The r-th repeats of all variants share one seed.
            shared = trial_seed(spec.seed, index // len(spec.variants))
            return Plan(shared, variant_point(spec, index))
        case "try":
            return Plan(seed, point_values(spec.tries[index], spec.space))
        case "explore":
            return Plan(seed, explore_values(spec, index))
        case "optimize" if index == 0:
            return Plan(seed, spec.space.defaults(), is_default=True)
        case "optimize":
            return Plan(seed, {})
        case _:
            shared = replicate_seed(spec, trials, index, number)
            return Plan(shared, replicate_values(spec, trials, index))
