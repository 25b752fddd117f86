from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from nerf.config.flat import build
from nerf.model.activations import density_activation
from nerf.model.colour_space import Srgb
from nerf.model.rendering import alphas, composite, transmittance, weights_from_density
from nerf.model.sampling import edges_around, stratified_samples
from tests.nerf import reference

BLACK = torch.zeros(3)


def random_ray_bundle(rays: int = 9, samples: int = 33) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    t = stratified_samples(2.0, 6.0, rays, samples, generator).double()
    sigma = torch.randn(rays, samples, generator=generator).double() * 3
    rgb = torch.rand(rays, samples, 3, generator=generator).double()
    return t, edges_around(t, 2.0, 6.0), sigma, rgb


@pytest.mark.parametrize("white", [False, True])
def test_agrees_with_the_reference(white: bool) -> None:
    t, edges, sigma, rgb = random_ray_bundle()
    background = torch.ones(3).double() if white else BLACK.double()
    ours = composite(sigma.relu(), rgb, t, edges, background, Srgb())
    dists = edges.diff(dim=-1).numpy()
    colour, opacity, weights = reference.raw2outputs(rgb.numpy(), sigma.numpy(), dists, white)
    np.testing.assert_allclose(ours.rgb.numpy(), colour, atol=1e-5)
    np.testing.assert_allclose(ours.opacity.numpy(), opacity, atol=1e-5)
    np.testing.assert_allclose(ours.weights.numpy(), weights, atol=1e-5)


@pytest.mark.parametrize("density", [0.0, 1e-6, 0.3, 5.0, 1e4])
@pytest.mark.parametrize("samples", [2, 64])
def test_constant_density_gives_the_closed_form(density: float, samples: int) -> None:
    t = stratified_samples(2.0, 6.0, 3, samples, torch.Generator().manual_seed(1)).double()
    edges = edges_around(t, 2.0, 6.0)
    constant = torch.full_like(t, density)
    ours = composite(constant, torch.ones(*t.shape, 3).double(), t, edges, BLACK.double(), Srgb())
    expected = torch.full((3,), float(-np.expm1(-density * 4.0)), dtype=torch.float64)
    torch.testing.assert_close(ours.opacity, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(ours.rgb[:, 0], expected, rtol=1e-9, atol=1e-12)


def test_a_wall_renders_at_its_depth_and_empty_space_as_background() -> None:
    t = stratified_samples(2.0, 6.0, 2, 400, None)
    density = torch.where(t > 4.0, 1e4, 0.0)
    density[1] = 0
    colour = torch.ones(2, 400, 3) * torch.tensor([1.0, 0.5, 0.0])
    rendering = composite(
        density, colour, t, edges_around(t, 2.0, 6.0), torch.tensor([0.0, 0.0, 1.0]), Srgb()
    )
    torch.testing.assert_close(rendering.depth, torch.tensor([4.0, 6.0]), atol=0.01, rtol=0)
    torch.testing.assert_close(rendering.rgb[0], torch.tensor([1.0, 0.5, 0.0]))
    torch.testing.assert_close(rendering.rgb[1], torch.tensor([0.0, 0.0, 1.0]))


def test_weights_and_what_passes_sum_to_one() -> None:
    _, edges, sigma, _ = random_ray_bundle()
    density, deltas = sigma.exp(), edges.diff(dim=-1)
    through = transmittance(density, deltas)[:, -1] * (1 - alphas(density, deltas)[:, -1])
    total = weights_from_density(density, deltas).sum(-1) + through
    torch.testing.assert_close(total, torch.ones_like(total))


@pytest.mark.parametrize("exponent", range(-10, 11))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_outputs_and_gradients_are_finite_over_twenty_decades(
    exponent: int, dtype: torch.dtype
) -> None:
    t, edges, sigma, rgb = (x.to(dtype) for x in random_ray_bundle(4, 16))
    density = (sigma.abs() * 10.0**exponent).requires_grad_()
    rendering = composite(density, rgb, t, edges, BLACK.to(dtype), Srgb())
    for output in (rendering.rgb, rendering.opacity, rendering.depth, rendering.weights):
        assert output.isfinite().all()
    assert (rendering.opacity >= 0).all()
    assert (rendering.opacity <= 1 + 1e-6).all()
    (rendering.rgb.sum() + rendering.depth.sum() + (rendering.weights**2).sum()).backward()
    assert density.grad is not None
    assert density.grad.isfinite().all()


@pytest.mark.parametrize(
    "name", ["relu", "softplus", "shifted_softplus", "truncated_exp", "sigmoid"]
)
@pytest.mark.parametrize("exponent", range(-10, 11))
def test_density_activations_are_finite_and_not_negative_over_twenty_decades(
    name: str, exponent: int
) -> None:
    magnitude = 10.0**exponent
    raw = torch.tensor([-magnitude, magnitude], requires_grad=True)
    density = density_activation(build({"field.density_activation": name}))(raw)
    assert density.isfinite().all()
    assert (density >= 0).all()
    density.sum().backward()
    assert raw.grad is not None
    assert raw.grad.isfinite().all()


def test_gradients_agree_with_finite_differences() -> None:
    t, edges, sigma, rgb = random_ray_bundle(2, 6)

    def render_rgb(density: Tensor, colour: Tensor) -> Tensor:
        return composite(density, colour, t, edges, BLACK.double(), Srgb()).rgb

    density = sigma.abs().requires_grad_()
    assert torch.autograd.gradcheck(render_rgb, (density, rgb.requires_grad_()))
