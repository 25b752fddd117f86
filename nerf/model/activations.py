"""Activation functions for hidden units, density and colour."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nerf.common.errors import InputError
from nerf.config.choices import COLOUR_ACTIVATIONS, DENSITY_ACTIVATIONS, HIDDEN_ACTIVATIONS
from nerf.config.schema import Field, NerfConfig

Activation = Callable[[Tensor], Tensor]

MAX_EXPONENT = 15.0
"""Largest exponent of the truncated exponential; exp(15) is about 3.3e6 per scene unit."""

COLOUR_PADDING = 0.001
"""How far the widened sigmoid reaches beyond 0 and 1 (multinerf's rgb_padding)."""

_SEARCHED, _BISECTIONS = 1e4, 100
"""Between which raw outputs that of a density is searched, and how often the part is halved."""


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


@HIDDEN_ACTIVATIONS.register("relu")
def _relu_in_place(x: Tensor) -> Tensor:
    return torch.relu_(x)  # its gradient needs only the output


HIDDEN_ACTIVATIONS.register("silu")(F.silu)
HIDDEN_ACTIVATIONS.register("gelu")(F.gelu)
HIDDEN_ACTIVATIONS.register("softplus")(F.softplus)
HIDDEN_ACTIVATIONS.register("sine")(torch.sin)


def _inverse_softplus(density: float) -> float:
    """log(e^d - 1), without overflow for a large d."""
    return density + math.log(-math.expm1(-density))


DENSITY_ACTIVATIONS.register("relu", inverse=lambda density: density)(F.relu)
DENSITY_ACTIVATIONS.register("softplus", inverse=_inverse_softplus)(F.softplus)


@DENSITY_ACTIVATIONS.register("shifted_softplus", inverse=lambda d: 1 + _inverse_softplus(d))
def _shifted_softplus(x: Tensor) -> Tensor:
    return F.softplus(x - 1)


@DENSITY_ACTIVATIONS.register("truncated_exp", inverse=math.log)
def _truncated_exp(x: Tensor) -> Tensor:
    density: Tensor = _TruncatedExp.apply(x)  # type: ignore[no-untyped-call]
    return density


def _raw_of_sigmoid(density: float, options: Field) -> float:
    return math.log(density / (options.density_scale - density))


@DENSITY_ACTIVATIONS.register("sigmoid", inverse=_raw_of_sigmoid)
def _scaled_sigmoid(x: Tensor, options: Field) -> Tensor:
    return options.density_scale * torch.sigmoid(x)


COLOUR_ACTIVATIONS.register("sigmoid")(torch.sigmoid)


@COLOUR_ACTIVATIONS.register("widened_sigmoid")
def _widened_sigmoid(x: Tensor) -> Tensor:
    return (1 + 2 * COLOUR_PADDING) * torch.sigmoid(x) - COLOUR_PADDING


def hidden_activation(config: NerfConfig) -> Activation:
    """The activation of hidden units; may overwrite its input."""
    return HIDDEN_ACTIVATIONS.piece(config.field.hidden_activation).bind(config.section)


def density_activation(config: NerfConfig) -> Activation:
    """Maps raw outputs to densities >= 0."""
    return DENSITY_ACTIVATIONS.piece(config.field.density_activation).bind(config.section)


def colour_activation(config: NerfConfig) -> Activation:
    """Maps raw outputs to colours in (0, 1), or in (-0.001, 1.001) when widened."""
    return COLOUR_ACTIVATIONS.piece(config.field.colour_activation).bind(config.section)


def initial_raw_density(config: NerfConfig) -> float:
    """The raw output that the activation maps to `field.initial_density` > 0.

    Raises `InputError` where an activation of a plugin without an inverse does not reach it.
    """
    density = config.field.initial_density
    piece = DENSITY_ACTIVATIONS.piece(config.field.density_activation)
    inverse = piece.bind_inverse(config.section)
    if inverse is not None:
        return inverse(density)
    return _bisect(piece.bind(config.section), density, piece.name)


def _bisect(activation: Activation, density: float, name: str) -> float:
    """Where a rising activation has the value `density`."""
    low, high = -_SEARCHED, _SEARCHED
    with torch.no_grad():
        least, most = activation(torch.tensor([low, high], dtype=torch.float64)).tolist()
        if not least <= density <= most:
            raise InputError(
                f"the density activation {name!r} does not reach field.initial_density="
                f"{density:g} between {low:g} and {high:g}; set it to another value, or to 0"
            )
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            value = float(activation(torch.tensor([middle], dtype=torch.float64)))
            low, high = (middle, high) if value < density else (low, middle)
    return (low + high) / 2


def explain_gradient_fault(x: Tensor, y: Tensor, inputs: str) -> str:
    """What keeps a plugin's `y` of the leaf `x` from being trained through; empty if nothing."""
    if not y.requires_grad:
        return "returns a tensor without a gradient; compute it with torch from its input"
    y.sum().backward()  # type: ignore[no-untyped-call]
    finite = x.grad is not None and bool(x.grad.isfinite().all())
    return "" if finite else f"has a gradient of NaN or infinity for {inputs}"


@HIDDEN_ACTIVATIONS.fault_check
def _explain_fault(activation: Activation) -> str:
    """What keeps a function of a plugin from being an activation; empty if nothing does."""
    x = torch.linspace(-4, 4, 24).view(3, 8).requires_grad_()
    y = activation(x.clone())
    if not isinstance(y, Tensor) or y.shape != x.shape:
        got = f"the shape {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
        return f"returns {got} for a tensor of the shape (3, 8); return one number for each"
    if not y.isfinite().all():
        return "returns NaN or infinity for numbers between -4 and 4"
    return explain_gradient_fault(x, y, "numbers between -4 and 4")


@DENSITY_ACTIVATIONS.fault_check
def _explain_fault_of_density(activation: Activation) -> str:
    if fault := _explain_fault(activation):
        return fault
    lowest = float(activation(torch.linspace(-4, 4, 24)).min())
    return "" if lowest >= 0 else f"returns {lowest:g}, and a density must be 0 or more"


COLOUR_ACTIVATIONS.fault_check(_explain_fault)
