"""Progress bar of one run: steps done, held-out PSNR, time elapsed and left."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nerf.training import run


class ProgressBar:
    """Context manager: a live bar on a terminal, elsewhere a printed line for each evaluation."""

    def __init__(self, steps: int) -> None:
        self._bar = Progress(
            TextColumn("{task.completed}/{task.total} steps"),
            BarColumn(bar_width=None),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("elapsed,"),
            TimeRemainingColumn(),
            TextColumn("left"),
            expand=True,
        )
        self._task = self._bar.add_task("", total=steps)
        self._steps = steps
        self._start: tuple[float, int] | None = None

    def __enter__(self) -> ProgressBar:
        if self._bar.console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar.console.is_terminal:
            self._bar.stop()

    def show_step(self, step: int) -> None:
        if self._start is None:  # a resumed run does not begin at 0
            self._start = time.monotonic(), step
        self._bar.update(self._task, completed=step)

    def show_evaluation(self, progress: run.Progress) -> None:
        quality = f"{progress.psnr:.2f} dB"
        self._bar.update(self._task, description=quality)
        if not self._bar.console.is_terminal:
            text = f"step {progress.step}: {quality}, loss {progress.loss:.4f}"
            print(text + self._describe_time(progress.step), flush=True)

    def _describe_time(self, step: int) -> str:
        """Elapsed and remaining time; nothing before there is a step to measure by."""
        if self._start is None or step <= self._start[1]:
            return ""
        elapsed = time.monotonic() - self._start[0]
        left = elapsed / (step - self._start[1]) * (self._steps - step)
        return f", {elapsed:.0f} s elapsed, {left:.0f} s left"
