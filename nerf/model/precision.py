"""Which numbers the field's matrix products are made of; all else stays float32."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import torch

from nerf.config.schema import Precision

# oneDNN, and torch's layer over it, keep the kernels they have made, a thousand each by default; a
# process that trains one network after the other would grow by gigabytes for kernels whose shapes
# never come again.
for cache in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(cache, "64")


def matrix_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """float32 or bfloat16; `auto` takes bfloat16 where this device multiplies it in hardware."""
    if precision == "auto":
        return torch.bfloat16 if _has_bfloat16(device) else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def settle_float32_products(device: torch.device) -> None:
    """Lets float32 matrix products take the fastest way that is exact, for this whole process.

    On a CPU torch's "medium" lets oneDNN multiply instead of MKL, on some processors twice as
    fast; on others it may round to bfloat16. Which it is here is found out on one product. A GPU
    would round under anything but "highest".
    """
    torch.set_float32_matmul_precision("highest")
    if device.type != "cpu":
        return
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(256, 256, generator=generator) for _ in range(2))
    exact = a.double() @ b.double()
    usual = (a @ b - exact).abs().max()
    torch.set_float32_matmul_precision("medium")
    if (a @ b - exact).abs().max() > 2 * usual:
        torch.set_float32_matmul_precision("highest")


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
