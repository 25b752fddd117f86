from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from nerf.config.flat import build
from nerf.evaluation import evaluate
from nerf.evaluation.evaluate import MAX_PSNR, grid_stride
from nerf.model.nerf import Nerf
from nerf.scenes.images import Images
from nerf.scenes.scene import Scene


def test_the_grid_has_about_the_requested_pixels_and_room_for_ssim(ball: Scene) -> None:
    assert grid_stride(ball, "val", 10**9) == 1
    assert grid_stride(ball, "val", 24 * 24 // 4) == 2
    assert grid_stride(ball, "val", 1) == 2  # 12 x 12 pixels: one stride more is under 11


def test_a_view_without_error_counts_finitely(ball: Scene) -> None:
    black = dataclasses.replace(ball, images=Images(np.zeros(ball.images.shape, np.float32)))
    model = Nerf(build({"field.density_activation": "relu"}), torch.Generator().manual_seed(0))
    torch.nn.init.constant_(model.coarse.density.bias, -100.0)
    assert evaluate.evaluate(model, black, "val", 600).psnr == MAX_PSNR


def test_a_field_that_renders_nan_has_no_psnr(ball: Scene) -> None:
    model = Nerf(build({}), torch.Generator().manual_seed(0))
    torch.nn.init.constant_(model.coarse.colour.bias, math.nan)
    assert math.isnan(evaluate.evaluate(model, ball, "val", 600).psnr)


def test_an_image_does_not_depend_on_its_chunks(
    ball: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Nerf(build({"compute.precision": "fp32"}), torch.Generator().manual_seed(0))
    whole = evaluate.render_view(model, ball, ball.val[0], 2)
    monkeypatch.setitem(evaluate.RENDER_CHUNK_SAMPLES, "cpu", 1000)
    cut = evaluate.render_view(model, ball, ball.val[0], 2)
    torch.testing.assert_close(cut.rgb, whole.rgb)
    torch.testing.assert_close(cut.depth, whole.depth)
    assert not cut.rgb.is_inference()
