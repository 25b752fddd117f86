"""How near a rendered view is to its photograph."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

SSIM_WINDOW = 11
_SSIM_SIGMA = 1.5


def psnr(rendered: Float[Tensor, "*shape"], truth: Float[Tensor, "*shape"]) -> float:
    """Peak signal-to-noise ratio in dB of colours in [0, 1]; infinite where they are equal."""
    mse = torch.mean((rendered.double() - truth.double()) ** 2).item()
    return math.inf if mse == 0 else -10 * math.log10(mse)


def ssim(
    rendered: Float[Tensor, "height width 3"], truth: Float[Tensor, "height width 3"]
) -> float:
    """Structural similarity in [-1, 1], Gaussian window of 11 pixels, sigma 1.5 (Wang et al. 2004).

    The mean over channels and over the places where the whole window lies in the image; NaN for an
    image smaller than the window.
    """
    if min(rendered.shape[:2]) < SSIM_WINDOW:
        return math.nan
    x, y = (image.double().movedim(-1, 0)[:, None] for image in (rendered, truth))
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = _blur(x * x) - mean_x**2
    var_y = _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    )
    return similarity.mean().item()


def _blur(image: Tensor) -> Tensor:
    offsets = torch.arange(SSIM_WINDOW, dtype=image.dtype, device=image.device) - SSIM_WINDOW // 2
    window = torch.exp(-(offsets**2) / (2 * _SSIM_SIGMA**2))
    window = window / window.sum()
    return F.conv2d(F.conv2d(image, window[None, None, :, None]), window[None, None, None, :])
