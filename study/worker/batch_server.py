"""Serves a batch to the trials of one GPU: they join, poll for their events, and leave.

One thread trains; the calls come in others. A trial whose process has died, or that has not polled
for long, loses its place. The server ends by itself once it has been of no use for a while, so that
it outlives neither its launch nor a driver that was killed.
"""

from __future__ import annotations

import contextlib
import faulthandler
import math
import queue
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import psutil

from nerf.config.schema import NerfConfig
from nerf.scenes.scene import Scene
from study.protocol.failures import diagnose_exception
from study.protocol.messages import Failure
from study.protocol.training_events import Event, Failed, JoinRequest
from study.trainers.nerf_size import describe_size

if TYPE_CHECKING:
    from study.worker.batch_runs import BatchRuns

POLL_SECONDS = 1.0
"""Seconds that a poll waits for an event."""

MAX_SILENCE = 60.0
"""Seconds without a poll after which a trial loses its place, though its process lives."""

IDLE_SECONDS = 20.0
"""Seconds without a trial after which the server ends."""

_DEAD_AFTER = 3.0
"""Seconds without a poll after which it is checked whether the trial's process lives."""

_LAST_POLLS = 5.0
"""Seconds that trials have to fetch their last events before the process ends."""

_WATCH_INTERVAL = 0.5


class UnknownMember(Exception):
    """The trial has no place here: it never joined, has left or was silent for too long."""


@dataclass(frozen=True)
class BatchOptions:
    """What a server needs to know, besides the scene."""

    size: int
    """Trials that are trained at the same time; further ones wait."""
    device: str
    threads: int
    patience: float
    """Seconds without a step after which the process ends."""


@dataclass
class _Client:
    request: JoinRequest
    events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)
    polled: float = field(default_factory=time.monotonic)

    def is_lost(self) -> bool:
        silence = time.monotonic() - self.polled
        if silence < _DEAD_AFTER:
            return False
        return silence > MAX_SILENCE or not psutil.pid_exists(self.request.process)


class BatchServer:
    """Trains those that have joined, until it is idle, a step hangs or the device fails."""

    def __init__(
        self,
        scene: Scene,
        options: BatchOptions,
        *,
        name: str,
        should_stop: Callable[[], bool],
        end_process: Callable[[], None],
    ) -> None:
        """`name` identifies this process in the failures that several trials share."""
        self._scene = scene
        self._options = options
        self._name = name
        self._should_stop = should_stop
        self._end_process = end_process
        self._clients: dict[str, _Client] = {}
        self._inbox: queue.SimpleQueue[Callable[[BatchRuns], None]] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._used = time.monotonic()
        self._stepped = math.inf  # the import of torch does not count as a step
        for work in (self._train, self._watch):
            threading.Thread(target=work, daemon=True).start()

    def join(self, request: JoinRequest) -> None:
        """Lets a trial be trained, in place of an earlier attempt at it."""
        if self._ended.is_set():
            raise UnknownMember("the batch has ended")
        for client in list(self._clients.values()):
            if client.request.number == request.number:
                self.leave(client.request.member)
        client = self._clients[request.member] = _Client(request)
        self._inbox.put(lambda runs: runs.add(request, client.events.put))

    def poll(self, member: str) -> tuple[Event, ...]:
        """What has happened to a trial since its last poll; waits a moment where nothing has."""
        client = self._clients.get(member)
        if client is None:
            raise UnknownMember(member)
        client.polled = time.monotonic()
        events: list[Event] = []
        with contextlib.suppress(queue.Empty):
            events.append(client.events.get(timeout=POLL_SECONDS))
            while True:
                events.append(client.events.get_nowait())
        client.polled = time.monotonic()
        return tuple(events)

    def leave(self, member: str) -> None:
        """Gives a trial's place to another one."""
        if self._clients.pop(member, None):
            self._inbox.put(lambda runs: runs.remove(member))

    def _train(self) -> None:
        """Trains until the server ends, in the only thread that uses the device."""
        try:
            runs = self._prepare()
            busy = False
            while not self._ended.is_set():
                self._stepped = time.monotonic()
                self._take_requests(runs, wait=not busy)
                busy = runs.step()
        except Exception as error:
            self._fail(
                getattr(error, "failure", None)
                or diagnose_exception(error, describe_size(NerfConfig()))
            )

    def _prepare(self) -> BatchRuns:
        import torch

        from study.worker.batch_runs import BatchRuns

        options = self._options
        torch.set_num_threads(options.threads)
        return BatchRuns(self._scene, options.size, options.device, self._should_stop, self._name)

    def _take_requests(self, runs: BatchRuns, wait: bool) -> None:
        """Handles what has come in; waits for something where nothing is to be trained."""
        with contextlib.suppress(queue.Empty):
            while True:
                request = self._inbox.get(block=wait, timeout=_WATCH_INTERVAL)
                wait = False
                request(runs)

    def _watch(self) -> None:
        """Frees places of lost trials, and ends the server where it is idle or hangs."""
        while not self._ended.wait(_WATCH_INTERVAL):
            for client in list(self._clients.values()):
                if client.is_lost():
                    self.leave(client.request.member)
            now = time.monotonic()
            self._used = now if self._clients else self._used
            if now > self._used + IDLE_SECONDS:
                self._end()
            elif now > self._stepped + self._options.patience:
                reason = "hung: no step of its batch in time; its error file has the stacks"
                self._fail(Failure(reason, _stacks()))
            else:  # for a step that never lets another thread run
                faulthandler.dump_traceback_later(self._options.patience + MAX_SILENCE, exit=True)

    def _fail(self, failure: Failure) -> None:
        """Sends all trials the failure, and ends the process."""
        for client in list(self._clients.values()):
            client.events.put(Failed(replace(failure, batch=self._name)))
        self._end()

    def _end(self) -> None:
        """Ends the process, once those that are still here have fetched their last events."""
        self._ended.set()
        faulthandler.cancel_dump_traceback_later()
        deadline = time.monotonic() + _LAST_POLLS
        while self._clients and time.monotonic() < deadline:
            time.sleep(0.05)
        self._end_process()


def _stacks() -> str:
    """The stacks of all threads of this process."""
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        return file.read()
