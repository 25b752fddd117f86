"""A trial's side of a batch: joins the batch of its GPU, and passes on what it is sent.

The batch is a Ray actor. There is one for each GPU of each node in a launch, or one on a machine
without, and of several scenes one for each. The first trial to need it starts it. It belongs to no
trial, so that it survives them.
"""

from __future__ import annotations

import os
import queue
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.protocol.failures import diagnose_batch_death
from study.protocol.messages import Failure
from study.protocol.stopping import make_stop_check
from study.protocol.training_events import (
    Event,
    Failed,
    JoinRequest,
    OnEvent,
    Stopped,
    Trained,
    TrainingFailed,
    TrainingStopped,
)
from study.trainers.nerf_size import describe_size
from study.trainers.oom_kills import count_oom_kills
from study.worker.batch_server import MAX_SILENCE, BatchOptions, BatchServer, UnknownMember
from study.worker.job import Job
from study.worker.training import Training

_JOIN_ATTEMPTS = 5
"""Attempts to join, a second apart: a batch may be just about to end."""

_START_TIMEOUT = 180.0
"""Seconds that a batch's process has to start."""


class BatchActor(BatchServer):
    """The server as a Ray actor, which sees the GPU of its trials."""

    def __init__(self, job: Job, scene: str, gpu: str, options: BatchOptions) -> None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # before torch is imported
        super().__init__(
            ray.get(job.scenes[scene]),
            options,
            name=ray.get_runtime_context().get_actor_id() or "",
            should_stop=make_stop_check(job.launch),
            end_process=lambda: os._exit(0),
        )


def batch_prefix(launch: str) -> str:
    """What the names of a launch's batches begin with, among Ray's actors."""
    return f"nerf-study-batch-{launch}-"


def train_in_batch(
    job: Job, training: Training, on_event: OnEvent, on_reply: Callable[[], None]
) -> Trained:
    """Has the batch of this GPU train.

    `on_reply` is called at least every few seconds while the batch answers. Raises
    `TrainingFailed`, and `TrainingStopped`.
    """
    kills_before = count_oom_kills()
    config, checkpoint = training.config, training.checkpoint
    request = JoinRequest(
        member=f"trial {training.number}, {secrets.token_hex(8)}",
        number=training.number,
        config=config,
        checkpoint=checkpoint.read_bytes() if checkpoint.exists() else None,
        rungs=training.rungs,
        process=os.getpid(),
    )
    actor = _find_or_start(job, training.scene)
    try:
        actor = _join(job, training.scene, actor, request, on_reply)
        with _Polling(actor, request.member) as polling:
            return _handle_replies(polling, on_event, on_reply)
    except ray.exceptions.RayActorError as error:
        killed = count_oom_kills() > kills_before
        batch = actor._actor_id.hex()
        raise TrainingFailed(
            diagnose_batch_death(str(error), killed, describe_size(config), batch)
        ) from None
    except UnknownMember:
        reason = f"lost its place in the batch: it sent nothing for {MAX_SILENCE:.0f} s"
        raise TrainingFailed(Failure(reason)) from None


def _handle_replies(polling: _Polling, on_event: OnEvent, on_reply: Callable[[], None]) -> Trained:
    """Passes on events until one ends the training."""
    while True:
        events = polling.next_reply()
        on_reply()
        for event in events:
            match event:
                case Trained():
                    return event
                case Stopped(text):
                    raise TrainingStopped(text)
                case Failed(failure):
                    raise TrainingFailed(failure)
                case _:
                    on_event(event)


def _join(
    job: Job, scene: str, actor: Any, request: JoinRequest, on_reply: Callable[[], None]
) -> Any:
    """Joins a batch, or the one that follows it where it ends; returns the actor joined."""
    for attempts_left in reversed(range(_JOIN_ATTEMPTS)):
        try:
            _wait_until_joined(actor.join.remote(request), on_reply)
            break
        except (ray.exceptions.RayActorError, UnknownMember):
            if not attempts_left:
                raise
            time.sleep(1)
            actor = _find_or_start(job, scene)
    return actor


def _wait_until_joined(joined: Any, on_reply: Callable[[], None]) -> None:
    """Waits also for the batch's process to start, which is no step that hangs."""
    deadline = time.monotonic() + _START_TIMEOUT
    while not ray.wait([joined], timeout=1)[0]:
        on_reply()
        if time.monotonic() > deadline:
            reason = f"the process of its batch did not start within {_START_TIMEOUT:.0f} s"
            raise TrainingFailed(Failure(reason))
    ray.get(joined)


def _find_or_start(job: Job, scene: str) -> Any:
    """The batch actor of this process's GPU for a scene, or of its machine where it has none."""
    spec = job.spec
    node = ray.get_runtime_context().get_node_id()
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    options = BatchOptions(
        size=spec.pack,
        device="cuda" if spec.gpus_per_trial else "cpu",
        threads=spec.cpus_per_trial,
        patience=spec.patience,
    )
    return (
        ray.remote(BatchActor)
        .options(
            name=f"{batch_prefix(job.launch)}{node}-{gpu or 'cpu'}-{scene}",
            get_if_exists=True,
            lifetime="detached",  # else it would end with the trial that started it
            # It uses what its trials hold, on their node.
            num_cpus=0,
            num_gpus=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
            # For each trial a poll that waits, one of a trial that has just died, and a call.
            max_concurrency=3 * spec.pack + 3,
        )
        .remote(job, scene, gpu, options)
    )


class _Polling:
    """Polls the batch in a thread of its own, as a trial is busy while it reports."""

    def __init__(self, actor: Any, member: str) -> None:
        self._actor = actor
        self._member = member
        self._replies: queue.SimpleQueue[tuple[Event, ...] | Exception] = queue.SimpleQueue()
        self._left = threading.Event()

    def __enter__(self) -> _Polling:
        threading.Thread(target=self._poll, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._actor.leave.remote(self._member)

    def next_reply(self) -> tuple[Event, ...]:
        """The next answer of the batch, which may have no event; raises what polling raised."""
        reply = self._replies.get()
        if isinstance(reply, Exception):
            raise reply
        return reply

    def _poll(self) -> None:
        while not self._left.is_set():
            try:
                self._replies.put(ray.get(self._actor.poll.remote(self._member)))
            except Exception as error:
                self._replies.put(error)
                return
