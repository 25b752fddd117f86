"""What a launch does between two steps of Ray Tune: updates the view, and ends where it must."""

from __future__ import annotations

import time
from typing import Any

from ray import tune

from study.driver.capacity import ClusterCapacity
from study.driver.launch_stop import StopReason
from study.driver.trial_manager import TrialManager
from study.monitor.live_view import LiveView
from study.protocol.stopping import GRACE, Stop, broadcast_stop


class StopOverdue(Exception):
    """Trials took longer than `GRACE` to stop; the next launch uses their last checkpoints."""


class LaunchCallback(tune.Callback):
    """Updates the view while Ray runs, and ends the launch where a stop is requested.

    Ray pickles it into its experiment folder, which is never restored from, so it pickles empty.
    """

    def __init__(
        self,
        manager: TrialManager,
        view: LiveView,
        stop: Stop,
        launch: str,
        capacity: ClusterCapacity | None,
    ) -> None:
        self._manager = manager
        self._view = view
        self._stop = stop
        self._launch = launch
        self._capacity = capacity
        self._started: set[str] = set()  # trials in training, by Ray's names for them
        self._deadline: float | None = None

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._started.add(trial.trial_id)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._started.discard(trial.trial_id)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._started.discard(trial.trial_id)

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        for notice in self._manager.drain_notices():
            self._view.note(notice)
        if self._capacity:
            self._watch(self._capacity)
        self._view.spec = self._manager.ledger.spec  # a look, or the hours, may change it
        if self._view.is_due():
            self._view.show(self._manager.ledger.trials(), running=self._manager.running)
        if self._stop.requested:
            self._manager.stop.request(StopReason.REQUESTED)
        if self._manager.stop.reason and self._deadline is None:
            self._deadline = time.monotonic() + GRACE
            again = " (Ctrl-C again quits now)" if self._stop.requested else ""
            self._view.note(f"stopping: running trials are saving checkpoints{again}")
            broadcast_stop(self._launch)
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise StopOverdue

    def _watch(self, capacity: ClusterCapacity) -> None:
        """Follows nodes that come and go, and gives up where none has had room for long."""
        for news in capacity.update(lambda: self._manager.unfinished, len(self._started)):
            self._view.note(news)
        self._view.waiting_for = capacity.waiting_for
        if reason := capacity.gives_up:
            self._manager.stop.request(StopReason.NO_ROOM, reason)

    def __getstate__(self) -> dict[str, Any]:
        return {}
