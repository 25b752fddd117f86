from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch

from nerf.config.flat import build
from nerf.evaluation.evaluate import MAX_PSNR, evaluate, grid_stride
from nerf.model.nerf import Nerf
from nerf.scenes.scene import Scene


def test_the_grid_has_about_the_requested_pixels_and_room_for_ssim(ball: Scene) -> None:
    assert grid_stride(ball, "val", 10**9) == 1
    assert grid_stride(ball, "val", 24 * 24 // 4) == 2
    assert grid_stride(ball, "val", 1) == 2  # 12 x 12 pixels: one stride more is under 11


def test_a_view_without_error_counts_finitely(ball: Scene) -> None:
    black = dataclasses.replace(ball, images=np.zeros_like(ball.images))
    model = Nerf(build({"field.density_activation": "relu"}), torch.Generator().manual_seed(0))
    torch.nn.init.constant_(model.coarse.density.bias, -100.0)
    assert evaluate(model, black, "val", 600).psnr == MAX_PSNR


def test_a_field_that_renders_nan_has_no_psnr(ball: Scene) -> None:
    model = Nerf(build({}), torch.Generator().manual_seed(0))
    torch.nn.init.constant_(model.coarse.colour.bias, math.nan)
    assert math.isnan(evaluate(model, ball, "val", 600).psnr)
