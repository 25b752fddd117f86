"""Changes of Ray's own code for which Ray has no option."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from ray._private import services, worker
from ray._private.node import Node
from ray.air._internal import usage
from ray.tune import progress_reporter


def _do_nothing(*_: Any, **__: Any) -> None:
    pass


@contextmanager
def no_idle_daemons() -> Iterator[None]:
    """Starts Ray without processes that a study on one machine does not use.

    These are the autoscaler, the log monitor (`log_to_driver` is False) and the dashboard's server,
    which Ray starts even without a dashboard. Each costs one to two seconds of processor time.
    """
    with (
        patch.object(Node, "start_monitor", _do_nothing),
        patch.object(Node, "start_log_monitor", _do_nothing),
        patch.object(Node, "start_api_server", _do_nothing),
    ):
        yield


@contextmanager
def daemons_in_own_sessions() -> Iterator[None]:
    """Starts Ray's daemons where signals for this process's group do not reach them, on Linux.

    A closed terminal, or a SIGTERM for the group, would end them, and they would take this process
    along before its trials have saved their checkpoints. They still end with this process: Linux
    sees to that; elsewhere Ray needs the group for it.
    """
    popen = services.ConsolePopen
    own_session = partial(popen, start_new_session=sys.platform == "linux")
    services.ConsolePopen = own_session  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        services.ConsolePopen = popen  # type: ignore[misc]


def silence_ray() -> None:
    """Keeps out of this process's output what Ray prints in spite of its options.

    Pages of its state where a worker or a node dies, although `log_to_driver` is False, and that a
    trial completed, where it was stopped before its first report. The trial manager says how each
    trial ended; Ray's own account is in its log files.
    """
    worker.print_to_stdstream = _do_nothing
    progress_reporter.safe_print = _do_nothing  # type: ignore[attr-defined]


def count_no_callbacks() -> None:
    """Keeps Tune from importing W&B, MLflow and Comet to count their callbacks for its statistics.

    Statistics are off, and the imports take two seconds.
    """
    usage.tag_callbacks = _do_nothing  # type: ignore[assignment]
