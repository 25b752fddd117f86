"""The non-linearities a NeRF can be built from: hidden units, density, colour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nerf.config.schema import ColourActivation, DensityActivation, HiddenActivation

Activation = Callable[[Tensor], Tensor]

EXPONENT_LIMIT = 15.0
WIDENING = 0.001


class _TruncatedExp(torch.autograd.Function):
    """exp(x) whose value stops growing at x = 15 while its gradient goes on (torch-ngp).

    A plain clamp would have no gradient there, and a density once too high could never fall.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.exp(x.clamp(max=EXPONENT_LIMIT))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradients[0] * torch.exp(x.clamp(-EXPONENT_LIMIT, EXPONENT_LIMIT))


def hidden_activation(name: HiddenActivation) -> Activation:
    table: dict[HiddenActivation, Activation] = {
        "relu": torch.relu_,  # in place: its gradient needs the output alone
        "silu": F.silu,
        "gelu": F.gelu,
        "softplus": F.softplus,
        "sine": torch.sin,
    }
    return table[name]


def density_activation(name: DensityActivation, scale: float) -> Activation:
    """Raw output to density >= 0; `scale` is the largest density that the sigmoid reaches."""
    table: dict[DensityActivation, Activation] = {
        "relu": F.relu,
        "softplus": F.softplus,
        "shifted_softplus": lambda x: F.softplus(x - 1),
        "truncated_exp": _TruncatedExp.apply,
        "sigmoid": lambda x: scale * torch.sigmoid(x),
    }
    return table[name]


def colour_activation(name: ColourActivation) -> Activation:
    """Raw output to colour: within (0, 1), or a thousandth beyond either end when widened."""
    table: dict[ColourActivation, Activation] = {
        "sigmoid": torch.sigmoid,
        "widened_sigmoid": lambda x: (1 + 2 * WIDENING) * torch.sigmoid(x) - WIDENING,
    }
    return table[name]
