"""The colour space in which light adds up along a ray.

Photographs store sRGB (IEC 61966-2-1), in which twice the number is not twice the light. A NeRF as
published composites those numbers; one in `linear` composites light and converts the pixel.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from nerf.config.choices import COLOUR_SPACES
from nerf.config.schema import NerfConfig
from nerf.model.activations import explain_gradient_fault

SRGB_LINEAR_BELOW = 0.0031308
"""Light up to which sRGB's curve is a straight line of slope 12.92."""

_ROUND_TRIP = 1 / 255
"""By how much a colour may change on its way to light and back: a level of a photograph."""


@runtime_checkable
class ColourSpace(Protocol):
    """Converts between the colours of photographs, 0 to 1, and what is composited."""

    def to_light(self, rgb: Float[Tensor, "*any 3"]) -> Float[Tensor, "*any 3"]:
        """What a colour of a photograph is in this space."""
        ...

    def to_rgb(self, light: Float[Tensor, "*any 3"]) -> Float[Tensor, "*any 3"]:
        """The colour in a photograph; the inverse of `to_light`."""
        ...


@COLOUR_SPACES.register("srgb")
class Srgb:
    """Composites the numbers that photographs store, as the NeRF paper does."""

    def to_light(self, rgb: Tensor) -> Tensor:
        return rgb

    def to_rgb(self, light: Tensor) -> Tensor:
        return light


@COLOUR_SPACES.register("linear")
class Linear:
    """Composites light, as in instant-ngp's `linear_colors`."""

    def to_light(self, rgb: Tensor) -> Tensor:
        straight = rgb / 12.92
        # Clamped, so that the branch that `where` drops has no gradient of NaN.
        curved = ((rgb.clamp(min=12.92 * SRGB_LINEAR_BELOW) + 0.055) / 1.055) ** 2.4
        return torch.where(rgb <= 12.92 * SRGB_LINEAR_BELOW, straight, curved)

    def to_rgb(self, light: Tensor) -> Tensor:
        straight = 12.92 * light
        curved = 1.055 * light.clamp(min=SRGB_LINEAR_BELOW) ** (1 / 2.4) - 0.055
        return torch.where(light <= SRGB_LINEAR_BELOW, straight, curved)


def colour_space(config: NerfConfig) -> ColourSpace:
    """The colour space of `config`."""
    space: ColourSpace = COLOUR_SPACES.piece(config.field.colour_space).bind(config.section)()
    return space


@COLOUR_SPACES.fault_check
def _explain_fault(make: Any) -> str:
    """What keeps a class of a plugin from being a colour space; empty if nothing does."""
    space = make()
    if not isinstance(space, ColourSpace):
        return "is not a class with the methods to_light and to_rgb; give it both"
    rgb = torch.linspace(0, 1, 24).view(8, 3)
    light = space.to_light(rgb)
    if not isinstance(light, Tensor) or light.shape != rgb.shape or not light.isfinite().all():
        return "converts colours between 0 and 1 to something other than as many finite numbers"
    light = light.detach().requires_grad_()
    back = space.to_rgb(light)
    if not isinstance(back, Tensor) or back.shape != rgb.shape:
        return "converts light to something other than as many colours"
    change = float((back.detach() - rgb).abs().max())
    if not change <= _ROUND_TRIP:
        return (
            f"changes a colour by {change:.3g} on its way to light and back; make one the inverse"
        )
    return explain_gradient_fault(light, back, "colours between 0 and 1")
