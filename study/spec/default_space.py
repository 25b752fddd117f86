"""The default search space of a study, and the parameters that it fixes by default."""

from __future__ import annotations

from nerf.config.flat import Flat
from nerf.config.parameters import DERIVED, Value
from study.spec.parse_space import parse_space
from study.spec.space import Space

DEFAULT_SETTINGS: dict[str, Value] = {
    "sampling.coarse": 40,
    "optimisation.rays": 256,
    "evaluation.times": 8,
    "evaluation.pixels": 1024,
    "evaluation.final_pixels": 4096,
}
"""Parameters that a study fixes unless they are varied or set: coarse, so that a trial takes
seconds."""

DEFAULT_VARIED = (
    "sampling.near",
    "sampling.span",
    "encoding.position_frequencies",
    "field.width=32:128",
    "field.hidden_activation",
    "field.density_activation",
    "optimisation.learning_rate=0.002:0.02",
)
"""The `--vary` texts of a study without any."""


def make_default_space(fixed: Flat) -> Space:
    """The space of a study without `--vary`: `DEFAULT_VARIED` without the parameters in `fixed`."""
    set_paths = set(fixed)
    set_paths |= {path for path, derived in DERIVED.items() if derived.sets in fixed}
    varied = [text for text in DEFAULT_VARIED if text.partition("=")[0] not in set_paths]
    return parse_space(varied, fixed)
