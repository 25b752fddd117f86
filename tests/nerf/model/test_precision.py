"""The precision of matrix products: the one configured, and float32 without rounding."""

from __future__ import annotations

import torch

from nerf.config.flat import build
from nerf.model.precision import choose_float32_backend, matrix_dtype
from nerf.scenes.scene import Scene
from nerf.training.run import TrainingRun

CPU = torch.device("cpu")


def test_float32_products_are_exact_with_the_chosen_backend() -> None:
    choose_float32_backend(CPU)
    generator = torch.Generator().manual_seed(1)
    for size in (64, 128, 256):
        a, b = (torch.randn(1000, size, generator=generator) for _ in range(2))
        exact = a.double() @ b.double().t()
        scale = a.double().norm(dim=1, keepdim=True) * b.double().norm(dim=1)
        assert ((a @ b.t() - exact).abs() / scale).max() < 1e-6


def test_an_explicit_precision_is_used() -> None:
    assert matrix_dtype("fp32", CPU) is torch.float32
    assert matrix_dtype("bf16", CPU) is torch.bfloat16


def test_bfloat16_is_for_products_alone_and_stays_near_float32(ball: Scene) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        settings = {"compute.precision": precision, "field.width": 32, "optimisation.rays": 128}
        run = TrainingRun(build(settings), ball)
        for _ in range(5):
            run.advance()
        assert all(weight.dtype is torch.float32 for weight in run.model.parameters())
        assert run.step.losses.dtype is torch.float32
        losses[precision] = run.loss()
    assert losses["bf16"] != losses["fp32"]
    assert abs(losses["bf16"] / losses["fp32"] - 1) < 0.02
