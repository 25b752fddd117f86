from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from nerf.config.flat import Flat, build
from nerf.evaluation import evaluate
from nerf.evaluation.evaluate import MAX_PSNR, grid_stride
from nerf.evaluation.trivial_baselines import trivial_psnrs
from nerf.model.nerf import Nerf
from nerf.scenes.images import Images
from nerf.scenes.scene import Scene
from nerf.training.run import TrainingRun


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


def test_an_image_does_not_depend_on_its_chunks_where_samples_are_skipped(
    ball: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Flat = {"field.width": 16, "field.depth": 2, "optimisation.rays": 64}
    settings |= {"optimisation.warm_up": 0, "optimisation.crop_steps": 0, "sampling.coarse": 32}
    run = TrainingRun(build({**settings, "compute.precision": "fp32"}), ball)
    for _ in range(120):
        run.advance()
    (grid,) = run.model.occupancy_grids()
    assert (grid.density_bound < 0).float().mean() > 0.05, "empty cells"
    whole = evaluate.render_view(run.model, ball, ball.val[0])
    monkeypatch.setitem(evaluate.RENDER_CHUNK_SAMPLES, "cpu", 3000)
    cut = evaluate.render_view(run.model, ball, ball.val[0])
    torch.testing.assert_close(cut.rgb, whole.rgb, atol=1e-5, rtol=0)


def test_a_padded_photograph_is_measured_as_it_would_be_alone(ball: Scene) -> None:
    model = Nerf(build({"compute.precision": "fp32"}), torch.Generator().manual_seed(0))
    alone = evaluate.evaluate(model, ball, "val", 10**9)
    before = np.asarray(ball.images)
    padded = np.random.default_rng(0).random((len(before), 30, 40, 3), np.float32)
    padded[:, :24, :24] = before
    valid = np.zeros(padded.shape[:3], bool)
    valid[:, :24, :24] = True
    scene = dataclasses.replace(ball, images=Images(padded, valid=valid))
    among_larger = evaluate.evaluate(model, scene, "val", 10**9)
    assert among_larger.psnr == pytest.approx(alone.psnr, abs=1e-5)
    assert among_larger.ssim == pytest.approx(alone.ssim, abs=1e-5)
    both = evaluate.render_beside_photograph(model, scene, ball.val[0])
    assert both.shape == (24, 48, 3)
    assert trivial_psnrs(scene) == pytest.approx(trivial_psnrs(ball), abs=1e-5)


def test_photographs_are_evaluated_over_the_background_of_training(ball: Scene) -> None:
    alphas = np.ones(ball.images.shape[:3], np.float32)
    with_alphas = dataclasses.replace(ball, images=dataclasses.replace(ball.images, alphas=alphas))
    model = Nerf(build({"optimisation.background": "white"}), torch.Generator().manual_seed(0))
    assert (evaluate.evaluation_background(model, ball) == 1).all()
    assert (evaluate.evaluation_background(model, with_alphas) == 0).all()
