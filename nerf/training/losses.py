"""Losses: the colours of rays as rendered and as photographed to the number that training lowers.

A loss is a mean over rays: a CPU renders a step's rays in parts, whose losses it weighs by their
numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nerf.config.choices import LOSSES
from nerf.config.schema import NerfConfig

Loss = Callable[[Tensor, Tensor], Tensor]
"""Of colours (rays, 3) as rendered and as photographed."""


@LOSSES.register("squared")
def mean_squared(rgb: Tensor, target: Tensor) -> Tensor:
    """The mean squared error, which PSNR is the logarithm of."""
    return torch.mean((rgb - target) ** 2)


@LOSSES.register("absolute")
def _mean_absolute(rgb: Tensor, target: Tensor) -> Tensor:
    return torch.mean((rgb - target).abs())


def loss_of(config: NerfConfig) -> Loss:
    """The loss that the config names."""
    return LOSSES.piece(config.optimisation.loss).bind(config.section)


@LOSSES.fault_check
def _explain_fault(loss: Loss) -> str:
    """What keeps a function of a plugin from being a loss; empty if nothing does."""
    rgb = torch.linspace(0, 1, 12).view(4, 3).requires_grad_()
    value = loss(rgb, torch.full((4, 3), 0.3))
    if not isinstance(value, Tensor) or value.shape != ():
        is_tensor = isinstance(value, Tensor)
        got = f"the shape {tuple(value.shape)}" if is_tensor else type(value).__name__
        return f"returns {got} for the colours of 4 rays; return one number, the mean over rays"
    if not value.isfinite():
        return "returns NaN or infinity for colours between 0 and 1"
    if not value.requires_grad:
        return "returns a tensor without a gradient; compute it with torch from its first argument"
    return ""
