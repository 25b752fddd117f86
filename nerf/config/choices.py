"""The registries: choices of a configuration that a plugin may add to.

The names of this program's own pieces stand in the order of `--help`; the module beside them has
their code, and says how a piece of a plugin is tried before it is used.
"""

from __future__ import annotations

from nerf.common.registration import declare
from nerf.config.registry import Registry

HIDDEN_ACTIVATIONS = Registry(
    "field.hidden_activation",
    "activation",
    "nerf.model.activations",
    ("relu", "silu", "gelu", "softplus", "sine"),
)
DENSITY_ACTIVATIONS = Registry(
    "field.density_activation",
    "density activation",
    "nerf.model.activations",
    ("relu", "softplus", "shifted_softplus", "truncated_exp", "sigmoid"),
)
COLOUR_ACTIVATIONS = Registry(
    "field.colour_activation",
    "colour activation",
    "nerf.model.activations",
    ("sigmoid", "widened_sigmoid"),
)
COLOUR_SPACES = Registry(
    "field.colour_space",
    "colour space",
    "nerf.model.colour_space",
    ("srgb", "linear"),
)
ENCODINGS = Registry(
    "encoding.kind",
    "encoding",
    "nerf.model.encodings",
    ("frequency", "none", "hash", "grid"),
)
SCHEDULES = Registry(
    "optimisation.schedule",
    "schedule",
    "nerf.training.schedule",
    ("exponential", "cosine", "constant"),
)
LOSSES = Registry("optimisation.loss", "loss", "nerf.training.losses", ("squared", "absolute"))

REGISTRIES = (
    HIDDEN_ACTIVATIONS,
    DENSITY_ACTIVATIONS,
    COLOUR_ACTIVATIONS,
    COLOUR_SPACES,
    ENCODINGS,
    SCHEDULES,
    LOSSES,
)
"""All of them."""

declare(*REGISTRIES)
