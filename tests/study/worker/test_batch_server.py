"""A batch that serves trials without Ray: what becomes of places, and when its process ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from nerf.scenes.scene import Scene
from study.protocol.training_events import Event, Failed, JoinRequest, Started, Trained
from study.worker import batch_server
from study.worker.batch_server import BatchOptions, BatchServer, UnknownMember
from tests.study.worker.test_batch_runs import tiny

LONG = 10_000


class Batch:
    """A server of one place, and whether its process would have ended."""

    def __init__(self, scene: Scene, patience: float = 60.0) -> None:
        self.ended = threading.Event()
        self.at_step: Callable[[], None] = lambda: None
        self.server = BatchServer(
            scene,
            BatchOptions(size=1, device="cpu", threads=1, patience=patience),
            name="a process",
            should_stop=self._should_stop,
            end_process=self.ended.set,
        )

    def _should_stop(self) -> bool:
        self.at_step()
        return False

    def join(self, member: str, number: int, steps: int = LONG, process: int = 0) -> None:
        config = tiny(number, steps)
        request = JoinRequest(member, number, config, None, (), process or os.getpid())
        self.server.join(request)

    def wait_for(self, member: str, kind: type[Event]) -> Event:
        """Polls as a trial does, until it is sent an event of this kind."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for event in self.server.poll(member):
                if isinstance(event, kind):
                    return event
        raise AssertionError(f"no {kind.__name__} in time")


@pytest.fixture
def batch(ball: Scene) -> Iterator[Batch]:
    batch = Batch(ball)
    yield batch
    batch.server._ended.set()


def test_a_trial_that_leaves_gives_its_place_to_the_next(batch: Batch) -> None:
    batch.join("first", 0)
    batch.wait_for("first", Started)
    batch.join("second", 1, steps=3)
    assert not batch.server.poll("second")
    batch.server.leave("first")
    batch.wait_for("second", Trained)
    with pytest.raises(UnknownMember):
        batch.server.poll("first")


def test_a_new_attempt_at_a_trial_takes_the_place_of_the_last_one(batch: Batch) -> None:
    batch.join("attempt 1", 0)
    batch.wait_for("attempt 1", Started)
    batch.join("attempt 2", 0)
    batch.wait_for("attempt 2", Started)
    with pytest.raises(UnknownMember):
        batch.server.poll("attempt 1")


def test_a_trial_whose_process_has_died_loses_its_place_within_seconds(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_server, "_DEAD_AFTER", 0.5)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    batch.join("killed", 0, process=process.pid)
    batch.wait_for("killed", Started)
    process.kill()
    process.wait()
    batch.join("next", 1)
    began = time.monotonic()
    batch.wait_for("next", Started)
    assert time.monotonic() < began + 10


def test_a_batch_without_trials_ends(ball: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_server, "IDLE_SECONDS", 0.1)
    assert Batch(ball).ended.wait(10)


def test_a_batch_that_hangs_sends_its_stacks_and_ends(ball: Scene) -> None:
    batch = Batch(ball, patience=4.0)
    released = threading.Event()

    def stand_still() -> None:
        released.wait(60)

    batch.at_step = stand_still
    batch.join("a trial", 0)
    event = batch.wait_for("a trial", Failed)
    batch.server.leave("a trial")
    assert batch.ended.wait(10)
    released.set()
    assert isinstance(event, Failed)
    assert event.failure.reason.startswith("hung: no step of its batch in time")
    assert "in stand_still" in event.failure.traceback


def test_a_batch_whose_device_fails_ends(ball: Scene) -> None:
    batch = Batch(ball)

    def fail() -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    batch.at_step = fail
    batch.join("a trial", 0)
    event = batch.wait_for("a trial", Failed)
    batch.server.leave("a trial")
    assert batch.ended.wait(10)
    assert isinstance(event, Failed)
    assert event.failure.device_failed
    with pytest.raises(UnknownMember):
        batch.join("too late", 1)
