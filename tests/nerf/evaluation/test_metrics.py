from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch

from nerf.evaluation.metrics import SSIM_WINDOW, psnr, ssim
from tests.threads import with_threads


def slow_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """Wang et al. 2004, one window at a time."""
    offsets = np.arange(SSIM_WINDOW) - SSIM_WINDOW // 2
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(line, line) / np.outer(line, line).sum()
    scores = []
    for row in range(x.shape[0] - SSIM_WINDOW + 1):
        for column in range(x.shape[1] - SSIM_WINDOW + 1):
            for channel in range(3):
                place = np.s_[row : row + SSIM_WINDOW, column : column + SSIM_WINDOW, channel]
                a, b = x[place], y[place]
                ma, mb = (window * a).sum(), (window * b).sum()
                va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
                cov = (window * (a - ma) * (b - mb)).sum()
                c1, c2 = 0.01**2, 0.03**2
                scores.append(
                    (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
                )
    return float(np.mean(scores))


def test_psnr_of_a_known_error() -> None:
    assert psnr(torch.full((4, 4, 3), 0.6), torch.full((4, 4, 3), 0.5)) == pytest.approx(
        20, abs=1e-4
    )
    assert psnr(torch.ones(2, 2, 3), torch.ones(2, 2, 3)) == math.inf


def test_ssim_agrees_with_its_definition() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(14, 17, 3))
    y = np.clip(x + rng.normal(0, 0.2, x.shape), 0, 1)
    assert ssim(torch.tensor(x).float(), torch.tensor(y).float()) == pytest.approx(
        slow_ssim(x, y), abs=1e-5
    )


def test_ssim_of_equal_images_is_one_and_of_tiny_ones_unknown() -> None:
    x = torch.rand(16, 16, 3, generator=torch.Generator().manual_seed(0))
    assert ssim(x, x) == pytest.approx(1)
    assert math.isnan(ssim(x[:5], x[:5]))


def test_pixels_that_are_not_valid_count_in_neither() -> None:
    rng = np.random.default_rng(1)
    x, y = torch.tensor(rng.uniform(size=(2, 30, 40, 3)))
    valid = torch.ones(30, 40, dtype=torch.bool)
    valid[5:15, 8:20] = False
    for metric in (psnr, ssim):
        before = metric(x, y, valid)
        changed = torch.where(valid[..., None], x, 1 - x)
        assert metric(changed, y, valid) == pytest.approx(before, abs=1e-9)
        everything = torch.ones(30, 40, dtype=torch.bool)
        assert metric(x, y, everything) == pytest.approx(metric(x, y), abs=1e-9)
    assert psnr(x, y, valid) == pytest.approx(psnr(x[valid], y[valid]))
    assert math.isnan(psnr(x, y, ~torch.ones(30, 40, dtype=torch.bool)))


def test_threads_do_not_change_the_quality_of_a_large_image() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 120, 130, 3, generator=generator)
    valid = torch.rand(120, 130, generator=generator) > 0.1
    for mask in (None, valid):
        for measure in (psnr, ssim):
            one, *more = with_threads(partial(measure, x, y, mask), 1, 2, 3)
            assert more == [one, one]
