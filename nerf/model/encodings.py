"""The encodings of positions: modules with `features`, that map (points, 3) to (points, features).

They are made from a box, which encloses every sample of every training ray, and a generator, from
which they draw their initial weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast, runtime_checkable

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from nerf.config.choices import ENCODINGS
from nerf.config.schema import Encoding, NerfConfig
from nerf.model.frequency_encoding import FrequencyEncoding
from nerf.model.grid_encoding import GridEncoding
from nerf.model.hash_encoding import UNIT_BOX, HashEncoding

Box = Float[Tensor, "2 3"]


@runtime_checkable
class PositionEncoding(Protocol):
    """What the field needs of an encoding; it is a module."""

    features: int

    def __call__(self, positions: Float[Tensor, "points 3"]) -> Float[Tensor, "points features"]:
        """The features of each position."""


@ENCODINGS.register("frequency")
def _frequencies(box: Box, generator: Generator, options: Encoding) -> nn.Module:
    return FrequencyEncoding(options.position_frequencies, options.include_input, options.times_pi)


@ENCODINGS.register("none")
def _coordinates(box: Box, generator: Generator) -> nn.Module:
    return FrequencyEncoding(0, include_input=True, times_pi=False)


@ENCODINGS.register("hash")
def _hash(box: Box, generator: Generator, options: Encoding) -> nn.Module:
    return HashEncoding(
        options.hash_levels, options.hash_finest, options.hash_log2_entries, box, generator
    )


@ENCODINGS.register("grid")
def _grid(box: Box, generator: Generator, options: Encoding) -> nn.Module:
    return GridEncoding(
        options.grid_levels, options.grid_cells, options.grid_features, box, generator
    )


def position_encoding(config: NerfConfig, box: Box, generator: Generator) -> PositionEncoding:
    """The encoding of positions that the config names."""
    make = ENCODINGS.piece(config.encoding.kind).bind(config.section)
    return cast(PositionEncoding, make(box, generator))


@ENCODINGS.fault_check
def _explain_fault(make: Callable[[Tensor, Generator], Any]) -> str:
    """What keeps a class of a plugin from being an encoding; empty if nothing does."""
    made = []
    with torch.random.fork_rng(devices=[]):
        for seed in range(2):
            torch.manual_seed(seed)
            made.append(make(UNIT_BOX, Generator().manual_seed(0)))
    encoding = made[0]
    features = getattr(encoding, "features", None)
    if not isinstance(encoding, nn.Module) or not isinstance(features, int):
        return "is not a torch.nn.Module with a whole number `features`; make it one"
    x = torch.linspace(-0.9, 0.9, 15).view(5, 3)
    y = encoding(x)
    expected = (5, features)
    if not isinstance(y, Tensor) or tuple(y.shape) != expected:
        got = f"the shape {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
        return f"returns {got} for 5 positions; return the shape {expected}, as `features` says"
    if not y.isfinite().all():
        return "returns NaN or infinity for positions within the box"
    states = [module.state_dict() for module in made]
    if any(not torch.equal(states[0][name], states[1][name]) for name in states[0]):
        return "draws its weights from torch's own random numbers; draw them from `generator`"
    return ""
