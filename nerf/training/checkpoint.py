"""Checkpoint files: a run's whole state, written atomically and read without running code."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from nerf.common.commands import command_name
from nerf.common.errors import InputError
from nerf.common.files import write_atomically

MIN_CHECKPOINT_INTERVAL = 30.0
"""Seconds, at least, between two checkpoints that are not due to an evaluation."""

MAX_CHECKPOINT_TIME_SHARE = 0.02
"""Share of the time, at most, spent on writing such checkpoints."""


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes tensors and plain values to `path`, replacing an earlier checkpoint."""
    write_atomically(path, _serialize(state))


def _serialize(state: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a file written by `save_checkpoint` onto the CPU.

    Raises `InputError` if there is no such file, or if it is not a checkpoint.
    """
    if not path.exists():
        program = command_name("nerf/train.py")
        raise InputError(f"{path} does not exist; name a run folder that {program} created")
    return read_checkpoint(path.read_bytes(), str(path))


def read_checkpoint(content: bytes, name: str) -> dict[str, Any]:
    """Reads the content of a checkpoint file onto the CPU.

    Raises `InputError`, which calls it `name`, if it is not a checkpoint.
    """
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a file that is not a checkpoint
        cause = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise InputError(
            f"{name} is not a readable checkpoint ({cause}); delete it to start again"
        ) from None
    if not isinstance(state, dict):
        raise InputError(f"{name} is not a checkpoint of a run; delete it to start again")
    return state


class CheckpointWriter:
    """Writes a run's checkpoint to a path, or passes its content on; None does nothing."""

    def __init__(self, target: Path | Callable[[bytes], None] | None) -> None:
        self._target = target
        self._written_at = time.perf_counter()
        self._write_seconds = 0.0

    def write(self, state: Callable[[], dict[str, Any]]) -> None:
        """Writes what `state` returns, now."""
        if self._target is None:
            return
        began = time.perf_counter()
        if isinstance(self._target, Path):
            save_checkpoint(self._target, state())
        else:
            self._target(_serialize(state()))
        self._written_at = time.perf_counter()
        self._write_seconds = self._written_at - began

    def is_due(self) -> bool:
        """Whether the last checkpoint is old enough for another between two evaluations."""
        interval = max(MIN_CHECKPOINT_INTERVAL, self._write_seconds / MAX_CHECKPOINT_TIME_SHARE)
        return self._target is not None and time.perf_counter() - self._written_at > interval
