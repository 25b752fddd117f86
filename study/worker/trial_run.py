"""What a trainer's calls on `run` do: events of the trial, its checkpoint file and its end."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from nerf.scenes.scene import Scene
from study.protocol.training_events import (
    Evaluated,
    OnEvent,
    Preview,
    Started,
    Trained,
    TrainingStopped,
)
from study.search.successive_halving import reached_rung
from study.trainers.run import Image, TrainerMistake, TrialStopped
from study.trainers.state_file import dump_state, load_state, require_loadable, with_curve
from study.worker.peak_memory import PeakMemory
from study.worker.run_rules import RunRules, as_floats, check_step
from study.worker.trial_images import side_by_side


class TrialCollapsed(BaseException):
    """Ends `train`; no `except Exception` of a trainer may catch it."""

    def __init__(self, reason: str, metrics: Mapping[str, float]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.metrics = metrics


@dataclass(frozen=True)
class TrialTask:
    """What a trial is to train on: the attributes of `run` that never change."""

    steps: int
    seed: int
    device: str
    checkpoint_file: Path
    scene: Scene | None = None
    patience: float = 600.0


def _do_nothing(*_: object) -> None:
    """Stands for a hook that nobody needs."""


@dataclass(frozen=True)
class RunHooks:
    """What a trial's calls on `run` lead to."""

    on_event: OnEvent
    on_sign_of_life: Callable[[], None] = _do_nothing
    """Called whenever the trainer shows that it does not hang."""
    should_stop: Callable[[], bool] = lambda: False
    log: Callable[[str], None] = _do_nothing


class TrialRun:
    """One attempt at a trial, as its trainer sees it: implements `study.trainers.run.Run`."""

    def __init__(self, task: TrialTask, rules: RunRules, hooks: RunHooks) -> None:
        self.steps = task.steps
        self.seed = task.seed
        self.device = task.device
        self.scene = task.scene
        self.checkpoint_file = task.checkpoint_file
        self.patience = task.patience
        self.log = hooks.log
        self._rules = rules
        self._hooks = hooks
        self._curve: list[dict[str, Any]] = []
        self._started = False
        self._reported = 0
        """Step of this attempt's last report."""
        self._seconds_before = self._began = 0.0
        """Training time of earlier attempts, and when this one began."""
        self._restored: dict[str, Any] | None = None
        self._unwritten: bytes | None = None
        self._checked_state = False
        self._images: dict[str, Image | Callable[[], Image]] = {}
        self._diverged = ""
        self._memory = PeakMemory(task.device)
        self._reports_memory = False
        """Whether the trainer reports its memory by itself."""

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(self._rules.to_report)

    @property
    def folder(self) -> Path:
        folder = self.checkpoint_file.with_suffix("")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def restored(self) -> dict[str, Any] | None:
        if not self._started and self.checkpoint_file.exists():
            try:
                self._restored, curve = load_state(self.checkpoint_file.read_bytes())
            except InputError as error:
                self.discard_checkpoint(str(error))
            else:
                self.resume(curve[-1]["step"] if curve else 0, curve)
        self._start()
        return self._restored

    def resume(self, step: int, curve: Sequence[Mapping[str, Any]], /) -> None:
        self._curve = [dict(point) for point in curve]
        self._start(step)

    def discard_checkpoint(self, why: str, /) -> None:
        self._start(damage=why)

    @property
    def should_stop(self) -> bool:
        self._hooks.on_sign_of_life()
        self._before_call()
        return self._hooks.should_stop()

    def report(self, step: int, /, **metrics: float) -> None:
        self._hooks.on_sign_of_life()
        self._start()
        self._end_if_diverged()
        point = self._point(step, metrics)
        before = [p["step"] for p in self._curve if p["step"] < step]
        self._curve = [*self._curve[: len(before)], point]
        self._reported = step
        self._write_checkpoint()
        for objective in self._rules.objectives:
            if not math.isfinite(value := point[objective.metric]):
                self._diverged = f"diverged: {objective.metric} is {value} at step {step}"
        last = before[-1] if before else 0
        if self._images and (reached_rung(last, step, self._rules.rungs, self.steps) is not None):
            self._hooks.on_event(Preview(side_by_side(self._images)))
        self._hooks.on_event(Evaluated(point))
        for rule in self._rules.collapse:
            if reason := rule.explain(step, point):
                raise TrialCollapsed(f"{reason} (--collapse)", {})

    def image(self, name: str, image: Image | Callable[[], Image], /) -> None:
        self._start()
        self._write_checkpoint()
        self._images[name] = image

    def checkpoint(self, state: Mapping[str, Any], /) -> None:
        self._before_call()
        self._unwritten = dump_state(state)
        if not self._checked_state:
            try:
                require_loadable(self._unwritten)
            except InputError as error:
                raise TrainerMistake(str(error)) from None
            self._checked_state = True

    def fail(self, reason: str, /, **metrics: float) -> NoReturn:
        raise TrialCollapsed(
            " ".join(str(reason).split()) or "run.fail() without a reason", metrics
        )

    def train(self, train: Callable[[], Mapping[str, float] | None]) -> Trained:
        """Runs a trainer to its end; raises `TrainingStopped`, and what it raises itself."""
        try:
            try:
                returned = train()
            except TrialStopped:
                returned = None
            self._before_call()
        except TrialCollapsed as collapsed:
            return self._trained("collapsed", collapsed.reason, collapsed.metrics, "fail")
        if self._reported < self.steps and self._last_step < self.steps:
            if self._hooks.should_stop():
                raise TrainingStopped(f"stopped; its last report is of step {self._last_step}")
            raise TrainerMistake(self._explain_early_end())
        if self._diverged:
            return self._trained("collapsed", self._diverged, {}, "train")
        return self._trained("completed", "", returned or {}, "train")

    def _trained(
        self, state: str, reason: str, metrics: Mapping[str, float], where: str
    ) -> Trained:
        memory = math.nan if self._reports_memory else self._memory.read()
        return Trained(state, reason, as_floats(metrics, where), self._image(), memory)

    @property
    def _last_step(self) -> int:
        return int(self._curve[-1]["step"]) if self._curve else 0

    def _explain_early_end(self) -> str:
        if not self._curve:
            metrics = "".join(f", {name}=..." for name in self._rules.to_report)
            return f"train() returned without a report; call run.report(step{metrics})"
        return (
            f"train() returned after its report of step {self._last_step}, but --steps is "
            f"{self.steps}; report the last step, or end a trial that cannot learn by run.fail()"
        )

    def _start(self, step: int = 0, damage: str = "") -> None:
        """Reports once where this attempt begins."""
        if not self._started:
            self._started = True
            self._seconds_before = float(self._curve[-1]["seconds"]) if self._curve else 0.0
            self._began = time.perf_counter()
            self._hooks.on_event(
                Started(device_name(self.device), step, tuple(self._curve), damage)
            )

    def _before_call(self) -> None:
        """What every call does first; ends a trial that has diverged and did not end itself."""
        self._start()
        self._write_checkpoint()
        self._end_if_diverged()

    def _end_if_diverged(self) -> None:
        if self._diverged:
            reason, self._diverged = self._diverged, ""
            raise TrialCollapsed(reason, {})

    def _write_checkpoint(self) -> None:
        """Writes the last state with the curve so far, which then is never older than it."""
        if self._unwritten is not None:
            write_atomically(self.checkpoint_file, with_curve(self._unwritten, self._curve))
            self._unwritten = None

    def _point(self, step: int, metrics: Mapping[str, float]) -> dict[str, Any]:
        """The point of the learning curve; raises `TrainerMistake`."""
        step = check_step(step, self._reported, self.steps)
        reported = self._rules.check_metrics(step, metrics)
        self._reports_memory = "memory" in metrics
        measured = {
            "seconds": self._seconds_before + time.perf_counter() - self._began,
            "memory": self._memory.read(),
        }
        point = {"step": step, **measured, **reported}
        if "memory" in self._rules.names and math.isnan(point["memory"]):
            raise TrainerMistake(
                f"--metric memory cannot be measured on {platform.node()} (it needs Linux, and on "
                "a GPU PyTorch); report it as run.report(step, memory=...), in MiB, or name "
                "another metric"
            )
        return point

    def _image(self) -> np.ndarray | None:
        return side_by_side(self._images) if self._images else None


def device_name(device: str) -> str:
    """The device's name, as a trial's row has it."""
    if device != "cuda":
        return platform.machine() + " CPU"
    import torch

    return str(torch.cuda.get_device_name())
