"""A plugin with a piece of each kind."""

from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from nerf.config.schema import Field
from nerf.plugins import (
    Doc,
    Domain,
    register_activation,
    register_colour_activation,
    register_colour_space,
    register_density_activation,
    register_encoding,
    register_loss,
    register_metric,
    register_schedule,
)


@dataclass(frozen=True)
class Elu:
    alpha: Annotated[float, Domain(0.5, 2.0, label="ELU's alpha"), Doc("Depth of the ELU.")] = 1.0

    def __post_init__(self) -> None:
        if self.alpha <= 0:
            raise ValueError(f"alpha must be positive, got {self.alpha:g}")


@register_activation("elu")
def elu(x: Tensor, options: Elu) -> Tensor:
    return F.elu(x, options.alpha)


@register_density_activation("steep_softplus")
def steep_softplus(x: Tensor, options: Field) -> Tensor:
    return F.softplus(options.density_scale * x)


@register_colour_activation("hard_sigmoid")
def hard_sigmoid(x: Tensor) -> Tensor:
    return F.hardsigmoid(x)


@dataclass(frozen=True)
class Gamma:
    exponent: Annotated[float, Domain(1.0, 3.0), Doc("Exponent from colour to light.")] = 2.0


@register_colour_space("gamma")
class GammaSpace:
    def __init__(self, options: Gamma) -> None:
        self.exponent = options.exponent

    def to_light(self, rgb: Tensor) -> Tensor:
        return rgb**self.exponent

    def to_rgb(self, light: Tensor) -> Tensor:
        return light.clamp(min=1e-6) ** (1 / self.exponent)


@dataclass(frozen=True)
class Waves:
    count: Annotated[int, Domain(4, 64, log=True), Doc("Directions of waves.")] = 16


@register_encoding("waves")
class RandomWaves(nn.Module):
    """Sines along random directions."""

    directions: Tensor

    def __init__(self, box: Tensor, generator: Generator, options: Waves) -> None:
        super().__init__()
        self.features = options.count
        drawn = 4 * torch.randn(3, options.count, generator=generator)
        self.register_buffer("directions", drawn)

    def forward(self, positions: Tensor) -> Tensor:
        return torch.sin(positions @ self.directions)


@register_schedule("halves")
def halves(progress: float) -> float:
    return 1.0 if progress < 0.5 else 0.5


@register_loss("smooth")
def smooth(rgb: Tensor, target: Tensor) -> Tensor:
    return F.smooth_l1_loss(rgb, target, beta=0.1)


@register_metric("edges", direction="min", unit="%")
def edges(rendered: Tensor, photograph: Tensor) -> float:
    """How far the steps between neighbours in a row are from those of the photograph."""
    wrong = rendered.diff(dim=1) - photograph.diff(dim=1)
    return float(100 * wrong.abs().mean())
