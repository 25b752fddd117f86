"""Colour spaces: sRGB's curve, light that adds up, and runs that train in each of them."""

from __future__ import annotations

import pytest
import torch

from nerf.config.flat import build
from nerf.model.colour_space import Linear, Srgb
from nerf.model.rendering import composite
from nerf.scenes.scene import Scene
from nerf.surface.depth_maps import camera_of, depth_map
from nerf.training.run import TrainingRun
from tests.nerf.model.learn import learn
from tests.nerf.surface.analytic_ball import ball_model


def test_light_is_that_of_the_standard() -> None:
    """Grey levels and their light, by the table of IEC 61966-2-1 as others print it."""
    grey = torch.tensor([0, 1, 10, 11, 55, 118, 188, 255], dtype=torch.float64) / 255
    light = [0.0, 0.000303527, 0.00303527, 0.00334654, 0.03820437, 0.18116424, 0.50288646, 1.0]
    torch.testing.assert_close(
        Linear().to_light(grey), torch.tensor(light).double(), atol=1e-7, rtol=1e-5
    )


def test_light_gives_its_colour_back_and_has_a_gradient() -> None:
    rgb = torch.linspace(-0.001, 1.001, 501, dtype=torch.float64)
    light = Linear().to_light(rgb).requires_grad_()
    back = Linear().to_rgb(light)
    torch.testing.assert_close(back, rgb, atol=1e-7, rtol=0)
    back.sum().backward()
    assert light.grad is not None
    assert light.grad.isfinite().all()
    assert (light.grad > 0).all()


@pytest.mark.parametrize(("space", "grey"), [(Srgb(), 0.5), (Linear(), 0.735357)])
def test_half_of_white_is_that_grey(space: Srgb | Linear, grey: float) -> None:
    """White behind a sheet of black that stops half of the light."""
    edges = torch.tensor([[0.0, 1.0]])
    density = torch.full((1, 1), 2.0).log()
    black, white = torch.zeros(1, 1, 3), torch.ones(3)
    pixel = composite(density, black, edges[:, :1] + 0.5, edges, white, space).rgb
    torch.testing.assert_close(pixel, torch.full((1, 3), grey), atol=1e-5, rtol=0)


def test_a_surface_has_its_own_colour_where_it_is_thin(
    ball: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ball_model(64)
    model.colour_space = Linear()
    model.coarse.density_activation = lambda raw: raw * 1e-3  # a mist instead of a solid
    monkeypatch.setattr(
        model.coarse,
        "forward",
        lambda x, _: (1000.0 * (x.norm(dim=-1) < 1), torch.full_like(x, 0.5)),
    )
    seen = depth_map(model, camera_of(ball, 0, 10**6))
    rgb = seen.rgb[seen.hit]
    torch.testing.assert_close(rgb, torch.full_like(rgb, 0.735357), atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", ["network", "voxels"])
def test_a_field_of_light_learns(kind: str, ball: Scene) -> None:
    settings = {"field.colour_space": "linear", "field.kind": kind}
    if kind == "voxels":
        settings |= {"optimisation.learning_rate": 0.1}
    weights = learn(ball, settings)
    assert all(value.isfinite().all() for value in weights.values())


def test_the_colour_space_changes_what_is_rendered(ball: Scene) -> None:
    psnr = {
        space: TrainingRun(build({"field.colour_space": space, "field.width": 16}), ball)
        .evaluate()
        .psnr
        for space in ("srgb", "linear")
    }
    assert psnr["srgb"] != psnr["linear"]
