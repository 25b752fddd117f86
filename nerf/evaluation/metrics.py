"""Image quality: PSNR and SSIM of a rendered view against its photograph.

SSIM of two images x and y (Eq. 13 of Wang et al. 2004, "Image quality assessment: from error
visibility to structural similarity"), in a window around each pixel:

    (2 mu_x mu_y + C1) (2 sigma_xy + C2) / ((mu_x^2 + mu_y^2 + C1) (sigma_x^2 + sigma_y^2 + C2))

mu_x, mu_y              means, weighted by a Gaussian over the window
sigma_x^2, sigma_y^2    variances, with the same weights
sigma_xy                covariance, with the same weights
C1, C2                  (0.01 R)^2 and (0.03 R)^2, which keep the quotient stable; R = 1, the range
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

SSIM_WINDOW = 11
"""Side of the window, pixels."""

_SSIM_SIGMA = 1.5  # standard deviation of the Gaussian, pixels
_SSIM_C1, _SSIM_C2 = 0.01**2, 0.03**2


def psnr(rendered: Float[Tensor, "*shape"], truth: Float[Tensor, "*shape"]) -> float:
    """Peak signal-to-noise ratio in dB of colours in [0, 1]; infinite if they are equal."""
    mse = torch.mean((rendered.double() - truth.double()) ** 2).item()
    return math.inf if mse == 0 else -10 * math.log10(mse)


def ssim(
    rendered: Float[Tensor, "height width 3"], truth: Float[Tensor, "height width 3"]
) -> float:
    """Structural similarity in [-1, 1] of colours in [0, 1].

    The mean over channels and over all positions of the window that lie within the image; NaN if
    the image is smaller than the window.
    """
    if min(rendered.shape[:2]) < SSIM_WINDOW:
        return math.nan
    # (3, 1, height, width): each channel is an image of its own. In float64, because variances as
    # differences of two means lose digits.
    x, y = (image.double().movedim(-1, 0)[:, None] for image in (rendered, truth))
    mean_x, mean_y = _gaussian_mean(x), _gaussian_mean(y)
    var_x = _gaussian_mean(x * x) - mean_x**2
    var_y = _gaussian_mean(y * y) - mean_y**2
    covariance = _gaussian_mean(x * y) - mean_x * mean_y
    similarity = ((2 * mean_x * mean_y + _SSIM_C1) * (2 * covariance + _SSIM_C2)) / (
        (mean_x**2 + mean_y**2 + _SSIM_C1) * (var_x + var_y + _SSIM_C2)
    )
    return similarity.mean().item()


def _gaussian_mean(image: Tensor) -> Tensor:
    """Gaussian-weighted mean of each window; 10 pixels smaller, as windows lie within the image."""
    offsets = torch.arange(SSIM_WINDOW, dtype=image.dtype, device=image.device) - SSIM_WINDOW // 2
    window = torch.exp(-(offsets**2) / (2 * _SSIM_SIGMA**2))
    window = window / window.sum()
    # The Gaussian is separable: a column of weights, then a row.
    return F.conv2d(F.conv2d(image, window[None, None, :, None]), window[None, None, None, :])
