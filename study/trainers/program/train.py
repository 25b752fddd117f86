"""Trains a trial by a program: `train(call, run)`, by the same doors as every other trainer.

What the program reports is saved with the trial's checkpoint, which is the program's own business:
it finds its folder as an earlier attempt has left it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nerf.common.files import write_atomically
from nerf.config.flat import nest
from study.trainers.oom_kills import count_oom_kills
from study.trainers.program.appended_file import AppendedFile
from study.trainers.program.attempt_lock import FOLDER_VARIABLE, hold_folder
from study.trainers.program.command import Call, find_places
from study.trainers.program.failure import ProgramFailed
from study.trainers.program.output import to_plain
from study.trainers.program.process import (
    STOP_GRACE,
    ProgramEnd,
    RunningProgram,
    program_environment,
)
from study.trainers.program.results import Results
from study.trainers.run import Run, TrainerMistake

METRICS_FILE, PARAMETERS_FILE = "metrics.jsonl", "parameters.json"
OUTPUT_FILE = ".attempt.output"
"""The standard output of all attempts."""

_POLL_SECONDS = 0.1
_LOCK_SECONDS = 60.0
_MAX_UNREAD = 2**28
"""Bytes of output on the disk that end a program."""
_MAX_LOGGED = 2**20
"""Characters of a program's output that an attempt's log has; more is counted only."""
_LAST_LINES = 12
_MAX_CAUSE = 300
_NO_GPU = ("No CUDA GPUs are available", "Found no NVIDIA driver", "no CUDA-capable device")


def train(call: Call, run: Run) -> Mapping[str, float]:
    """Runs the program to its end; returns the figures that it gave after its last report."""
    is_first = not any(run.folder.iterdir())
    results, figures = _run_attempt(call, run)
    if figures is None and not is_first:  # what it had reported was lost
        run.log("the program had nothing left to report; it starts again in an empty folder")
        shutil.rmtree(run.folder, ignore_errors=True)
        run.checkpoint_file.unlink(missing_ok=True)
        results, figures = _run_attempt(call, run)
    if figures is None:
        raise TrainerMistake(results.explain_no_report())
    return figures


def _run_attempt(call: Call, run: Run) -> tuple[Results, Mapping[str, float] | None]:
    """Runs the program once, when the one of an earlier attempt is gone."""
    patience = min(run.patience / 2, _LOCK_SECONDS)
    with hold_folder(run.folder, patience) as lock, _open_output(run.folder) as output:
        attempt = _Attempt(call, run, output, lock)
        return attempt.results, attempt.run_program()


@contextmanager
def _open_output(folder: Path) -> Iterator[int]:
    """The file of the program's standard output, which outlives this process."""
    descriptor = os.open(folder / OUTPUT_FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class _Attempt:
    """One run of the program."""

    def __init__(self, call: Call, run: Run, output: int, lock: int) -> None:
        """output, lock: descriptors, of the program's standard output and its folder's lock"""
        self._call = call
        self._run = run
        self._descriptors = output, lock
        self._log = _OutputLog(run)
        self._last_errors: deque[str] = deque(maxlen=_LAST_LINES)
        self._last_output: deque[str] = deque(maxlen=_LAST_LINES)
        self._output = AppendedFile(output)
        self.results = Results(run, self._output, run.folder / METRICS_FILE, call.values)

    def run_program(self) -> Mapping[str, float] | None:
        """The final figures; None if the program succeeded without any report.

        Raises `ProgramFailed` and `TrainerMistake`.
        """
        run = self._run
        self.results.restore()
        words = self._call.fill_in(self._places())
        run.log(f"runs {json.dumps(words, ensure_ascii=False)}")
        kills_before = count_oom_kills()
        workdir = self._call.program.workdir
        if not Path(workdir).is_dir():
            raise ProgramFailed(f"there is no folder {workdir}, in which the program runs")
        stopped = False
        environment = {**program_environment(), FOLDER_VARIABLE: str(run.folder)}
        with RunningProgram(words, workdir, environment, *self._descriptors) as program:
            if run.device != "cuda":  # of a GPU's memory nothing is known here
                self.results.peak_memory = program.peak_memory
            try:
                while not program.has_ended:
                    self._handle_output(program)
                    if not stopped and run.should_stop:
                        program.request_end(STOP_GRACE)
                        stopped = True
                self._handle_rest()
            finally:
                self._log.close(self.results.left_out)
        if stopped:
            return {}
        if not program.end.is_well:
            out_of_memory = program.end.was_killed and count_oom_kills() > kills_before
            raise self._failure(program.end, out_of_memory)
        return self.results.end()

    def _handle_output(self, program: RunningProgram) -> None:
        """Takes what has been written by now; raises `ProgramFailed` after a long silence."""
        program.look_at_memory()
        errors = list(program.error_lines(0 if self._output.has_more else _POLL_SECONDS))
        for line in self._output.lines():
            self._handle(line)
        for line in errors:
            self._note(line, self._last_errors)
        if self.results.read_file() or self._output.has_grown:
            program.last_sign = time.monotonic()
        self.results.save_if_late()
        if self._output.held_bytes > _MAX_UNREAD:
            size = f"{_MAX_UNREAD >> 20} MiB"
            raise ProgramFailed(f"its standard output takes more than {size} of disk; print less")
        if time.monotonic() - program.last_sign > self._run.patience:
            silence = f"{self._run.patience:g} s (--patience)"
            raise ProgramFailed(f"hung: no output for {silence}", self._last_words())

    def _handle_rest(self) -> None:
        """Takes what a program that has ended had written."""
        for line in self._output.all_lines():
            self._handle(line)
        self.results.read_rest()

    def _handle(self, line: str) -> None:
        if not self.results.take(line):
            self._note(line, self._last_output)

    def _note(self, line: str, last: deque[str]) -> None:
        last.append(line)
        self._log.write(line)

    def _failure(self, end: ProgramEnd, out_of_memory: bool) -> ProgramFailed:
        """The failure of a program that did not end well, with the last line that it wrote."""
        lines = reversed(self._last_errors or self._last_output)
        last = next((plain[:_MAX_CAUSE] for plain in map(to_plain, lines) if plain), "")
        words, hint = self._last_words(), ""
        if self._run.device == "cpu" and any(no_gpu in words for no_gpu in _NO_GPU):
            hint = "; it may use none without --gpus-per-trial"
        return ProgramFailed(f"{end}{f': {last}' if last else ''}{hint}", words, out_of_memory)

    def _last_words(self) -> str:
        return "\n".join([*self._last_output, *self._last_errors])

    def _places(self) -> dict[str, str]:
        """The text of each placeholder that is no parameter; writes the file of `{parameters}`."""
        run, folder = self._run, self._run.folder
        places = {
            "steps": str(run.steps),
            "seed": str(run.seed),
            "device": run.device,
            "folder": str(folder),
            "metrics": str(folder / METRICS_FILE),
            "parameters": str(folder / PARAMETERS_FILE),
            "trial": folder.name,
            "scene": run.scene.source if run.scene else "",
        }
        if "parameters" in find_places(self._call.program.command):
            values = {**self._call.values, "steps": run.steps, "seed": run.seed}
            content = json.dumps(nest(values), indent=2)
            write_atomically(folder / PARAMETERS_FILE, content.encode())
        return places


class _OutputLog:
    """Writes a program's other output to the trial's log, as far as there is room."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._room = _MAX_LOGGED
        self._skipped = 0

    def write(self, text: str) -> None:
        if len(text) > self._room:
            self._skipped += 1
            return
        self._room -= len(text) + 1
        self._run.log(text.rstrip())

    def close(self, left_out: object) -> None:
        """Says what of the output is not in the log, and which results were not understood."""
        if self._skipped:
            self._run.log(f"({self._skipped} further lines of output are left out here)")
        if text := str(left_out):
            self._run.log(f"not understood: {text}")
