"""A trial as a run of TensorBoard: one event file in `tensorboard/ID` of the study folder.

Events are written one by one in the trial's own thread, and a resumed trial writes its whole curve
again into a new file: tensorboardX's own `SummaryWriter` writes in a thread, blocks without end
once a full disk has ended that, and keeps steps of an earlier attempt beside those of the next.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from study.protocol.messages import Outcome
from study.trackers.tracker import Point, TrackedTrial, WriteVideo, held_out_metrics, metrics

_NERF_METRICS = ("psnr", "ssim", "loss", "test_psnr", "test_ssim")
"""Columns of a NeRF in the table of hyperparameters."""


class _TensorBoardRun:
    def __init__(self, trial: TrackedTrial, curve: Sequence[Point]) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto import event_pb2
        from tensorboardX.summary import text

        self._trial = trial
        folder = trial.folder.tensorboard / trial.trial_id
        folder.mkdir(parents=True, exist_ok=True)
        for earlier in folder.glob("events.*"):
            earlier.unlink()
        self._events = event_pb2
        self._writer: Any = EventsWriter(str(folder / "events"))
        if curve:  # a TensorBoard that is open has read the earlier file
            begin = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._write(step=0, session_log=begin)
        self._write(step=0, summary=text("config", _table(trial.parameters)))
        self._logged: set[str] = set()
        now, last = time.time(), curve[-1]["seconds"] if curve else 0.0
        for point in curve:
            # So that time in TensorBoard is time of training, without the interruption.
            self._log(metrics(point), point["step"], now - last + point["seconds"])
        self._writer.flush()

    def log(self, point: Point) -> None:
        self._log(metrics(point), point["step"], time.time())
        self._writer.flush()

    def end(self, outcome: Outcome, image: np.ndarray | None, write_video: WriteVideo) -> None:
        from tensorboardX import summary

        step = outcome.steps_done
        if outcome.state == "completed":
            self._log(held_out_metrics(outcome, self._logged), step, time.time())
        if image is not None:
            self._write(step=step, summary=summary.image("render", image, dataformats="HWC"))
        # Capitals, as TensorBoard sorts the columns by name and shows the first five.
        ending = {"State": outcome.state, "Reason": outcome.reason}
        self._write(step=step, summary=summary.text("outcome", _table(ending)))
        varied = {path: self._trial.parameters[path] for path in self._trial.varied}
        # TensorBoard reads the parameters of a run once, so not before its outcome is known.
        parameters = {**ending, **varied, "phase": self._trial.phase}
        for part in summary.hparams(parameters, dict.fromkeys(self._columns(outcome))):
            self._write(summary=part)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()

    def _columns(self, outcome: Outcome) -> tuple[str, ...]:
        """The metrics in the table of hyperparameters."""
        metric = self._trial.metric
        first = _NERF_METRICS if metric == "psnr" else (metric,)
        return tuple(dict.fromkeys((*first, *outcome.metrics)))

    def _log(self, values: dict[str, float], step: int, wall_time: float) -> None:
        from tensorboardX.summary import scalar

        self._logged |= values.keys()

        for name, value in values.items():
            self._write(step=step, summary=scalar(name, value), wall_time=wall_time)

    def _write(self, wall_time: float | None = None, **content: Any) -> None:
        event = self._events.Event(wall_time=wall_time or time.time(), **content)
        self._writer.write_event(event)


def open_tensorboard(trial: TrackedTrial, curve: Sequence[Point]) -> _TensorBoardRun:
    """Begins a run, or writes it again up to the end of `curve`."""
    return _TensorBoardRun(trial, curve)


def _table(values: Mapping[str, Any]) -> str:
    """Names and values as a table in Markdown, which TensorBoard displays."""
    rows = (f"| {name} | {str(value).replace('|', '&#124;')} |" for name, value in values.items())
    return "\n".join(("| name | value |", "|---|---|", *rows))
