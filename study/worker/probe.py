"""Measures how long trials take, by short ones in processes of their own, as many at once as run.

Short trials are measured as a whole, long ones in part.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import imageio.v3 as imageio
import psutil

from nerf.config.parameters import Value
from nerf.scenes.scene import Scene
from study.protocol.failures import diagnose_exception
from study.protocol.training_events import Evaluated, Event
from study.spec.study_spec import StudySpec
from study.trainers.collapse_rule import parse_rule
from study.worker.load_trainer import import_trainer, load_train
from study.worker.run_rules import RunRules
from study.worker.trial_run import RunHooks, TrialRun, TrialTask

_FEW_STEPS = 10
_GROWTH = 4
"""How many times as long the next budget is, while there is time."""
_BYTES_PER_POINT = 200
_BYTES_PER_RECORD = 1500

Configuration = dict[str, Value]


@dataclass(frozen=True)
class Measured:
    """What a trial of one configuration takes on its full budget.

    seconds: of the trial, without the start of a process; steps: the longest run that was measured
    start: seconds until a process had begun and trained for a moment; disk, checkpoint: bytes
    collapse: why the trial collapsed, else empty; problem: why nothing was measured, else empty
    """

    index: int
    seconds: float = 0.0
    steps: int = 0
    start: float = 0.0
    disk: int = 0
    checkpoint: int = 0
    collapse: str = ""
    problem: str = ""


def measure_trials(
    spec: StudySpec,
    scene: Scene | None,
    configurations: Sequence[Configuration],
    at_once: int,
    seconds: float,
    patience: float,
) -> list[Measured]:
    """Measures each configuration, for some `seconds`, `at_once` of them at the same time.

    What has not answered after `patience` seconds is ended, and is not in the result.
    """
    context = multiprocessing.get_context("spawn")
    shares = [list(range(i, len(configurations), at_once)) for i in range(at_once)]
    processes, connections = [], []
    with tempfile.TemporaryDirectory(prefix="nerf-study-") as folder:
        try:
            for indices in filter(None, shares):
                receiving, sending = context.Pipe(duplex=False)
                work = [(i, configurations[i]) for i in indices]
                arguments = (sending, spec, scene, work, Path(folder), seconds, time.time())
                process = context.Process(target=_measure_all, args=arguments, daemon=True)
                process.start()
                sending.close()
                processes.append(process)
                connections.append(receiving)
            return _collect(connections, time.monotonic() + patience)
        finally:
            for process in processes:
                _kill(process)


def _kill(process: BaseProcess) -> None:
    """Ends a process and what it has started, such as the program of `--command`."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
    process.kill()
    process.join()


def _collect(connections: list[Connection], deadline: float) -> list[Measured]:
    """What arrives before the deadline, until all have closed."""
    measured: list[Measured] = []
    while connections and (left := deadline - time.monotonic()) > 0:
        for connection in wait(connections, left):
            assert isinstance(connection, Connection)
            try:
                measured.append(connection.recv())
            except EOFError:
                connections.remove(connection)
    return sorted(measured, key=lambda one: one.index)


def _measure_all(
    sending: Connection,
    spec: StudySpec,
    scene: Scene | None,
    work: Sequence[tuple[int, Configuration]],
    folder: Path,
    seconds: float,
    began: float,
) -> None:
    """The process: sends a `Measured` for each configuration."""
    if not spec.gpus_per_trial:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import_trainer(spec)

    def measure(index: int, values: Configuration, seconds: float) -> Measured:
        try:
            return _measure(spec, scene, values, folder / f"{index}.pt", seconds)
        except Exception as error:
            size = spec.space.describe_size(values)
            return Measured(0, problem=diagnose_exception(error, size).reason)

    measure(*work[0], seconds / 4)  # the first imports what the others have
    start = time.time() - began
    for index, values in work:
        sending.send(replace(measure(index, values, seconds), index=index, start=start))


def _measure(
    spec: StudySpec, scene: Scene | None, values: Configuration, checkpoint: Path, seconds: float
) -> Measured:
    """Measures a NeRF on growing budgets, and another trainer until its time is over.

    The two largest budgets tell the fixed part of a trial, such as its evaluations, from what grows
    with its steps. As the first steps are the slowest, the last budget is the first that takes more
    than `seconds`. But not every trainer can do with few steps.
    """
    short = _ShortTrial(spec, scene, values, checkpoint)
    if not spec.space.is_nerf:
        return short.run_for(seconds)
    steps = min(_FEW_STEPS, spec.steps)
    took, per_step = short.run(steps), 0.0
    while steps < spec.steps and not short.has_collapsed():
        fewer, before = steps, took
        steps = min((_GROWTH if took < seconds else 2) * steps, spec.steps)
        took = short.run(steps)
        if short.has_collapsed():  # as it will in the study, which is then the faster
            return short.measured(before + (spec.steps - fewer) * per_step, fewer)
        per_step = max(took - before, 0.0) / (steps - fewer)
        if took > seconds:
            break
    return short.measured(took + (spec.steps - steps) * per_step, steps)


class _TimeOver(BaseException):
    """Ends a trial that has been measured; no `except Exception` of a trainer may catch it."""


class _ShortTrial:
    """Trains one configuration, and notes what that takes."""

    def __init__(
        self,
        spec: StudySpec,
        scene: Scene | None,
        values: Configuration,
        checkpoint: Path,
    ) -> None:
        self._spec = spec
        self._scene = scene
        self._values = values
        self._checkpoint = checkpoint
        self.collapse = ""
        self._image = 0  # bytes
        self._deadline = math.inf
        self._began = 0.0
        self._reports: list[tuple[int, float]] = []
        """Step and seconds of each."""

    def run(self, steps: int) -> float:
        """Trains with this budget; returns the seconds that it took."""
        spec, path = self._spec, self._spec.space.parameters.steps_path
        space = spec.space
        if path:
            space = replace(space, fixed=tuple({**dict(space.fixed), path: steps}.items()))
        self._checkpoint.unlink(missing_ok=True)
        shutil.rmtree(self._checkpoint.with_suffix(""), ignore_errors=True)  # as `run.folder`
        self._reports = []
        self._began = time.perf_counter()
        task = TrialTask(
            steps=steps,
            seed=spec.seed,
            device="cuda" if spec.gpus_per_trial else "cpu",
            checkpoint_file=self._checkpoint,
            scene=self._scene,
            patience=spec.patience,
        )
        # On a part of its steps a NeRF is evaluated earlier than in the study, where a rule may
        # hold that later does not.
        holds = steps >= spec.steps or not spec.space.is_nerf
        collapse = tuple(map(parse_rule, spec.collapse)) if holds else ()
        rules = RunRules(spec.objectives, collapse=collapse)
        run = TrialRun(task, rules, RunHooks(self._on_event))
        train = load_train(spec)
        trained = run.train(lambda: train(space.config(self._values, spec.seed), run))
        if trained.image is not None:
            self._image = len(imageio.imwrite("<bytes>", trained.image, extension=".png"))
        self.collapse = trained.reason if trained.state == "collapsed" else ""
        return time.perf_counter() - self._began

    def has_collapsed(self) -> bool:
        """Whether the last run did."""
        return bool(self.collapse)

    def run_for(self, seconds: float) -> Measured:
        """Trains on the full budget until that many seconds are over and it has reported twice."""
        self._deadline = seconds
        try:
            return self.measured(self.run(self._spec.steps), self._spec.steps)
        except _TimeOver:
            (first, began), (last, ended) = self._reports[0], self._reports[-1]
            per_step = (ended - began) / (last - first)
            return self.measured(ended + (self._spec.steps - last) * per_step, last)

    def measured(self, seconds: float, steps: int) -> Measured:
        """What the trial takes if it takes so many seconds, of which `steps` were measured."""
        size = self._checkpoint.stat().st_size if self._checkpoint.exists() else 0
        points = len(self._reports) * self._spec.steps // max(steps, 1)
        disk = _BYTES_PER_RECORD + _BYTES_PER_POINT * points + self._image
        return Measured(0, seconds, steps, disk=disk, checkpoint=size, collapse=self.collapse)

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, Evaluated):
            return
        passed = time.perf_counter() - self._began
        self._reports.append((event.point["step"], passed))
        if passed > self._deadline and len(self._reports) > 1:
            raise _TimeOver
