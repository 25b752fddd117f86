"""The gradients and opacities that benchmarks/first_steps.py reports."""

from __future__ import annotations

import csv
from pathlib import Path

import first_steps
import pytest
import torch

from nerf.config.flat import flatten
from nerf.config.schema import NerfConfig
from nerf.scenes.scene import Scene
from study.spec.study_file import read_study_file


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_steps, "PROBE_RAYS", 64)
    monkeypatch.setitem(first_steps.SMALL, "field.width", 16)
    monkeypatch.setitem(first_steps.SMALL, "sampling.coarse", 16)


def test_both_parts_of_the_gradient_add_up_to_that_of_the_loss(ball: Scene) -> None:
    run, probe, content = first_steps.begin(ball, "softplus", "as drawn", 0)
    measured = first_steps.measure(run, probe, content)
    (rendering,) = run.model(probe.origins, probe.directions, probe.background)
    loss = torch.mean((rendering.rgb - probe.rgb) ** 2)
    (gradient,) = torch.autograd.grad(loss, run.model.coarse.density.bias)
    total = measured["push_content"] + measured["push_backdrop"]
    assert total == pytest.approx(gradient.item(), rel=0.01)  # products are in bfloat16
    assert measured["psnr"] == pytest.approx(-10 * torch.log10(loss).item(), abs=1e-4)


def test_a_transparent_start_hides_less_of_what_lies_behind(ball: Scene) -> None:
    opacities = []
    for start in ("as drawn", "initial density"):
        moments = list(first_steps.watch_first_steps(ball, "sigmoid", start, 0, 2))
        assert [moment.step for moment in moments] == [0, 1, 2]
        opacities.append(moments[0].opacity_backdrop)
    drawn, given = opacities
    assert drawn > 0.99
    assert 0.5 < given < 0.8  # 1 - exp(-0.3 x 4 scene units) is 0.70


def test_every_moment_is_a_row_of_the_file(ball: Scene, tmp_path: Path) -> None:
    moments = list(first_steps.watch_first_steps(ball, "relu", "crop", 1, 1))
    first_steps.write_csv(tmp_path / "moments.csv", moments)
    with (tmp_path / "moments.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["0", "1"]
    assert {row["start"] for row in rows} == {"crop"}


def test_all_three_cures_are_the_defaults() -> None:
    defaults = flatten(NerfConfig())
    safe_start = read_study_file(Path(first_steps.__file__).with_name("safe_start.toml"))
    now = dict(safe_start["variants"][1].settings)
    for path, value in first_steps.STARTS["all three"].items():
        assert defaults[path] == value == now[path]
