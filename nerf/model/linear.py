"""Linear layers that give a CPU's float32 results to the bit for any number of threads.

A library divides a product among its threads and computes the edges of each part by other
instructions than its middle, so that last bits of x W^T and of its gradients change with the
number of threads. Here x is cut into blocks of rows. They are multiplied as a batch, of which each
product is computed by one thread as long as there are no more threads than blocks.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from nerf.config.schema import Precision
from nerf.model.padding import pad_weight
from nerf.model.precision import matrix_dtype

MIN_BLOCKS = 16
"""Blocks of a batch, at least: the largest number of threads that cannot change its result."""

LARGE_BLOCK, SMALL_BLOCK = 512, 64
"""Rows of a block: of large ones wherever there are enough rows for `MIN_BLOCKS` of them."""

EDGELESS = 16
"""Products of matrices whose sizes are multiples of this, two vectors of AVX2, have no edges."""


def block_rows(rows: int, precision: Precision, device: torch.device) -> int | None:
    """Rows of the blocks that a batch of `rows` is cut into.

    None, not to be cut, where products are not float32 or not a CPU's.
    """
    if device.type != "cpu" or matrix_dtype(precision, device) is not torch.float32:
        return None
    return LARGE_BLOCK if rows >= MIN_BLOCKS * LARGE_BLOCK else SMALL_BLOCK


def pad_rows(x: Tensor, block: int) -> Tensor:
    """Appends rows of zeros up to whole blocks, `MIN_BLOCKS` or more."""
    missing = max(-len(x) % block, MIN_BLOCKS * block - len(x))
    return torch.cat((x, x.new_zeros(missing, *x.shape[1:]))) if missing else x


def apply_linear(
    x: Float[Tensor, "*points inputs"],
    weight: Float[Tensor, "outputs inputs"],
    bias: Float[Tensor, " outputs"] | None = None,
) -> Float[Tensor, "*points outputs"]:
    """x W^T + b; of x in blocks, (blocks, rows, inputs), as a batch of products."""
    if x.ndim == 2:
        return F.linear(x, weight, bias)
    weights = weight.t().expand(len(x), -1, -1)
    if bias is None:
        return torch.bmm(x, weights)
    # One bias a block, for a gradient that is summed block by block: columns of one sum over all
    # points would be divided among the threads.
    return torch.baddbmm(bias.expand(len(x), 1, -1), x, weights)


def multiply_weights(
    a: Float[Tensor, "rows inner"], b: Float[Tensor, "inner columns"]
) -> Float[Tensor, "rows columns"]:
    """A B of two weights, which have too few rows for a batch; on a CPU padded by zeros instead."""
    if a.device.type != "cpu":
        return a @ b
    padded = pad_weight(a, EDGELESS, a.shape[1]) @ pad_weight(b, EDGELESS, b.shape[1])
    return padded[: len(a), : b.shape[1]]
