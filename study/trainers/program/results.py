"""What a program reports, passed on to `run` and kept for the next attempt."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.trainers.program.appended_file import AppendedFile
from study.trainers.program.images import read_image
from study.trainers.program.output import LeftOut, Result, ResultReader
from study.trainers.run import Run, TrainerMistake

IMAGE = "image"
"""Name of a program's image."""

_MAX_UNSAVED = 2**24
"""Bytes of output after which is saved where to read on, though nothing was reported."""


class Results:
    """The results of one attempt, and of those before it.

    A report needs the study's metrics: figures that come between two of them go with the next one,
    and those after the last are final figures, such as a test error.
    """

    def __init__(
        self, run: Run, output: AppendedFile, metrics_file: Path, parameters: Collection[str]
    ) -> None:
        """output: the program's standard output; parameters: names that no figure may have"""
        self._run = run
        self._parameters = parameters
        self._reader = ResultReader(run.metrics)
        self._output, self._file = output, AppendedFile(metrics_file)
        self._saved_offset = 0
        """Where the next attempt begins to read the output."""
        self.peak_memory: Callable[[], float] = lambda: math.nan
        """Of the program's processes so far, in MiB."""
        self._curve: list[dict[str, Any]] = []
        self._reported = 0
        """Step of this attempt's last report."""
        self._waiting: dict[str, tuple[int, float]] = {}
        """Figures since that, with their steps."""
        self._names: set[str] = set()
        self._image = ""
        """File name of the last image."""
        self._began, self._seconds_before = time.monotonic(), 0.0

    @property
    def left_out(self) -> LeftOut:
        """What only looks like a result."""
        return self._reader.left_out

    def restore(self) -> None:
        """Takes up what earlier attempts have reported, and what was left unread of it."""
        run = self._run
        try:
            self._read_state(json.loads(run.checkpoint_file.read_bytes()))
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError) as error:
            run.discard_checkpoint(f"what the program has reported cannot be read ({error})")
        for file in (self._output, self._file):
            for line in file.all_lines():
                self._take_unread(line)
        run.resume(0, self._curve)
        self._show_image(self._image)
        if self._curve:
            run.log(f"an earlier attempt reported until step {self._curve[-1]['step']}")

    def read_file(self) -> bool:
        """Takes the new lines of the metrics file; returns whether something was written to it."""
        for line in self._file.lines():
            self.take(line)
        return self._file.has_grown

    def read_rest(self) -> None:
        """Takes all that is left in the metrics file, once the program has ended."""
        for line in self._file.all_lines():
            self.take(line)

    def save_if_late(self) -> None:
        """Saves where to read on, if much was read since that was saved last."""
        if self._output.offset > self._saved_offset + _MAX_UNSAVED:
            self._save()

    def take(self, line: str) -> bool:
        """Takes the result in a line; returns whether there is one."""
        result = self._reader.read(line)
        if result is None:
            return False
        self._image = result.image or self._image
        self._show_image(result.image)
        self._report(result, line)
        if result.fail:
            self._run.fail(result.fail)
        return True

    def end(self) -> Mapping[str, float] | None:
        """The final figures of a program that succeeded; None if it has reported nothing.

        That is no mistake where an earlier attempt's last lines were lost with its process. Raises
        `TrainerMistake` for a program that stopped early.
        """
        last = self._curve[-1]["step"] if self._curve else 0
        if last < self._run.steps and not self._reported:
            return None
        if last < self._run.steps:
            raise TrainerMistake(
                f"the program exited with status 0 after its report of step {last}, but --steps is "
                f"{self._run.steps}; its last report must be of that step (the command may use "
                "{steps})"
            )
        figures = {name: value for name, (_, value) in self._waiting.items()}
        if math.isnan(self._curve[-1]["memory"]):  # reported as nobody looked
            figures.setdefault("memory", self.peak_memory())
        return figures

    def explain_no_report(self) -> str:
        """What is wrong with a program that succeeded without reporting the study's metrics."""
        names = ", ".join(self._run.metrics)
        example = ", ".join(f'"{name}": 0.5' for name in self._run.metrics)
        has = f"its results have {', '.join(sorted(self._names))}" if self._names else ""
        problems = "; ".join(filter(None, [has, str(self.left_out)])) or "it printed no result"
        return (
            f"the program exited with status 0 without reporting {names} ({problems}); have it "
            f'print lines such as {{"step": {self._run.steps}, {example}}}'
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
        peaks = self.peak_memory(), before[-1]["memory"] if before else math.nan
        memory = max((peak for peak in peaks if not math.isnan(peak)), default=math.nan)
        measured = {"seconds": seconds, "memory": memory}
        self._curve = [*before, {"step": step, **measured, **figures}]
        for name in figures:
            del self._waiting[name]
        self._save()

    def _take_unread(self, line: str) -> None:
        """Takes a result that an earlier attempt left unread, whose program is gone."""
        result = self._reader.read(line)
        if result is None:
            return
        self._image = result.image or self._image
        if result.step:
            self._gather(result.step, result.metrics)
            if self._is_complete(result.step):
                self._add_point(result.step)

    def _read_state(self, state: Mapping[str, Any]) -> None:
        """Reads what `_save` wrote, here or in an earlier version."""
        curve, waiting = list(state["curve"]), state.get("waiting", {})
        offsets = int(state["offset"]), int(state.get("output", 0))
        self._curve, (self._file.offset, self._output.offset) = curve, offsets
        self._waiting = {name: (int(step), value) for name, (step, value) in waiting.items()}
        self._image = str(state.get("image", ""))

    def _save(self) -> None:
        """Saves all that was taken, and where to read on."""
        state = {
            "curve": self._curve,
            "offset": self._file.offset,
            "output": self._output.offset,
            "waiting": self._waiting,
            "image": self._image,
        }
        write_atomically(self._run.checkpoint_file, json.dumps(state).encode())
        self._saved_offset = self._output.offset
        self._output.free(self._saved_offset)
