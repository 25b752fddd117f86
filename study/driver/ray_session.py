"""The connection of a launch to Ray: started on this machine, or to a cluster.

Whatever can refuse a launch does so as the session opens, before anything of the study is created:
Ray's folders and token, an unreachable cluster, nodes without the study folder or a usable GPU, and
a cluster that has no room for a trial in time.
"""

from __future__ import annotations

import logging
import shlex
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import ray

from nerf.common.errors import InputError
from nerf.scenes.scene import Scene
from study.driver.capacity import ClusterCapacity, alive_nodes
from study.driver.captured_errors import captured_errors
from study.driver.cluster import require_shared_folder, runtime_environment
from study.driver.gpu_check import GpuChecks
from study.driver.packing import settle_pack
from study.driver.ray_internals import (
    count_no_callbacks,
    daemons_in_own_sessions,
    no_idle_daemons,
    silence_ray,
)
from study.driver.resources import Resources, fit_machine
from study.protocol.stopping import interrupted_by_signals
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec

MAX_RAY_FAILURES = 3
"""Failures of Ray as a whole, in a row and without a trial ending between, that are retried.

One process out of memory may be enough to make it fail.
"""

_NOTICE_SECONDS = 60.0
"""Between two lines that say what is waited for."""

_CONNECT_TIMEOUT = 20.0  # seconds

_TOKEN_REFUSED = "InvalidAuthToken"  # in the log of Ray's client, which does not raise it


class RaySession:
    """Ray, started here with `resources`, or joined at the study's address if they are None."""

    def __init__(self, spec: StudySpec, resources: Resources | None) -> None:
        self.resources = resources
        self.capacity: ClusterCapacity | None = None
        """Of the cluster; None on this machine alone, where it does not change."""
        self._spec = spec
        # The trial manager reports failures, once it is known whether the trial is retried.
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
        silence_ray()
        count_no_callbacks()

    def connect(self) -> None:
        """Starts or joins Ray, unless that is done; raises `InputError` where it cannot."""
        if ray.is_initialized():
            return
        if self.resources:
            _start(self.resources)
        else:
            _join(self._spec)
            self.capacity = ClusterCapacity(self._spec, GpuChecks())

    def settle_pack(self, scenes: Mapping[str, Scene], notify: Callable[[str], None]) -> StudySpec:
        """Measures what `--pack auto` stands for, on the first scene; returns the spec with it."""
        settled = settle_pack(self._spec, next(iter(scenes.values()), None), notify)
        if settled.pack != self._spec.pack:
            self._spec = settled
            if self.resources:
                self.resources = fit_machine(settled)
            if self.capacity:
                self.capacity.close()
                self.capacity = ClusterCapacity(settled, GpuChecks())
        return settled

    def close(self) -> None:
        """Leaves Ray; what was started here ends."""
        ray.shutdown()
        self.capacity = None


@contextmanager
def opened(
    folder: StudyFolder,
    spec: StudySpec,
    resources: Resources | None,
    notify: Callable[[str], None],
) -> Iterator[RaySession]:
    """A session that is ready for the study's trials; raises `InputError` where it will not be.

    `notify` receives what is waited for, and what torch sees of the GPUs.
    """
    session = RaySession(spec, resources)
    try:
        session.connect()
        with interrupted_by_signals():
            if session.capacity:
                _wait_for_room(session.capacity, folder, spec, notify)
                if not spec.storage:
                    require_shared_folder(folder)
            if spec.gpus_per_trial:
                for line in GpuChecks().require(alive_nodes()):
                    notify(line)
        yield session
    finally:
        session.close()


def _start(resources: Resources) -> None:
    """Starts Ray on this machine, again where it fails for no reason that is known here."""
    for failures in range(MAX_RAY_FAILURES + 1):
        try:
            with daemons_in_own_sessions(), no_idle_daemons():
                ray.init(
                    address="local",  # even if RAY_ADDRESS is set
                    num_cpus=resources.cpus,
                    num_gpus=resources.gpus,
                    include_dashboard=False,
                    # Ray hands its workers' interpreter to a shell, where a space would break it.
                    runtime_env={"py_executable": shlex.quote(sys.executable)},
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
            return
        except Exception as error:
            ray.shutdown()
            if failures == MAX_RAY_FAILURES:
                raise InputError(
                    f"Ray did not start in {failures + 1} attempts ({first_line(error)}); its logs "
                    "are in session_latest/logs of its temporary folder, /tmp/ray or RAY_TMPDIR"
                ) from error


def _join(spec: StudySpec) -> None:
    """Joins the cluster at the study's address; raises `InputError` where it cannot."""
    address = spec.address
    _require_answer(address)
    ended = f"this process ended while it joined the Ray cluster at {address}; run it again"
    with captured_errors(ended) as log:
        try:
            ray.init(
                address=address,
                runtime_env=runtime_environment(spec),
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, ValueError, ray.exceptions.RayError) as error:
            sys.stderr.flush()
            log.seek(0)
            text = log.read()
            if _TOKEN_REFUSED in text or isinstance(error, ray.exceptions.AuthenticationError):
                cause = "it refused this one's" if _TOKEN_REFUSED in text else first_line(error)
                raise InputError(
                    f"the Ray cluster at --address {address} asks for its authentication token "
                    f"({cause.partition('. ')[0]}); copy the head's token, by default "
                    "~/.ray/auth_token, to a file here, then set RAY_AUTH_MODE=token and "
                    "RAY_AUTH_TOKEN_PATH to that file"
                ) from error
            raise _unreachable(address, error) from error


def _require_answer(address: str) -> None:
    """Raises `InputError` where nothing listens at a HOST:PORT; Ray would try it for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():  # auto
        return
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_TIMEOUT).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str, error: Exception) -> InputError:
    return InputError(
        f"no Ray cluster answers at --address {address} ({first_line(error)}); start one, or "
        "leave the option out to run on this machine"
    )


def _wait_for_room(
    capacity: ClusterCapacity, folder: StudyFolder, spec: StudySpec, notify: Callable[[str], None]
) -> None:
    """Returns once a node has room for a trial; raises `InputError` where none has in time."""
    notice_due = 0.0
    while True:
        capacity.update(lambda: spec.trials - folder.count_records(), running=0)
        if capacity.has_room:
            return
        if reason := capacity.gives_up:
            raise InputError(
                f"{reason}; add nodes, lower --cpus-per-trial or --gpus-per-trial, or wait longer "
                "with --wait-for-nodes"
            )
        if time.monotonic() >= notice_due:
            notify(capacity.waiting_for)
            notice_due = time.monotonic() + _NOTICE_SECONDS
        time.sleep(0.2)


def first_line(error: Exception) -> str:
    """An error in one line of at most 200 characters."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
