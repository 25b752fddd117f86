from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nerf.evaluation.evaluate import MAX_PSNR
from nerf.evaluation.trivial_baselines import trivial_psnrs
from nerf.scenes.images import Images
from nerf.scenes.scene import Scene


def test_a_view_that_an_image_equals_counts_finitely(ball: Scene) -> None:
    black = Images(np.zeros(ball.images.shape, np.float32))
    psnrs = trivial_psnrs(dataclasses.replace(ball, images=black))
    assert set(psnrs.values()) == {MAX_PSNR}


def test_the_mean_colour_beats_a_black_background(ball: Scene) -> None:
    psnrs = trivial_psnrs(ball)
    truth = ball.images[list(ball.val)]
    mean = ball.images[list(ball.train)].mean((0, 1, 2))
    errors = [((view - mean) ** 2).mean() for view in truth]
    assert psnrs["mean colour"] == pytest.approx(np.mean(-10 * np.log10(errors)), abs=1e-3)
    assert psnrs["mean colour"] > psnrs["background"]
