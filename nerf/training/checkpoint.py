"""Checkpoint files: a run's whole state, written atomically and read without running code."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from nerf.common.commands import command_name
from nerf.common.errors import InputError
from nerf.common.files import write_atomically


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes tensors and plain values to `path`, replacing an earlier checkpoint."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a file written by `save_checkpoint` onto the CPU.

    Raises `InputError` if there is no such file, or if it is not a checkpoint.
    """
    if not path.exists():
        program = command_name("nerf/train.py")
        raise InputError(f"{path} does not exist; name a run folder that {program} created")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a file that is not a checkpoint
        cause = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise InputError(
            f"{path} is not a readable checkpoint ({cause}); delete it to start again"
        ) from None
    if not isinstance(state, dict):
        raise InputError(f"{path} is not a checkpoint of a run; delete it to start again")
    return state
