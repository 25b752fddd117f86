"""Adam (arXiv:1412.6980) for all members, each with its own learning rate and steps.

    theta <- theta - rate / (1 - beta_1^n) * m / (sqrt(v / (1 - beta_2^n)) + eps)

n        number of the step, from 1
m, v     moving averages of the gradient and of its square
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from nerf.config.schema import NerfConfig
from nerf.training.batch.parameters import BETAS, EPS, Parameters
from nerf.training.schedule import learning_rate

MIN_CLIP_NORM = 1e-6
"""Added to a norm before dividing by it, as torch.nn.utils.clip_grad_norm_ does."""


def adam_coefficients(config: NerfConfig) -> Float[Tensor, "steps 2"]:
    """a and b of every step of a run, with which an update is m / (a sqrt(v) + b).

    A graph cannot read the host's numbers, so those of the whole schedule are on the device.
    """
    coefficients = []
    for done in range(config.optimisation.steps):
        n = done + 1
        rate = learning_rate(done, config) / (1 - BETAS[0] ** n)
        coefficients.append((-1 / (rate * math.sqrt(1 - BETAS[1] ** n)), -EPS / rate))
    return torch.tensor(coefficients)


def clip_gradients(parameters: Parameters, clip: Float[Tensor, " slots"]) -> None:
    """Scales the gradients of each slot down to a norm of at most `clip`; infinite: no limit."""
    norm = torch.linalg.vector_norm(parameters.gradients, dim=1)
    scale = (clip / (norm + MIN_CLIP_NORM)).clamp(max=1)
    parameters.gradients.mul_(scale[:, None])


def update(parameters: Parameters, coefficients: Float[Tensor, "slots 2"]) -> None:
    """One step of Adam, in place; never waits for the device."""
    gradients, first, second = (
        parameters.gradients,
        parameters.first_moment,
        parameters.second_moment,
    )
    first.lerp_(gradients, 1 - BETAS[0])
    second.mul_(BETAS[1]).addcmul_(gradients, gradients, value=1 - BETAS[1])
    a, b = coefficients[:, :1], coefficients[:, 1:]
    parameters.values.addcdiv_(first, torch.addcmul(b, second.sqrt(), a))
