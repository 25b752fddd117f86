"""What a program reports, passed on to `run` and kept for the next attempt."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.trainers.program.images import read_image
from study.trainers.program.output import LeftOut, MetricsFile, Result, ResultReader
from study.trainers.run import Run, TrainerMistake

IMAGE = "image"
"""Name of a program's image."""


class Results:
    """The results of one attempt, and of those before it.

    A report needs the study's metrics: figures that come between two of them go with the next one,
    and those after the last are final figures, such as a test error.
    """

    def __init__(self, run: Run, metrics_file: Path, parameters: Collection[str]) -> None:
        """parameters: names that no figure may have"""
        self._run = run
        self._parameters = parameters
        self._reader = ResultReader(run.metrics)
        self._file = MetricsFile(metrics_file)
        self.memory = math.nan
        """Peak memory of the program's processes so far, in MiB."""
        self._curve: list[dict[str, Any]] = []
        self._reported = 0
        """Step of this attempt's last report."""
        self._waiting: dict[str, tuple[int, float]] = {}
        """Figures since that, with their steps."""
        self._names: set[str] = set()
        self._began, self._seconds_before = time.monotonic(), 0.0

    @property
    def left_out(self) -> LeftOut:
        """What looks like a result and is none."""
        return self._reader.left_out

    def restore(self) -> None:
        """Takes up what earlier attempts have reported, and what they left unread in the file."""
        run = self._run
        try:
            state = json.loads(run.checkpoint_file.read_bytes())
            self._curve, self._file.offset = list(state["curve"]), int(state["offset"])
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError) as error:
            run.discard_checkpoint(f"what the program has reported cannot be read ({error})")
        for line in self._file.new_lines():
            if (result := self._reader.read(line)) and result.step:
                self._gather(result.step, result.metrics)
                if self._is_complete(result.step):
                    self._add_point(result.step)
        self._waiting.clear()
        run.resume(0, self._curve)
        if self._curve:
            run.log(f"an earlier attempt reported until step {self._curve[-1]['step']}")

    def read_file(self) -> bool:
        """Takes the new lines of the metrics file; returns whether there were some."""
        lines = self._file.new_lines()
        for line in lines:
            self.take(line)
        return bool(lines)

    def take(self, line: str) -> bool:
        """Takes the result in a line; returns whether there is one."""
        result = self._reader.read(line)
        if result is None:
            return False
        self._show_image(result.image)
        self._report(result, line)
        if result.fail:
            self._run.fail(result.fail)
        return True

    def end(self) -> Mapping[str, float] | None:
        """The final figures of a program that ended well; None where it has reported nothing.

        That is no mistake where an earlier attempt's last lines were lost with its process. Raises
        `TrainerMistake` for a program that stopped early.
        """
        last = self._curve[-1]["step"] if self._curve else 0
        if last < self._run.steps and not self._reported:
            return None
        if last < self._run.steps:
            raise TrainerMistake(
                f"the program ended well after its report of step {last}, but --steps is "
                f"{self._run.steps}; its last report must be of that step (the command may use "
                "{steps})"
            )
        return {name: value for name, (_, value) in self._waiting.items()}

    def explain_no_report(self) -> str:
        """What is wrong with a program that ended well and never reported the study's metrics."""
        names = ", ".join(self._run.metrics)
        example = ", ".join(f'"{name}": 0.5' for name in self._run.metrics)
        has = f"its results have {', '.join(sorted(self._names))}" if self._names else ""
        problems = "; ".join(filter(None, [has, str(self.left_out)])) or "it printed no result"
        return (
            f"the program ended well and never reported {names} ({problems}); have it print lines "
            f'such as {{"step": {self._run.steps}, {example}}}'
        )

    def _show_image(self, name: str) -> None:
        if not name:
            return
        try:
            self._run.image(IMAGE, read_image(self._run.folder, name))
        except InputError as error:
            self.left_out.add("an image", error)

    def _report(self, result: Result, line: str) -> None:
        """Reports a point once all of the study's metrics are there."""
        if result.step is None:
            return
        if result.step > self._run.steps:
            raise TrainerMistake(
                f"the program reported step {result.step}, but --steps is {self._run.steps}; use "
                "{steps} in the command, or give --steps"
            )
        # Figures after a report may name its step once more.
        is_repeated = result.metrics.keys() >= set(self._run.metrics)
        if result.step < self._reported or (result.step == self._reported and is_repeated):
            what = "of step 0" if result.step == 0 else "of a step that was reported before"
            self.left_out.add(f"a line {what}", line)
            return
        self._gather(result.step, result.metrics)
        if result.step > self._reported and self._is_complete(result.step):
            self._add_point(result.step)
            self._reported = result.step
            point = dict(self._curve[-1])
            self._run.report(point.pop("step"), **point)

    def _gather(self, step: int, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            if name in self._parameters:
                self.left_out.add("a figure with the name of a parameter", name)
            else:
                self._waiting[name] = (step, value)
        self._names |= self._waiting.keys()

    def _known_at(self, step: int) -> dict[str, float]:
        """The waiting figures of this step or of those before it."""
        return {name: value for name, (of, value) in self._waiting.items() if of <= step}

    def _is_complete(self, step: int) -> bool:
        return self._known_at(step).keys() >= set(self._run.metrics)

    def _add_point(self, step: int) -> None:
        """Adds the waiting figures to the curve, and saves it: before the trial may be ended."""
        before = [point for point in self._curve if point["step"] < step]
        if not self._reported:
            self._seconds_before = before[-1]["seconds"] if before else 0.0
        seconds = self._seconds_before + time.monotonic() - self._began
        figures = self._known_at(step)
        measured = {"seconds": seconds, "memory": self.memory}
        self._curve = [*before, {"step": step, **measured, **figures}]
        for name in figures:
            del self._waiting[name]
        state = {"curve": self._curve, "offset": self._file.offset}
        write_atomically(self._run.checkpoint_file, json.dumps(state).encode())
