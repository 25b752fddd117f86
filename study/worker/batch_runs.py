"""The trainings of several trials in one process: alike ones as one network, the rest in turn.

A member is one trial's training. Those of the same `batch_key` share a `RunBatch`; every `step`
trains each batch by one step. A member that ends or fails leaves its place to the next one.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch

from nerf.scenes.scene import Scene
from nerf.training.batch.key import batch_key
from nerf.training.batch.run_batch import RunBatch
from nerf.training.cuda_graph import release_cached_memory
from nerf.training.loop import Callbacks, Interrupted, TrainingLoop
from nerf.training.run import TrainingRun
from study.protocol.failures import diagnose_exception
from study.protocol.messages import Failure
from study.protocol.training_events import (
    Checkpoint,
    Event,
    Failed,
    JoinRequest,
    OnEvent,
    Stopped,
)
from study.trainers.nerf_size import describe_size
from study.worker.training import evaluated, previews_at, restore_run, trained

MIN_SLOTS = 4
"""Slots of the smallest batch; the device computes empty ones, too, so batches grow as needed."""


class DeviceFailed(Exception):
    """The device cannot be used in this process any more; every member has been sent why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


@dataclass(eq=False)
class _Member:
    """A trial that waits for a place."""

    request: JoinRequest
    send: OnEvent


@dataclass(eq=False)
class _Training(_Member):
    """A trial that has one."""

    loop: TrainingLoop

    @property
    def run(self) -> TrainingRun:
        return self.loop.run


class BatchRuns:
    """Trains at most `size` members at a time; the others wait. Not for several threads.

    Errors of one member are sent to it and end it alone. Errors of a batch end all its members.
    """

    def __init__(
        self, scene: Scene, size: int, device: str, should_stop: Callable[[], bool], name: str
    ) -> None:
        """`name` identifies this process in failures that several members share."""
        self._scene = scene
        self._size = size
        self._device = device
        self._should_stop = should_stop
        self._name = name
        self._waiting: deque[_Member] = deque()
        self._groups: dict[tuple[object, ...], _Group] = {}
        self._lacks_memory = False
        """Those that wait do so until another one leaves."""

    @property
    def training(self) -> list[str]:
        """The members that have a place, by name."""
        return [m.request.member for group in self._groups.values() for m in group.members]

    def add(self, request: JoinRequest, send: OnEvent) -> None:
        """Lets a trial be trained as soon as there is a place; `send` receives its events."""
        self._waiting.append(_Member(request, send))

    def remove(self, name: str) -> None:
        """Ends the training of a member, if it is one."""
        self._waiting = deque(m for m in self._waiting if m.request.member != name)
        for group in list(self._groups.values()):
            for member in [m for m in group.members if m.request.member == name]:
                self._discard(group, member)

    def step(self) -> bool:
        """Trains every member by one step; returns whether members are left.

        Raises `DeviceFailed` after an error of the device.
        """
        try:
            self._admit()
            for group in list(self._groups.values()):
                self._step(group)
        except DeviceFailed as error:
            self.fail_all(error.failure)
            raise
        return bool(self._groups or self._waiting)

    def fail_all(self, failure: Failure) -> None:
        """Sends every member the same failure."""
        for group in self._groups.values():
            self._send_failure(group.members, failure)
        self._send_failure(self._waiting, failure)
        self._groups.clear()
        self._waiting.clear()

    def _send_failure(self, members: Iterable[_Member], failure: Failure) -> None:
        for member in members:
            member.send(Failed(replace(failure, batch=self._name)))

    def _admit(self) -> None:
        """Starts those that wait, in order, while there are places and memory."""
        while self._waiting and len(self.training) < self._size and not self._lacks_memory:
            member = self._waiting[0]
            try:
                self._start(member)
            except Exception as error:
                failure = _diagnose(member, error)
                if failure.out_of_memory and self._groups:
                    self._lacks_memory = True
                    release_cached_memory()
                    return
                member.send(Failed(failure))
            self._waiting.popleft()

    def _start(self, member: _Member) -> None:
        request, send = member.request, member.send
        run = TrainingRun(request.config, self._scene, self._device)
        started = restore_run(run, request.checkpoint, self._device)
        loop = TrainingLoop(
            run,
            Callbacks(
                on_preview=previews_at(request.rungs, run, send),
                on_progress=lambda progress: send(evaluated(progress)),
                should_stop=self._should_stop,
            ),
            checkpoint=lambda content: send(Checkpoint(content)),
        )
        if loop.is_finished:  # its process died between the last step and the end
            send(started)
            send(trained(run.result()))
            return
        key = batch_key(request.config)
        group = self._groups.get(key) or _Group(self._size, self._device)
        group.add(_Training(request, send, loop))
        self._groups[key] = group
        send(started)

    def _step(self, group: _Group) -> None:
        """Trains a batch by one step and does what is due for its members."""
        try:
            group.batch.advance()
        except Exception as error:
            self._on_batch_failure(group, error)
            return
        group.newcomers.clear()
        for member in list(group.members):
            event = _after_step(member)
            if event:
                member.send(event)
                self._discard(group, member)

    def _on_batch_failure(self, group: _Group, error: Exception) -> None:
        """Ends a batch; for want of memory, only the member that came last."""
        last = group.members[-1]
        failure = _diagnose(last, error)
        if not failure.out_of_memory:
            self._send_failure(group.members, failure)
            self._discard(group, *group.members)
            return
        is_newcomer = last in group.newcomers
        self._discard(group, last)
        release_cached_memory()
        if is_newcomer and self._groups:
            self._waiting.appendleft(_Member(last.request, last.send))
            self._lacks_memory = True
        else:
            last.send(Failed(failure))

    def _discard(self, group: _Group, *members: _Training) -> None:
        for member in members:
            group.remove(member)
        self._groups = {key: each for key, each in self._groups.items() if each.members}
        self._lacks_memory = False


class _Group:
    """The members of one batch, which has twice as many slots as they need at most."""

    def __init__(self, size: int, device: str) -> None:
        self._size = size
        self._device = device
        self._slots = min(MIN_SLOTS, size)
        self.batch = RunBatch(self._slots, device)
        self.members: list[_Training] = []
        """In the order in which they came."""
        self.newcomers: list[_Training] = []
        """Those that have not made a step in this batch yet."""

    def add(self, member: _Training) -> None:
        if len(self.members) == self._slots:
            self._resize(min(2 * self._slots, self._size))
        self.batch.add(member.run)
        self.members.append(member)
        self.newcomers.append(member)

    def remove(self, member: _Training) -> None:
        self.batch.remove(member.run)
        member.run.release()
        self.members.remove(member)
        if member in self.newcomers:
            self.newcomers.remove(member)
        if not self.members:
            self.batch.release()
        elif self._slots > MIN_SLOTS and len(self.members) <= self._slots // 4:
            with contextlib.suppress(torch.OutOfMemoryError):  # it stays as large as it is
                self._resize(self._slots // 2)

    def _resize(self, slots: int) -> None:
        """Moves the members to a batch of so many slots; on an error, back to the old one."""
        batch = RunBatch(slots, self._device)
        moved: list[TrainingRun] = []
        try:
            for member in self.members:
                self.batch.remove(member.run)
                moved.append(member.run)
                batch.add(member.run)
        except Exception:
            for run in moved:
                if run in batch.members:
                    batch.remove(run)
                self.batch.add(run)
            raise
        self.batch.release()
        self.batch, self._slots = batch, slots


def _after_step(member: _Training) -> Event | None:
    """Does what is due for a member after a step; returns the event that ends it, if one does."""
    try:
        member.loop.after_step()
        return trained(member.run.result()) if member.loop.is_finished else None
    except Interrupted as stopped:
        return Stopped(str(stopped))
    except Exception as error:
        return Failed(_diagnose(member, error))


def _diagnose(member: _Member, error: Exception) -> Failure:
    """Why a member failed; raises `DeviceFailed` where no member can be trained any more."""
    failure = diagnose_exception(error, describe_size(member.request.config))
    if failure.device_failed and not failure.out_of_memory:
        raise DeviceFailed(failure) from error
    return failure
