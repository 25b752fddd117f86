"""Ray Tune's searcher and scheduler, thin: each passes on what Ray says to the bookkeeper.

Ray pickles both into its experiment folder, which is never restored from, so they pickle empty.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from study.driver.cluster import node_lives
from study.driver.trial_manager import Bookkeeper
from study.protocol.failures import kernel_kills, of_death
from study.protocol.messages import MESSAGE, TRIAL, Fault
from study.records.schema import trial_id as trial_file_name


class LedgerSearcher(Searcher):
    """Hands the bookkeeper's trials to Ray."""

    def __init__(self, books: Bookkeeper) -> None:
        super().__init__()
        self._books = books
        self._numbers: dict[str, int] = {}
        self._kernel_kills = kernel_kills()
        self.said: dict[str, str] = {}
        """What Ray said of trials whose process died, by its own names for them."""

    def suggest(self, trial_id: str) -> Any:
        assignment = None
        with self._books.room_needed():
            assignment = self._books.next()
        if assignment is None:  # what still runs may break off and come back
            may_come = self._books.running and not self._books.stopping
            return None if may_come else Searcher.FINISHED
        self._numbers[trial_id] = assignment.number
        return {TRIAL: assignment}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        number = self._numbers.pop(trial_id)
        fault = self._fault(number, self.said.pop(trial_id, ""))
        with self._books.room_needed():
            self._books.let_go(number, fault)

    def _fault(self, number: int, said: str) -> Fault:
        """Why the process of a trial that did not say so itself may have died."""
        assignment = self._books.running.get(number)
        if assignment is None:
            return Fault("")
        kills, self._kernel_kills = self._kernel_kills, kernel_kills()
        spec, heard = self._books.ledger.spec, self._books.heard.get(number)
        elsewhere = heard.node if heard and spec.address else ""
        return of_death(
            self._books.folder.log(trial_file_name(number)),
            said,
            self._kernel_kills > kills,
            spec.space.config(assignment.values),
            lambda: not elsewhere or node_lives(elsewhere),
        )

    def save(self, checkpoint_path: str) -> None:
        """Keeps nothing: the ledger is the truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Restores nothing: every launch begins from the ledger."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class LedgerScheduler(FIFOScheduler):
    """Passes on what trials report, and stops those that the bookkeeper stops."""

    def __init__(self, books: Bookkeeper, searcher: LedgerSearcher) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._books = books
        self._searcher = searcher

    def on_trial_result(
        self, tune_controller: TuneController, trial: Trial, result: dict[str, Any]
    ) -> str:
        goes_on = True
        with self._books.room_needed():
            goes_on = self._books.hear(result[MESSAGE])
        return TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP

    def on_trial_error(self, tune_controller: TuneController, trial: Trial) -> None:
        """Ray tells the searcher next, but not why."""
        file = trial.error_file  # of this machine; the one in Tune's storage comes later
        said = Path(file).read_text() if file and Path(file).exists() else ""
        self._searcher.said[trial.trial_id] = said

    def __getstate__(self) -> dict[str, Any]:
        return {}
