"""Why a trial broke off, in one line that a person understands."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable
from pathlib import Path

from nerf.config.schema import NerfConfig
from study.protocol.messages import Fault

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

# How the allocators of CPU and GPU, and Ray's memory monitor, say that there is no more.
_NO_MEMORY = ("out of memory", "can't allocate memory", "memory usage threshold")

_NODE_LOST = "node has died"  # in Ray's words

ATTEMPT = "=== attempt"
"""How a trial's log begins each attempt."""

_HUNG = "Timeout ("  # how faulthandler begins the stacks of a process that it ends


def no_room(error: BaseException) -> bool:
    """Does this say that the disk is full?"""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def of_exception(error: Exception, config: NerfConfig) -> Fault:
    """The fault of a trial that raised `error`."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, MemoryError) or _names_memory(reason):
        reason = f"out of memory; {appetite(config)} ({reason})"
    return Fault(reason, traceback.format_exc(), no_room(error))


def of_death(
    log: Path,
    said: str,
    out_of_memory: bool,
    config: NerfConfig,
    node_lives: Callable[[], bool] = lambda: True,
) -> Fault:
    """The fault of a trial whose process died, by its log and what Ray `said`.

    `node_lives` is asked where these do not tell: Ray notices a lost node late.
    """
    written = log.read_text(errors="replace") if log.exists() else ""
    latest = written.rpartition(ATTEMPT)[2]
    if _HUNG in latest:
        return Fault(f"hung: no step in time; {log.name} holds its stacks", latest)
    if out_of_memory or _names_memory(said):
        return Fault(f"out of memory; {appetite(config)} (its process was killed)", said)
    if _NODE_LOST in said or not node_lives():
        return Fault("its node was lost", said, node_lost=True)
    return Fault("its process died", said)


def appetite(config: NerfConfig) -> str:
    """What decides how much memory a trial takes."""
    samples = config.sampling.coarse + config.sampling.fine
    return (
        f"it asked for {config.optimisation.rays} rays x {samples} samples through "
        f"{config.field.depth} layers of {config.field.width}"
    )


def kernel_kills() -> int:
    """Processes that this machine's kernel has killed for want of memory; 0 where it tells none."""
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _names_memory(text: str) -> bool:
    return any(words in text for words in _NO_MEMORY)
