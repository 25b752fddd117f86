"""Sums of eight rows of a table, weighted: trilinear interpolation within cells, and its gradient.

table    (entries, F) learnt features
entries  (cells, 8)   rows of the table at the corners of each point's cell
weights  (cells, 8)   their weights; no gradient flows into them, as positions are not trained

On a CPU the gradient's sums are taken in a fixed order, whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor

PAIR = 2
"""Features that a CPU takes for one complex number, and so reads and adds as one."""

BLOCK = 16_384
"""Cells whose pairs are added at once: their contributions fit a core's cache."""


def interpolate(
    table: Float[Tensor, "entries F"],
    entries: Shaped[Tensor, "cells 8"],
    weights: Float[Tensor, "cells 8"],
) -> Float[Tensor, "cells F"]:
    """The weighted sum of eight entries for each row, differentiable by the table."""
    features: Tensor = _Interpolate.apply(table, entries, weights)  # type: ignore[no-untyped-call]
    return features


def combine_ends(
    combine: Callable[..., Tensor],
    x: Shaped[Tensor, "2 cells"],
    y: Shaped[Tensor, "2 cells"],
    z: Shaped[Tensor, "2 cells"],
) -> Shaped[Tensor, "cells 8"]:
    """(x combined with y) combined with z at the corners of each cell, z changing fastest.

    x, y and z are values at both ends of a cell along the three axes, `combine` is an elementwise
    function of two tensors, such as torch.mul.
    """
    if x.is_cuda:  # few kernels
        corners = combine(combine(x[:, None, None], y[None, :, None]), z[None, None])
        return corners.view(8, -1).t().contiguous()
    # On a CPU one corner at a time: eight times as fast as broadcasting along axes of two.
    corners = x.new_empty(x.shape[1], 8)
    faces = [combine(end, other) for end in x for other in y]
    for corner in range(8):
        combine(faces[corner >> 1], z[corner & 1], out=corners[:, corner])
    return corners


class _Interpolate(torch.autograd.Function):
    """embedding_bag with a gradient of its own, which is several times as fast as torch's."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, entries: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(entries, weights)
        ctx.table_shape = table.shape
        return F.embedding_bag(entries, table, per_sample_weights=weights, mode="sum")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        entries, weights = ctx.saved_tensors
        shape = ctx.table_shape
        add = _add_pairs if shape[1] == PAIR else _add_sorted
        if entries.is_cuda:
            add = _add_in_order
        return add(entries, weights, gradients[0].contiguous(), shape), None, None


def _add_pairs(entries: Tensor, weights: Tensor, gradient: Tensor, shape: Any) -> Tensor:
    """The table's gradient on a CPU: sums over corners of weight x gradient, by entry."""
    pairs = torch.view_as_complex(gradient)
    total = pairs.new_zeros(shape[0])
    for start in range(0, len(entries), BLOCK):
        block = slice(start, start + BLOCK)
        contributions = weights[block] * pairs[block, None]
        total.index_add_(0, entries[block].flatten(), contributions.flatten())
    return torch.view_as_real(total)


def _add_sorted(entries: Tensor, weights: Tensor, gradient: Tensor, shape: Any) -> Tensor:
    """The same for any number of features: corners are sorted by entry, and so summed in bags."""
    entry, corner = entries.flatten().sort(stable=True)
    rows, counts = torch.unique_consecutive(entry, return_counts=True)
    sums = F.embedding_bag(
        corner >> 3,  # the corner's cell
        gradient,
        counts.cumsum(0) - counts,
        per_sample_weights=weights.flatten().index_select(0, corner),
        mode="sum",
    )
    return gradient.new_zeros(shape).index_copy_(0, rows.long(), sums)


def _add_in_order(entries: Tensor, weights: Tensor, gradient: Tensor, shape: Any) -> Tensor:
    """The same on a GPU, where only index_put_ adds in a fixed order and is deterministic.

    It sorts the entries for that, here once for all features.
    """
    contributions = (weights[..., None] * gradient[:, None]).flatten(0, 1)
    entry = entries.flatten().long()
    return gradient.new_zeros(shape).index_put_((entry,), contributions, accumulate=True)
