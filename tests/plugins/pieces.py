"""A plugin with a piece of each kind."""

from dataclasses import dataclass
from typing import Annotated

import torch.nn.functional as F
from torch import Tensor

from nerf.config.schema import Field
from nerf.plugins import (
    Doc,
    Domain,
    register_activation,
    register_colour_activation,
    register_density_activation,
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
