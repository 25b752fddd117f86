"""Activation functions for hidden units, density and colour."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nerf.config.schema import ColourActivation, DensityActivation, HiddenActivation

Activation = Callable[[Tensor], Tensor]

MAX_EXPONENT = 15.0
"""Largest exponent of the truncated exponential; exp(15) is about 3.3e6 per scene unit."""

COLOUR_PADDING = 0.001
"""How far the widened sigmoid reaches beyond 0 and 1 (multinerf's rgb_padding)."""


class _TruncatedExp(torch.autograd.Function):
    """exp(min(x, 15)) with a gradient of exp(x), x clamped to -15..15 (trunc_exp of torch-ngp).

    Autograd would give a plain clamp a zero gradient above 15, and a density that has once grown
    too high could never fall again.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.exp(x.clamp(max=MAX_EXPONENT))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradients[0] * torch.exp(x.clamp(-MAX_EXPONENT, MAX_EXPONENT))


def hidden_activation(name: HiddenActivation) -> Activation:
    """The activation of hidden units; may overwrite its input."""
    table: dict[HiddenActivation, Activation] = {
        "relu": torch.relu_,  # in place, as its gradient needs only the output
        "silu": F.silu,
        "gelu": F.gelu,
        "softplus": F.softplus,
        "sine": torch.sin,
    }
    return table[name]


def density_activation(name: DensityActivation, scale: float) -> Activation:
    """Maps raw outputs to densities >= 0; `scale` is the upper limit of the sigmoid's density."""
    table: dict[DensityActivation, Activation] = {
        "relu": F.relu,
        "softplus": F.softplus,
        "shifted_softplus": lambda x: F.softplus(x - 1),
        "truncated_exp": _TruncatedExp.apply,
        "sigmoid": lambda x: scale * torch.sigmoid(x),
    }
    return table[name]


def raw_density(name: DensityActivation, scale: float, density: float) -> float:
    """The raw output that the activation maps to `density` > 0, below `scale` for a sigmoid."""
    # log(e^d - 1), the inverse of softplus, without overflow for a large d.
    inverse_softplus = density + math.log(-math.expm1(-density))
    table: dict[DensityActivation, float] = {
        "relu": density,
        "softplus": inverse_softplus,
        "shifted_softplus": 1 + inverse_softplus,
        "truncated_exp": math.log(density),
    }
    return table[name] if name != "sigmoid" else math.log(density / (scale - density))


def colour_activation(name: ColourActivation) -> Activation:
    """Maps raw outputs to colours in (0, 1), or in (-0.001, 1.001) when widened."""
    table: dict[ColourActivation, Activation] = {
        "sigmoid": torch.sigmoid,
        "widened_sigmoid": lambda x: (1 + 2 * COLOUR_PADDING) * torch.sigmoid(x) - COLOUR_PADDING,
    }
    return table[name]
