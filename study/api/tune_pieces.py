"""Our searcher and scheduler for a `tune.Tuner` of the user, whose trials become a study folder.

    searcher = StudySearcher("studies/mine", Config, metric="loss", direction="min", steps=100)
    tune.Tuner(
        trainable,                      # calls tune.report({"loss": ...}) after each of its steps
        tune_config=tune.TuneConfig(
            search_alg=searcher, scheduler=StudyScheduler(searcher), num_samples=-1
        ),
    ).fit()

The searcher proposes the explore, optimise and replicate trials of a study and records how each
ends; the scheduler prunes optimised ones. Whatever ends the Tuner, a new one with a new searcher on
the same folder runs what is left; Ray's own `Tuner.restore` is not for this.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from typing_extensions import Unpack

from nerf.common.errors import InputError
from nerf.config.flat import nest
from study.api.arguments import format_settings, format_vary
from study.api.study_options import Range
from study.api.tune_reports import TuneReports
from study.api.tune_study import DesignOptions, open_tune_study
from study.driver.trial_manager import TrialManager
from study.protocol.messages import Failure
from study.search.successive_halving import rungs


class StudySearcher(Searcher):
    """Proposes a study's trials to a Tuner, and records them in its folder as they report."""

    def __init__(
        self,
        path: str | Path,
        config: type,
        *,
        metric: str,
        direction: Literal["max", "min"],
        steps: int,
        unit: str = "",
        vary: Mapping[str, Range] | None = None,
        set: Mapping[str, Any] | None = None,
        step: str = "training_iteration",
        **design: Unpack[DesignOptions],
    ) -> None:
        """Opens or creates the study folder; raises `InputError` for what a study cannot be.

        Args:
            path: the study folder; its name is the study's.
            config: a frozen dataclass whose fields carry `Annotated[float, Domain(...)]`; the
                trainable receives a dict of its values, and `seed`.
            metric, direction, unit: what trials report and are ranked by.
            steps: the full budget: a trial is complete once it reports this `step`.
            vary, set: as of `Study.create`; by default every field with a range varies.
            step: the key of a report that counts steps.
            design: `explore`, `optimise`, `replicates`, `seed`, as of `run_sweep.py`; larger
                numbers for a folder that exists extend the study.
        """
        super().__init__(metric=metric, mode=direction)
        varied, settings = format_vary(vary or {}), format_settings(set or {})
        objective = (metric, unit, direction == "min")
        study = open_tune_study(Path(path), config, objective, steps, varied, settings, design)
        self._study = study
        self._manager = TrialManager(study.folder, study.ledger, rungs(steps))
        self._reports = TuneReports(self._manager, step)
        self._numbers: dict[str, int] = {}  # trials of the study by Ray's names for them
        self.ray_errors: dict[str, str] = {}
        """Ray's error text of trials that raised, by Ray's names for them."""
        self._is_closed = False

    def set_search_properties(
        self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any
    ) -> bool:
        """Accepts a `TuneConfig` that names the same metric, or none, and no space of its own."""
        if metric not in (None, self.metric) or mode not in (None, self.mode):
            raise InputError(
                f"TuneConfig has metric={metric!r} and mode={mode!r}, the study {self.metric!r} "
                f"and {self.mode!r}; leave them out"
            )
        if config:
            raise InputError(
                f"param_space has {', '.join(config)}, but the study's configuration comes from "
                "its dataclass; declare it there, or bind it by tune.with_parameters"
            )
        return True

    def suggest(self, trial_id: str) -> Any:
        assignment = None if self._is_closed else self._manager.next_trial()
        if assignment is None:
            if not self._is_closed and self._manager.running and not self._manager.stop.reason:
                return None  # Ray asks again: a replicate may wait for running trials
            self.close()
            return Searcher.FINISHED
        self._numbers[trial_id] = assignment.number
        self._reports.begin(assignment.number)
        values = self._study.ledger.spec.space.complete(assignment.values, assignment.seed)
        return nest(values)

    def record(self, trial_id: str, result: Mapping[str, Any]) -> bool:
        """Records a report, unless it is known; returns whether the trial is to continue."""
        number = None if self._is_closed else self._numbers.get(trial_id)
        return number is not None and self._reports.add(number, result)

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        self.record(trial_id, result)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        if result:
            self.record(trial_id, result)
        number = self._numbers.pop(trial_id, None)
        if self._is_closed or number is None or number not in self._manager.running:
            return
        if error:
            text = self.ray_errors.pop(trial_id, "")
            last = next(iter(reversed(text.strip().splitlines())), "its trainable raised an error")
            self._manager.on_failure(number, Failure(" ".join(last.split()), text))
        else:
            self._reports.end_early(number)
        if self._manager.is_finished():
            self.close()

    def close(self) -> None:
        """Writes the tables, so that the study can be analysed, and lets others run the study.

        Happens by itself once all trials have finished. Call it after a Tuner that ended earlier
        if the same process is to resume the study.
        """
        if self._is_closed:
            return
        self._is_closed = True
        if error := self._manager.stop.error:
            print(f"study {self._study.folder.name} stopped: {error}", file=sys.stderr)
        self._study.ledger.plot_outcomes()
        self._study.folder.write_tables()
        self._study.ledger.close()

    def save(self, checkpoint_path: str) -> None:
        """Saves nothing: all state is in the study folder."""

    def restore(self, checkpoint_path: str) -> None:
        """Refuses: the study folder holds the state."""
        raise InputError(
            "a study is not resumed by Tuner.restore; make a new Tuner with a new StudySearcher on "
            "the same folder"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {}


class StudyScheduler(FIFOScheduler):
    """Ends optimised trials of a `StudySearcher` that others outdo, by successive halving."""

    def __init__(self, searcher: StudySearcher) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._searcher = searcher

    def on_trial_result(
        self, tune_controller: TuneController, trial: Trial, result: dict[str, Any]
    ) -> str:
        continues = self._searcher.record(trial.trial_id, result)
        return TrialScheduler.CONTINUE if continues else TrialScheduler.STOP

    def on_trial_error(self, tune_controller: TuneController, trial: Trial) -> None:
        """Remembers Ray's error text; Ray calls the searcher next, but without it."""
        file = trial.error_file
        text = Path(file).read_text() if file and Path(file).exists() else ""
        self._searcher.ray_errors[trial.trial_id] = text

    def __getstate__(self) -> dict[str, Any]:
        return {}
