"""Linear layers in blocks against torch's, and with several numbers of threads."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nerf.model.linear import (
    LARGE_BLOCK,
    MIN_BLOCKS,
    SMALL_BLOCK,
    apply_linear,
    block_rows,
    multiply_weights,
    pad_rows,
)
from tests.threads import with_threads

CPU = torch.device("cpu")
THREADS = (1, 2, 3, 8)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def layer(rows: int, inputs: int, outputs: int) -> list[Tensor]:
    """The layer's outputs for random inputs, and the gradients of inputs, weight and bias."""
    block = block_rows(rows, "fp32", CPU)
    assert block is not None
    arguments = drawn(rows, inputs), drawn(outputs, inputs, seed=1), drawn(outputs, seed=2)
    x, weight, bias = (each.requires_grad_() for each in arguments)
    y = apply_linear(pad_rows(x, block).unflatten(0, (-1, block)), weight, bias)
    y = y.flatten(0, 1)[:rows]
    y.backward(drawn(rows, outputs, seed=3))
    return [y.detach(), *(each.grad for each in (x, weight, bias) if each.grad is not None)]


@pytest.mark.parametrize("rows", [5, 1000, 1024, 9001])
def test_layers_in_blocks_are_those_of_torch(rows: int) -> None:
    x, weight, bias = drawn(rows, 17), drawn(9, 17, seed=1), drawn(9, seed=2)
    torch.testing.assert_close(layer(rows, 17, 9)[0], F.linear(x, weight, bias))
    gradient = drawn(rows, 9, seed=3)
    exact = [gradient @ weight, gradient.t() @ x, gradient.sum(0)]
    torch.testing.assert_close(layer(rows, 17, 9)[1:], exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("inputs", "outputs"), [(16, 9), (9, 3), (63, 37), (133, 65)])
@pytest.mark.parametrize("rows", [5, 1000, 9001])
def test_threads_do_not_change_a_layer(rows: int, inputs: int, outputs: int) -> None:
    one, *more = with_threads(lambda: layer(rows, inputs, outputs), *THREADS)
    for other in more:
        assert all(map(torch.equal, one, other))


@pytest.mark.parametrize("width", [16, 18, 37, 133])
def test_threads_do_not_change_a_product_of_weights(width: int) -> None:
    a, b = drawn(width // 2, width), drawn(width, width, seed=1)
    one, *more = with_threads(lambda: multiply_weights(a, b), *THREADS)
    torch.testing.assert_close(one, a @ b)
    assert all(torch.equal(one, other) for other in more)


def test_a_batch_has_enough_blocks_and_no_more_rows_than_they_need() -> None:
    for rows in (1, 64, 1000, 1024, 8191, 8192, 9001):
        block = block_rows(rows, "fp32", CPU)
        assert block in {LARGE_BLOCK, SMALL_BLOCK}
        padded = len(pad_rows(torch.ones(rows, 3), block))
        assert padded % block == 0
        assert padded >= MIN_BLOCKS * block
        assert padded < max(rows + block, MIN_BLOCKS * block + 1)
    whole = torch.ones(1024, 3)
    assert pad_rows(whole, SMALL_BLOCK) is whole


def test_bfloat16_and_gpus_multiply_a_batch_as_one() -> None:
    assert block_rows(1024, "bf16", CPU) is None
    assert block_rows(1024, "fp32", torch.device("cuda")) is None
