"""Precision of the field's matrix products: float32 or bfloat16. Everything else is float32."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import torch

from nerf.config.schema import Precision

# oneDNN and torch's layer over it cache compiled kernels, a thousand each by default. A process
# that trains many networks one after another would grow by gigabytes for shapes it never meets
# again.
for cache in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(cache, "64")


def matrix_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """float32 or bfloat16; `auto` means bfloat16 if the device multiplies it in hardware."""
    if precision == "auto":
        return torch.bfloat16 if _has_bfloat16(device) else torch.float32
    return torch.bfloat16 if precision == "bf16" else torch.float32


def choose_float32_backend(device: torch.device) -> None:
    """Sets torch's float32 matmul precision, process-wide, to the fastest setting without rounding.

    On a CPU "medium" makes oneDNN multiply instead of MKL: on some processors twice as fast, on
    others with operands rounded to bfloat16. One product shows which. On a GPU every setting but
    "highest" rounds.
    """
    torch.set_float32_matmul_precision("highest")
    if device.type != "cpu":
        return
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(256, 256, generator=generator) for _ in range(2))
    exact = a.double() @ b.double()
    highest_error = (a @ b - exact).abs().max()
    torch.set_float32_matmul_precision("medium")
    # Float32 errors vary with the order of summation; bfloat16's are some hundred times larger.
    if (a @ b - exact).abs().max() > 2 * highest_error:
        torch.set_float32_matmul_precision("highest")


def matrix_products_in(
    precision: Precision, device: torch.device
) -> contextlib.AbstractContextManager[Any]:
    """A context in which linear layers multiply in `precision`; their weights stay float32."""
    dtype = matrix_dtype(precision, device)
    if dtype is torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype)


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # On other processors oneDNN emulates bfloat16, which is slower than float32.
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
