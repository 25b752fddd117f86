"""Jobs as processes of their own, some at once, each able to keep itself when Ctrl-C comes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import Generic, TypeVar

Job = TypeVar("Job")


class Pool(Generic[Job]):
    """Runs `work` on each job, in a fresh process, at most so many at once.

    Use as a context: however it is left, the processes are asked to end by SIGINT and waited for.
    `work` handles that signal; it is ignored until `work` begins.
    """

    def __init__(self, jobs: Sequence[Job], work: Callable[[Job], None], at_once: int) -> None:
        self._waiting = list(jobs)
        self._work = work
        self._at_once = at_once
        self._alive: dict[int, tuple[Job, SpawnProcess, float]] = {}
        self._took: list[float] = []

    def __enter__(self) -> Pool[Job]:
        return self

    def __exit__(self, *error: object) -> None:
        processes = [process for _, process, _ in self._alive.values()]
        for process in processes:
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGINT)
        for process in processes:
            process.join()

    def ended(self) -> Iterator[tuple[Job, int]]:
        """Each job as its process ends, with the exit status; negative for a signal."""
        while self._waiting or self._alive:
            while self._waiting and len(self._alive) < self._at_once:
                self._begin(self._waiting.pop(0))
            for sentinel in wait(list(self._alive)):
                assert isinstance(sentinel, int)
                job, process, began = self._alive.pop(sentinel)
                process.join()
                self._took.append(time.monotonic() - began)
                yield job, process.exitcode or 0

    def seconds_left(self) -> float:
        """Until the last one ends, if those to come take as long as those that ended."""
        usual, now = sum(self._took) / len(self._took), time.monotonic()
        alive = [max(usual - (now - began), 0) for _, _, began in self._alive.values()]
        return (sum(alive) + usual * len(self._waiting)) / self._at_once

    def _begin(self, job: Job) -> None:
        process = multiprocessing.get_context("spawn").Process(target=self._work, args=(job,))
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which the child inherits
        process.start()
        signal.signal(signal.SIGINT, before)
        self._alive[process.sentinel] = (job, process, time.monotonic())
