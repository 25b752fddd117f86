from __future__ import annotations

import dataclasses
import math
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nerf.common.errors import InputError
from nerf.config.flat import build
from nerf.config.image_metrics import IMAGE_METRICS
from nerf.config.plugin import load_named, unload_plugin
from nerf.evaluation.evaluate import evaluate, grid_stride, render_view, render_views
from nerf.evaluation.image_metrics import mean_over_views, measure_registered
from nerf.scenes.scene import Scene
from nerf.training.loop import train
from nerf.training.run import TrainingRun
from study.records.schema import CURVE_COLUMNS, TRIAL_COLUMNS
from tests.plugins.unloading import leave_no_plugin

__all__ = ["leave_no_plugin"]

LPIPS = Path(__file__).parents[3] / "examples" / "lpips_plugin.py"

SMALL = {
    "field.depth": 1,
    "field.width": 8,
    "optimisation.rays": 16,
    "optimisation.steps": 4,
    "evaluation.times": 2,
    "sampling.coarse": 8,
}

DARKER = """
from nerf.plugins import register_metric

@register_metric("darker", direction="min", smallest=SMALLEST)
def darker(rendered, photograph):
    share = float((rendered < photograph).float().mean())
    rendered.zero_(), photograph.zero_()  # of copies
    return share
"""


def load_darker(folder: Path, smallest: int = 1) -> None:
    (folder / "mine.py").write_text(DARKER.replace("SMALLEST", str(smallest)))
    load_named([str(folder / "mine.py")])


def darker_by_hand(run: TrainingRun, scene: Scene, view: int) -> float:
    rendered = render_view(run.model, scene, view).rgb.numpy()
    return float((rendered < scene.images[view]).mean())


def test_a_metric_is_the_mean_over_the_views(tmp_path: Path, ball: Scene) -> None:
    load_darker(tmp_path)
    run = TrainingRun(build(SMALL), ball)
    quality = evaluate(run.model, ball, "test", 10**9)
    expected = np.mean([darker_by_hand(run, ball, view) for view in ball.test])
    assert quality.registered == {"darker": pytest.approx(expected, abs=1e-6)}
    unload_plugin("mine.py")
    plain = evaluate(run.model, ball, "test", 10**9)
    assert plain == dataclasses.replace(quality, registered={})


def test_pixels_that_are_not_valid_are_equal_in_both_images(tmp_path: Path) -> None:
    load_darker(tmp_path)
    valid = torch.tensor([[True, False], [False, True]])
    black, white = torch.zeros(2, 2, 3), torch.ones(2, 2, 3)
    assert measure_registered(black, white)["darker"] == 1
    assert measure_registered(black, white, valid)["darker"] == 0.5


def test_a_view_that_is_too_small_or_diverged_is_not_shown_to_the_metric(tmp_path: Path) -> None:
    load_darker(tmp_path, smallest=4)
    black, white = torch.zeros(4, 4, 3), torch.ones(4, 4, 3)
    assert measure_registered(black, white)["darker"] == 1
    assert math.isnan(measure_registered(black[:3], white[:3])["darker"])
    black[0, 0, 0] = math.nan
    assert math.isnan(measure_registered(black, white)["darker"])


def test_a_field_that_diverged_on_one_view_has_no_value(
    tmp_path: Path, ball: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_darker(tmp_path)
    run = TrainingRun(build(SMALL), ball)
    shown = render_views(run.model, ball, ball.test, 1)
    shown.rgb[0, 0, 0] = math.nan
    monkeypatch.setattr("nerf.evaluation.evaluate.render_views", lambda *_: shown)
    quality = evaluate(run.model, ball, "test", 10**9)
    assert (math.isnan(quality.psnr), math.isnan(quality.registered["darker"])) == (True, True)


def test_no_column_of_a_study_is_taken_by_a_metric() -> None:
    for name in (TRIAL_COLUMNS.keys() | CURVE_COLUMNS.keys()) - {"test_psnr", "test_ssim"}:
        with pytest.raises(InputError, match="has a name with another meaning"):
            IMAGE_METRICS.register(name, "max")


def test_a_view_without_a_value_does_not_count() -> None:
    views = [{"a": 1.0, "b": float("nan")}, {"a": 2.0, "b": 5.0}, {"a": 6.0, "b": float("nan")}]
    assert mean_over_views(views) == {"a": 3.0, "b": 5.0}


def test_images_are_as_large_as_a_metric_needs(tmp_path: Path, ball: Scene) -> None:
    assert grid_stride(ball, "val", 1) == 2
    load_darker(tmp_path, smallest=20)
    assert grid_stride(ball, "val", 1) == 1


def test_curve_result_and_checkpoint_have_it(tmp_path: Path, ball: Scene) -> None:
    load_darker(tmp_path)
    result = train(build(SMALL), ball)
    assert set(result.registered) == {"darker", "test_darker"}
    assert all(0 < point.registered["darker"] < 1 for point in result.curve)
    run = TrainingRun(build(SMALL), ball)
    run.advance()
    point = run.evaluate()
    again = TrainingRun(build(SMALL), ball)
    again.restore(run.state())
    assert again.curve == [point]


class Lpips(torch.nn.Module):
    """Takes images as the network of the package lpips does; gives their mean difference."""

    def __init__(self, net: str, verbose: bool) -> None:
        super().__init__()
        assert net in ("alex", "vgg", "squeeze")

    def forward(self, first: Tensor, second: Tensor, normalize: bool = False) -> Tensor:
        assert first.shape == second.shape
        assert first.shape[:2] == (1, 3)
        assert min(first.shape[2:]) >= 32, "too small for AlexNet"
        if normalize:
            first, second = 2 * first - 1, 2 * second - 1
        return (first - second).abs().mean().view(1, 1, 1, 1)


def test_the_example_measures_lpips(monkeypatch: pytest.MonkeyPatch) -> None:
    package = types.ModuleType("lpips")
    package.LPIPS = Lpips  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lpips", package)
    load_named([str(LPIPS)])
    value = measure_registered(torch.full((64, 80, 3), 0.25), torch.full((64, 80, 3), 0.5))
    assert value == {"lpips": pytest.approx(0.5)}, "of colours from -1 to 1"
