"""Shape annotations of nerf/ are checked at run time; the ball is there for every test."""

from __future__ import annotations

import os
import signal

# One thread: the suite runs on small machines beside Ray workers, and results repeat bit for bit.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell's `&` lets all that it starts ignore Ctrl-C, which tests send to processes of their own.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

import tests.shape_checker  # noqa: F401 - jaxtyping finds the checker by name, unimported

install_import_hook("nerf", "tests.shape_checker.check")

# The same examples in each run, however busy the machine is.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")

# After the hook, which checks only what is imported later.
from tests.ball import ball, scene_file  # noqa: E402

__all__ = ["ball", "scene_file"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that no process is left with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
