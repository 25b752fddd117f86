"""Image quality: PSNR and SSIM of a rendered view against its photograph, where that is valid.

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
from jaxtyping import Bool, Float
from torch import Tensor

SSIM_WINDOW = 11
"""Side of the window, pixels."""

_SSIM_SIGMA = 1.5  # standard deviation of the Gaussian, pixels
_SSIM_C1, _SSIM_C2 = 0.01**2, 0.03**2


def psnr(
    rendered: Float[Tensor, "*shape 3"],
    truth: Float[Tensor, "*shape 3"],
    valid: Bool[Tensor, " *shape"] | None = None,
) -> float:
    """Peak signal-to-noise ratio in dB of colours in [0, 1], where they are valid.

    Infinite if they are equal, NaN if no pixel is valid.
    """
    error = (rendered.double() - truth.double()) ** 2
    mse = _mean(error.reshape(-1, 3) if valid is None else error[valid])
    return math.inf if mse == 0 else -10 * math.log10(mse)


def ssim(
    rendered: Float[Tensor, "height width 3"],
    truth: Float[Tensor, "height width 3"],
    valid: Bool[Tensor, "height width"] | None = None,
) -> float:
    """Structural similarity in [-1, 1] of colours in [0, 1].

    The mean over channels and over all positions of the window that lie within the image and have
    a valid pixel in their middle; pixels that are not valid have no weight in a window. NaN without
    such a position, as in an image smaller than the window.
    """
    if min(rendered.shape[:2]) < SSIM_WINDOW:
        return math.nan
    # (3, 1, height, width): each channel is an image of its own. In float64, because variances as
    # differences of two means lose digits.
    x, y = (image.double().movedim(-1, 0)[:, None] for image in (rendered, truth))
    mean = _gaussian_mean if valid is None else _MaskedMean(valid)
    mean_x, mean_y = mean(x), mean(y)
    var_x = mean(x * x) - mean_x**2
    var_y = mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    similarity = ((2 * mean_x * mean_y + _SSIM_C1) * (2 * covariance + _SSIM_C2)) / (
        (mean_x**2 + mean_y**2 + _SSIM_C1) * (var_x + var_y + _SSIM_C2)
    )
    if valid is not None:
        rim = SSIM_WINDOW // 2
        similarity = similarity[..., valid[rim:-rim, rim:-rim]]
    return _mean(similarity.flatten(1).t())


def _mean(pixels: Float[Tensor, "pixels 3"]) -> float:
    """The mean, channel by channel: threads would divide a single sum, and its last bits differ."""
    return pixels.mean(0).mean().item()


class _MaskedMean:
    """Gaussian-weighted mean of the valid pixels of each window."""

    def __init__(self, valid: Bool[Tensor, "height width"]) -> None:
        self._valid = valid.double()[None, None]
        self._weight = _gaussian_mean(self._valid)

    def __call__(self, image: Tensor) -> Tensor:
        return _gaussian_mean(image * self._valid) / self._weight


def _gaussian_mean(image: Tensor) -> Tensor:
    """Gaussian-weighted mean of each window; 10 pixels smaller, as windows lie within the image."""
    offsets = torch.arange(SSIM_WINDOW, dtype=image.dtype, device=image.device) - SSIM_WINDOW // 2
    window = torch.exp(-(offsets**2) / (2 * _SSIM_SIGMA**2))
    window = window / window.sum()
    # The Gaussian is separable: a column of weights, then a row.
    return F.conv2d(F.conv2d(image, window[None, None, :, None]), window[None, None, None, :])
