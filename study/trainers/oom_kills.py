"""How many processes the kernel has killed for want of memory."""

from __future__ import annotations

from pathlib import Path


def count_oom_kills() -> int:
    """Processes killed for want of memory since this machine started; 0 where Linux lacks a count.

    A killed process cannot say why, and Ray does not see it; that the count rose does.
    """
    try:
        lines = Path("/proc/vmstat").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
