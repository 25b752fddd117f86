"""The parts of the GPU benchmark that need no GPU."""

from __future__ import annotations

from queue import Queue
from types import SimpleNamespace

from gpu import await_replies

RUNNING, DEAD = SimpleNamespace(exitcode=None), SimpleNamespace(exitcode=-9)


def replies(count: int) -> Queue[int]:
    queue: Queue[int] = Queue()
    for number in range(count):
        queue.put(number)
    return queue


def test_every_process_is_awaited() -> None:
    assert await_replies(replies(2), [RUNNING, RUNNING])


def test_a_process_that_dies_is_not_awaited_for_ever() -> None:
    assert not await_replies(replies(1), [RUNNING, DEAD])
