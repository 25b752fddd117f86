"""Ray Tune's searcher and scheduler, thin: each passes on what Ray reports to the trial manager.

Ray pickles both into its experiment folder, which is never restored from, so they pickle empty.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from study.driver.capacity import ClusterCapacity
from study.driver.cluster import is_node_alive
from study.driver.trial_manager import TrialManager
from study.protocol.failures import diagnose_death
from study.protocol.messages import MESSAGE, TRIAL, Failure
from study.records.schema import trial_id as trial_file_name
from study.trainers.oom_kills import count_oom_kills


class LedgerSearcher(Searcher):
    """Hands the manager's trials to Ray, and their processes' deaths to the manager."""

    def __init__(self, manager: TrialManager, capacity: ClusterCapacity | None) -> None:
        """`capacity` limits the trials at a time; where it is None, Tune does."""
        super().__init__()
        self._manager = manager
        self._capacity = capacity
        self._numbers: dict[str, int] = {}  # trials of the study by Ray's names for them
        self._oom_kills = count_oom_kills()
        self.ray_errors: dict[str, str] = {}
        """Ray's error text of trials whose process died, by Ray's names for them."""

    def suggest(self, trial_id: str) -> Any:
        if self._capacity and len(self._manager.running) >= self._capacity.at_once:
            return None
        assignment = self._manager.next_trial()
        if assignment is None:
            # None has Ray ask again later: a running trial may yet fail and be retried.
            may_retry = self._manager.running and not self._manager.stop.reason
            return None if may_retry else Searcher.FINISHED
        self._numbers[trial_id] = assignment.number
        return {TRIAL: assignment}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        number = self._numbers.pop(trial_id)
        ray_error = self.ray_errors.pop(trial_id, "")
        if number in self._manager.running:  # it has not reported its end
            self._manager.on_failure(number, self._diagnose(number, ray_error))

    def _diagnose(self, number: int, ray_error: str) -> Failure:
        """Why the process of a trial that did not report a failure itself may have died."""
        kills_before, self._oom_kills = self._oom_kills, count_oom_kills()
        spec, trial = self._manager.ledger.spec, self._manager.running[number]
        node = self._manager.node_of(number) if spec.address else ""
        return diagnose_death(
            self._manager.folder.log(trial_file_name(number)),
            ray_error,
            self._oom_kills > kills_before,
            spec.of_scene(trial.scene).space.describe_size(trial.values),
            lambda: not node or is_node_alive(node),
        )

    def save(self, checkpoint_path: str) -> None:
        """Saves nothing: all state is in the ledger."""

    def restore(self, checkpoint_path: str) -> None:
        """Restores nothing: every launch reads the ledger."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class LedgerScheduler(FIFOScheduler):
    """Passes on what trials report, and stops those that the manager prunes."""

    def __init__(self, manager: TrialManager, searcher: LedgerSearcher) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._manager = manager
        self._searcher = searcher

    def on_trial_result(
        self, tune_controller: TuneController, trial: Trial, result: dict[str, Any]
    ) -> str:
        continues = self._manager.on_report(result[MESSAGE])
        return TrialScheduler.CONTINUE if continues else TrialScheduler.STOP

    def on_trial_error(self, tune_controller: TuneController, trial: Trial) -> None:
        """Remembers Ray's error text; Ray calls the searcher next, but without it."""
        file = trial.error_file  # of this machine; the one in Tune's storage comes later
        text = Path(file).read_text() if file and Path(file).exists() else ""
        self._searcher.ray_errors[trial.trial_id] = text

    def __getstate__(self) -> dict[str, Any]:
        return {}
