"""Progress bar of one run: steps done, held-out quality, time elapsed and left."""

from __future__ import annotations

from types import TracebackType

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nerf.training import run


class ProgressBar:
    """Context manager: a live bar on a terminal, elsewhere a printed line for each evaluation."""

    def __init__(self, steps: int) -> None:
        self._bar = Progress(
            TextColumn("{task.completed}/{task.total} steps"),
            BarColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._task = self._bar.add_task("…", total=steps)

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
        self._bar.update(self._task, completed=step)

    def show_evaluation(self, progress: run.Progress) -> None:
        quality = f"{progress.psnr:.2f} dB, SSIM {progress.ssim:.3f}"
        self._bar.update(self._task, description=quality)
        if not self._bar.console.is_terminal:
            print(f"step {progress.step}: {quality}, loss {progress.loss:.4f}", flush=True)
