"""Ray Tune's searcher and scheduler, thin: each passes on what Ray says to the bookkeeper.

Ray pickles both into its experiment folder, which is never restored from, so they pickle empty.
"""

from __future__ import annotations

from typing import Any

from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from study.bookkeeping import Bookkeeper

TRIAL = "trial"
"""The key of a Ray config under which the trial's `Assignment` travels."""

MESSAGE = "message"
"""The key of a Ray result under which a trial's `Message` travels."""


class LedgerSearcher(Searcher):
    """Hands the bookkeeper's trials to Ray."""

    def __init__(self, books: Bookkeeper) -> None:
        super().__init__()
        self._books = books
        self._numbers: dict[str, int] = {}

    def suggest(self, trial_id: str) -> Any:
        assignment = self._books.next()
        if assignment is None:
            return Searcher.FINISHED
        self._numbers[trial_id] = assignment.number
        return {TRIAL: assignment}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        self._books.lose(self._numbers.pop(trial_id))

    def save(self, checkpoint_path: str) -> None:
        """Keeps nothing: the ledger is the truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Restores nothing: every launch begins from the ledger."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class LedgerScheduler(FIFOScheduler):
    """Passes on what trials report, and stops those that the bookkeeper stops."""

    def __init__(self, books: Bookkeeper) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._books = books

    def on_trial_result(
        self, tune_controller: TuneController, trial: Trial, result: dict[str, Any]
    ) -> str:
        goes_on = self._books.hear(result[MESSAGE])
        return TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP

    def __getstate__(self) -> dict[str, Any]:
        return {}
