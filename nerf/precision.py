"""Which numbers the field's matrix products are made of; all else stays float32."""

from __future__ import annotations

import contextlib
from typing import Any

import torch

from nerf.config import Precision


def matrix_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """float32 or bfloat16; `auto` takes bfloat16 where this device multiplies it in hardware."""
    if precision == "auto":
        return torch.bfloat16 if _has_bfloat16(device) else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def matrix_products_in(
    precision: Precision, device: torch.device
) -> contextlib.AbstractContextManager[Any]:
    """A context in which linear layers multiply in that precision and keep float32 weights."""
    dtype = matrix_dtype(precision, device)
    if dtype is torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype)


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # oneDNN emulates bfloat16 on other processors, slower than float32.
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
