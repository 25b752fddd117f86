"""Why an attempt at a trial failed, in one line that a person understands."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from nerf.common.python_files import describe_exception
from study.protocol.messages import Failure
from study.trainers.program.failure import ProgramFailed

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

# Words of PyTorch's allocators, for CPUs and GPUs, of CUDA's libraries, which allocate workspaces,
# and of Ray's memory monitor.
_OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "_STATUS_ALLOC_FAILED",
    "memory usage threshold",
)

# Further ones of programs in any language.
_PROGRAM_OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "Cannot allocate memory", "OutOfMemory")

# Words of errors after which a process cannot use its GPU any more, or never could.
_DEVICE_ERROR = (
    "AcceleratorError",
    "CUDA error",
    "CUDNN_STATUS",
    "CUBLAS_STATUS",
    "device-side assert",
    "Found no NVIDIA driver",
    "No CUDA GPUs are available",
    "not compiled with CUDA enabled",
)

_NODE_LOST = "node has died"  # in Ray's words

ATTEMPT = "=== attempt"
"""First words of each attempt in a trial's log."""

_HUNG = "Timeout ("  # first word of the stacks that faulthandler writes as it ends a process


def is_disk_full(error: BaseException) -> bool:
    """Whether an error means that the disk, or the user's quota of it, is full."""
    return isinstance(error, OSError) and error.errno in _DISK_FULL


def diagnose_exception(error: Exception, size: str) -> Failure:
    """The failure of a trial that raised `error`; call it where that is being handled.

    size: what decides how much memory it needs, in words
    """
    if isinstance(error, ProgramFailed):
        return _diagnose_program(error, size)
    reason = describe_exception(error)
    causes = " ".join(describe_exception(cause) for cause in _causes(error))
    device_failed = any(words in causes for words in _DEVICE_ERROR)
    if isinstance(error, MemoryError) or _is_out_of_memory(causes):
        reason = f"out of memory with {size} ({reason})"
    return Failure(
        reason,
        traceback.format_exc(),
        disk_full=is_disk_full(error),
        device_failed=device_failed,
        out_of_memory=reason.startswith("out of memory"),
    )


def _diagnose_program(error: ProgramFailed, size: str) -> Failure:
    """The failure of a program, by its last lines."""
    words = (*_OUT_OF_MEMORY, *_PROGRAM_OUT_OF_MEMORY)
    out_of_memory = error.out_of_memory or any(word in error.output for word in words)
    return Failure(
        f"out of memory with {size} ({error})" if out_of_memory else str(error),
        error.output,
        device_failed=any(words in error.output for words in _DEVICE_ERROR) and not out_of_memory,
        out_of_memory=out_of_memory,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and those during whose handling it was raised, such as one in a graph's capture."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def diagnose_death(
    log: Path,
    ray_error: str,
    out_of_memory: bool,
    size: str,
    is_node_alive: Callable[[], bool] = lambda: True,
) -> Failure:
    """The failure of a trial whose process died, by its log and Ray's error text.

    `out_of_memory`: the kernel has killed a process for want of memory meanwhile. `is_node_alive`
    may be slow, so it is called only where the rest leaves the cause open: Ray notices a lost node
    late.
    """
    text = log.read_text(errors="replace") if log.exists() else ""
    latest = text.rpartition(ATTEMPT)[2]  # stacks of an earlier attempt explain nothing
    if _HUNG in latest:
        return Failure(f"hung: no step in time; {log.name} holds its stacks", latest)
    if out_of_memory or _is_out_of_memory(ray_error):
        reason = f"out of memory with {size} (its process was killed)"
        return Failure(reason, ray_error, out_of_memory=True)
    if _NODE_LOST in ray_error or not is_node_alive():
        return Failure("its node was lost", ray_error, node_lost=True)
    return Failure("its process died", ray_error)


def diagnose_batch_death(ray_error: str, out_of_memory: bool, size: str, batch: str) -> Failure:
    """The failure of a trial whose batch died, by Ray's error text; `batch` identifies that.

    `out_of_memory`: the kernel has killed a process for want of memory meanwhile.
    """
    if out_of_memory or _is_out_of_memory(ray_error):
        reason = f"out of memory with {size} (the process of its batch was killed)"
        return Failure(reason, ray_error, out_of_memory=True, batch=batch)
    return Failure("the process of its batch died", ray_error, batch=batch)


def _is_out_of_memory(text: str) -> bool:
    return any(words in text for words in _OUT_OF_MEMORY)
