"""Zero padding of layers to the sizes that tensor cores multiply at full speed.

A bfloat16 product whose rows do not begin at multiples of 16 bytes takes slower kernels: an encoded
position of 63 features, or a layer of 133 units. Zero columns of a weight ignore their inputs, and
zero rows give units whose outputs the next layer ignores, so the function stays the same. The
parameters themselves, and so checkpoints, keep their sizes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from nerf.config.schema import Precision
from nerf.model.precision import matrix_dtype

TENSOR_CORE_MULTIPLE = 8
"""Elements of bfloat16 in 16 bytes."""


def size_multiple(precision: Precision, device: torch.device) -> int:
    """What sizes of layers have to be multiples of: 1, i.e. anything, without tensor cores."""
    padded = device.type == "cuda" and matrix_dtype(precision, device) is torch.bfloat16
    return TENSOR_CORE_MULTIPLE if padded else 1


def pad_features(x: Tensor, multiple: int) -> Tensor:
    """Appends zeros to the last dimension of features or biases, up to a multiple."""
    missing = -x.shape[-1] % multiple
    return F.pad(x, (0, missing)) if missing else x


def pad_weight(weight: Tensor, multiple: int, *blocks: int) -> Tensor:
    """Appends zero rows, and zero columns to each of the `blocks` of columns, up to multiples.

    `blocks` are the numbers of columns that multiply each of the concatenated inputs.
    """
    if all(size % multiple == 0 for size in (len(weight), *blocks)):
        return weight
    if len(blocks) > 1:
        weight = torch.cat(
            [pad_features(each, multiple) for each in torch.split(weight, list(blocks), 1)], 1
        )
    return F.pad(weight, (0, -weight.shape[1] % multiple, 0, -len(weight) % multiple))
