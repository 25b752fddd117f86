"""The search spaces that have a name, with what a study of each fixes and how much it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nerf.config.flat import Flat
from nerf.config.parameters import DERIVED, Value
from study.spec.parse_space import parse_space
from study.spec.space import Space
from study.trainers.parameter_set import NERF, ParameterSet

DEFAULT_SETTINGS: dict[str, Value] = {
    "sampling.coarse": 40,
    "optimisation.rays": 256,
    "evaluation.times": 5,
    "evaluation.pixels": 1024,
    "evaluation.final_pixels": 4096,
}
"""Parameters that a study with `--vary` fixes unless they are varied or set: coarse, so that a
trial takes seconds."""


@dataclass(frozen=True)
class NamedSpace:
    """A search space of `--space`, and the study that it makes."""

    description: str
    varied: tuple[str, ...]
    """As `--vary` texts."""
    settings: Mapping[str, Value] = field(default_factory=lambda: DEFAULT_SETTINGS)
    """Parameters that it fixes unless they are set."""
    phases: Mapping[str, int] = field(default_factory=dict)
    """Trials of each phase, by the fields of `StudySpec`, where they are not its defaults."""


SPACES = {
    "quick": NamedSpace(
        "near and far, encoding frequencies, density activation and learning rate of a network of "
        "2 x 64 units: a study of minutes whose report can tell them apart",
        (
            "sampling.near=-inf:0.55:scene",
            "sampling.far=0.6:2.2:scene",
            "encoding.position_frequencies=0:12",
            "field.density_activation=relu,shifted_softplus,truncated_exp,sigmoid",
            "optimisation.learning_rate=0.008:0.02:linear",
        ),
        settings={
            **DEFAULT_SETTINGS,
            "sampling.coarse": 32,
            "field.depth": 2,
            "field.width": 64,
            # Without a warm-up a ReLU density dies at high learning rates: a collapse to look at,
            # which the other activations survive.
            "optimisation.warm_up": 0,
            "optimisation.rays": 128,
        },
        phases={"explore": 96, "optimize": 4, "replicates": 8},
    ),
    "wide": NamedSpace(
        "width, hidden activation, more frequencies, all density activations and slower learning "
        "rates as well: for some hundred trials",
        (
            "sampling.near",
            "sampling.span",
            "encoding.position_frequencies",
            "field.width=32:128",
            "field.hidden_activation",
            "field.density_activation",
            "optimisation.learning_rate=0.002:0.02",
        ),
    ),
}
"""The choices of `--space`."""

DEFAULT_SPACE = "quick"
"""The space of a study without `--vary` and `--space`."""


def make_space(name: str, fixed: Flat, parameters: ParameterSet = NERF) -> Space:
    """A space of `SPACES` without the parameters in `fixed`, which it does not vary."""
    named = SPACES[name]
    set_paths = set(fixed)
    for path, derived in DERIVED.items():  # span sets far: one of the two is enough
        if path in fixed or derived.sets in fixed:
            set_paths |= {path, derived.sets}
    varied = [text for text in named.varied if text.partition("=")[0] not in set_paths]
    return parse_space(varied, fixed, parameters=parameters)


def name_space(space: Space) -> str:
    """The name of a study's space for its scene or scenes; empty if it has none."""
    if not space.is_nerf:
        return ""
    for name in SPACES:
        own = make_space(name, dict(space.fixed), space.parameters)
        own = own.scaled_to(space.bounds) if space.bounds else own
        if list(map(str, own.dimensions)) == list(map(str, space.dimensions)):
            return name
    return ""
