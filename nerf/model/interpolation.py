"""Sums of eight rows of a table, weighted: trilinear interpolation within cells, and its gradient.

table    (entries, F) learnt features
entries  (cells, 8)   rows of the table at the corners of each point's cell
weights  (cells, 8)   their weights; no gradient flows into them, as positions are not trained
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

FEW_FEATURES = 4
"""Features up to which a CPU adds gradients feature by feature; with more, row by row."""


def interpolate(
    table: Float[Tensor, "entries F"],
    entries: Int[Tensor, "cells 8"],
    weights: Float[Tensor, "cells 8"],
) -> Float[Tensor, "cells F"]:
    """The weighted sum of eight entries for each row, differentiable by the table."""
    features: Tensor = _Interpolate.apply(table, entries, weights)  # type: ignore[no-untyped-call]
    return features


class _Interpolate(torch.autograd.Function):
    """embedding_bag that scatter-adds its gradient: torch's own sorts the entries, 10 x slower."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, entries: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(entries, weights)
        ctx.table_shape = table.shape
        return F.embedding_bag(entries, table, per_sample_weights=weights, mode="sum")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        entries, weights = ctx.saved_tensors
        shape = ctx.table_shape
        add = _add_by_feature if shape[1] <= FEW_FEATURES else _add_by_row
        if entries.is_cuda:
            add = _add_in_order
        return add(entries.flatten().long(), weights, gradients[0], shape), None, None


def _add_by_feature(entry: Tensor, weights: Tensor, gradient: Tensor, shape: Any) -> Tensor:
    """The table's gradient on a CPU: sums over corners of weight x gradient, by entry."""
    rows = weights.new_zeros(shape[::-1])  # (F, entries): a row is contiguous
    for feature in range(shape[1]):
        contributions = (weights * gradient[:, feature, None]).flatten()
        rows[feature].scatter_add_(0, entry, contributions)
    return rows.t().contiguous()


def _add_by_row(entry: Tensor, weights: Tensor, gradient: Tensor, shape: Any) -> Tensor:
    """The same for many features, which lie side by side in memory."""
    return weights.new_zeros(shape).index_add_(0, entry, _contributions(weights, gradient))


def _add_in_order(entry: Tensor, weights: Tensor, gradient: Tensor, shape: Any) -> Tensor:
    """The same on a GPU, where only index_put_ adds in a fixed order and is deterministic.

    It sorts the entries for that, here once for all features.
    """
    contributions = _contributions(weights, gradient)
    return weights.new_zeros(shape).index_put_((entry,), contributions, accumulate=True)


def _contributions(weights: Tensor, gradient: Tensor) -> Float[Tensor, "corners F"]:
    """The gradient of each corner of each point."""
    return (weights[..., None] * gradient[:, None]).flatten(0, 1)
