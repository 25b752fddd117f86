"""A run's whole state in one file that appears whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from nerf.common.errors import InputError
from nerf.common.files import write_atomically


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Keeps tensors and plain values; replaces what was there."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What `save_checkpoint` kept; runs no code from the file. Raises `InputError` for others."""
    if not path.exists():
        raise InputError(f"{path} does not exist; name a folder that nerf/train.py made")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a file that is no checkpoint
        reason = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise InputError(
            f"{path} is no checkpoint that can be read ({reason}); remove it to start anew"
        ) from None
    if not isinstance(state, dict):
        raise InputError(f"{path} is no checkpoint of a run; remove it to start anew")
    return state
