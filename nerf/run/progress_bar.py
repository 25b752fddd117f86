"""What a person sees while one NeRF trains: a bar, the quality so far, the time left."""

from __future__ import annotations

from types import TracebackType

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from nerf.training import loop as training


class ProgressBar:
    """A live bar on a terminal; a line at each evaluation elsewhere. Use as a context."""

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

    def stepped(self, step: int) -> None:
        self._bar.update(self._task, completed=step)

    def evaluated(self, progress: training.Progress) -> None:
        quality = f"{progress.psnr:.2f} dB, SSIM {progress.ssim:.3f}"
        self._bar.update(self._task, description=quality)
        if not self._bar.console.is_terminal:
            print(f"step {progress.step}: {quality}, loss {progress.loss:.4f}", flush=True)
