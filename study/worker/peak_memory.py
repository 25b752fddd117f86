"""Peak memory of a trial, measured in its own process, which trains one trial after another.

On a CPU it is the most memory that the process had resident at a time, Python, PyTorch and the
scene included: Linux's high-water mark VmHWM, which is set back as the trial begins (proc(5),
clear_refs). `ru_maxrss` cannot be set back, and would be that of the largest trial so far. On a GPU
it is the most that PyTorch had allocated at a time, without its cache and CUDA's own context.
Processes that a trainer starts are not counted.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from pathlib import Path

_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class PeakMemory:
    """The peak since it was made."""

    def __init__(self, device: str) -> None:
        self._read = _watch_gpu() if device == "cuda" else _watch_process()

    def read(self) -> float:
        """The peak so far in MiB; NaN where it cannot be measured."""
        return self._read()


def _watch_process() -> Callable[[], float]:
    try:
        (_PROCESS / "clear_refs").write_text(_RESET_PEAK)
    except OSError:  # another system than Linux, or a kernel without it
        return _unknown
    return _read_process


def _read_process() -> float:
    peak = _PEAK.search((_PROCESS / "status").read_text())
    return int(peak[1]) / 1024 if peak else math.nan


def _watch_gpu() -> Callable[[], float]:
    if _has_used_gpu():  # otherwise there is no peak of an earlier trial
        import torch

        torch.cuda.reset_peak_memory_stats()
    return _read_gpu


def _read_gpu() -> float:
    """NaN for a trainer that does not use PyTorch, of which this knows nothing."""
    if not _has_used_gpu():
        return math.nan
    import torch

    return torch.cuda.max_memory_allocated() / 2**20 or math.nan


def _has_used_gpu() -> bool:
    """Whether PyTorch has used a GPU in this process; does not import it, nor set CUDA up."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())


def _unknown() -> float:
    return math.nan
