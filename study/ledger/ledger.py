"""The Optuna study as the only truth of a sweep: which trials exist and how they ended.

The driver is its only writer, which a lock on the study folder ensures. Nothing about trials is
kept elsewhere: a launch reads from here what is finished, what was left running and what is still
to be asked for, so that a sweep goes on from wherever its last driver died.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

from nerf.config.flat import flatten
from nerf.config.parameters import Value
from study.ledger.journal import repair
from study.ledger.lock import lock
from study.protocol.messages import Assignment, Outcome
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.search.replicates import awaits_others, repeated
from study.search.samplers import distribution
from study.search.sobol_design import explore_point, trial_seed
from study.spec.space import Dimension
from study.spec.study_spec import StudySpec

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Ledger:
    """Asks for trials, hears what they report and keeps how they ended."""

    def __init__(self, folder: StudyFolder, spec: StudySpec) -> None:
        """Opens or creates the folder's study; raises `InputError` if another process runs it."""
        self.spec = spec
        self._lock = lock(folder)
        self.notice = repair(folder.journal)
        """What was found damaged in the journal; empty where nothing was."""
        # Only this process writes, so a lock of Optuna's own was left behind by a dead one.
        folder.journal.with_name(folder.journal.name + ".lock").unlink(missing_ok=True)
        self._storage = JournalStorage(JournalFileBackend(str(folder.journal)))
        self._study = optuna.create_study(
            storage=self._storage,
            study_name=folder.name,
            direction="maximize",
            load_if_exists=True,
        )
        self._distributions = {d.path: distribution(d) for d in spec.space.dimensions}
        self._asked = Counter(t.user_attrs["phase"] for t in self.trials())

    def close(self) -> None:
        """Lets another process run the study."""
        self._lock.release()

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """The trials in these states, by number; all of them if none is named."""
        return self._study.get_trials(deepcopy=False, states=states or None)

    def leftovers(self) -> list[Assignment]:
        """The trials that a dead driver left running."""
        return [self.assignment(trial) for trial in self.trials(TrialState.RUNNING)]

    def ask(self) -> Assignment | None:
        """The next trial; None when all have been asked for, or the next depends on running ones.

        Explored points come first. The optimise phase does not wait until the last of them has
        ended: TPE learns from those that have, and no slot stands idle.
        """
        index = self._asked["replicate"]
        others = self._asked["explore"] + self._asked["optimize"]
        if others >= self.spec.explore + self.spec.optimize and (
            index >= self.spec.replicates or awaits_others(self.spec, self.trials(), index)
        ):
            return None
        return self._next()

    def _next(self) -> Assignment:
        """A trial more, of the first phase that lacks one, else a replicate."""
        number = sum(self._asked.values())
        if self._asked["explore"] < self.spec.explore:
            phase, baseline = "explore", False
            params = explore_point(self.spec.space, self.spec.seed, self._asked["explore"])
        elif self._asked["optimize"] < self.spec.optimize:
            phase, baseline = "optimize", self._asked["optimize"] == 0
            params = self.spec.space.defaults() if baseline else {}
        else:
            phase, baseline = "replicate", False
            params = repeated(self.spec, self.trials(), self._asked["replicate"])
        self._add(phase, baseline, params, {})
        return self.assignment(self.trials()[number])

    def _add(
        self, phase: str, baseline: bool, params: dict[str, Value], points: dict[int, float]
    ) -> None:
        """A running trial, in one line of the journal: it exists whole or not at all."""
        attributes = {
            "phase": phase,
            "baseline": baseline,
            "seed": trial_seed(self.spec.seed, sum(self._asked.values())),
            "budget_steps": self.spec.steps,
        }
        template = create_trial(
            state=TrialState.RUNNING,
            params=params,
            distributions={path: self._distributions[path] for path in params},
            user_attrs=attributes,
            intermediate_values=points,
        )
        self._study.add_trial(template)
        self._asked[phase] += 1

    def restore(self, records: Sequence[dict[str, Any]]) -> list[int]:
        """Puts back the trials that a damaged journal forgot; returns their numbers.

        What has a record comes back as it ended, what has none is left to be run.
        """
        rows = {record["trial"]["number"]: record for record in records}
        forgotten = list(range(len(self.trials()), max(rows, default=-1) + 1))
        for number in forgotten:
            if number not in rows:
                self._next()
                continue
            row = rows[number]["trial"]
            baseline = row["phase"] == "optimize" and self._asked["optimize"] == 0
            points = {p["step"]: p["psnr"] for p in rows[number]["curve"]}
            self._add(
                row["phase"],
                baseline,
                {path: row[path] for path in self._distributions},
                {step: psnr for step, psnr in points.items() if math.isfinite(psnr)},
            )
            self.tell(number, Outcome.of(row))
        return forgotten

    def failed_once(self, number: int, reason: str) -> int:
        """Notes that a running trial broke off; returns how often it has by now."""
        trial = self.trials()[number]
        failures = [*trial.user_attrs.get("failures", []), reason]
        self._storage.set_trial_user_attr(trial._trial_id, "failures", failures)
        return len(failures)

    def attach(self, number: int, render: Path) -> None:
        """Lets optuna-dashboard show a running trial's picture.

        It looks for artifacts in one folder, under ids that look like hexadecimal numbers.
        """
        artifact = render.parents[1] / "artifacts" / render.stem
        artifact.parent.mkdir(exist_ok=True)
        artifact.unlink(missing_ok=True)
        artifact.symlink_to(Path("..", render.parent.name, render.name))
        meta = {"artifact_id": artifact.name, "filename": render.name, "mimetype": "image/png"}
        text = json.dumps({**meta, "encoding": None})
        trial = self.trials()[number]
        self._storage.set_trial_system_attr(trial._trial_id, f"artifacts:{artifact.name}", text)

    def report(self, number: int, curve: list[tuple[int, float]]) -> None:
        """Keeps the finite (step, PSNR) of a running trial's curve that the journal lacks."""
        trial = self.trials()[number]
        for step, psnr in curve:
            if step not in trial.intermediate_values and math.isfinite(psnr):
                self._storage.set_trial_intermediate_value(trial._trial_id, step, psnr)

    def reported_at(self, step: int) -> list[float]:
        """What every trial, explored ones included, reported at this step."""
        values = (trial.intermediate_values.get(step) for trial in self.trials())
        return [value for value in values if value is not None]

    def tell(self, number: int, outcome: Outcome) -> None:
        """Ends a running trial; one that has ended stays as it is.

        Only a full budget with a finite PSNR (dB) is complete for Optuna: what ended before, by
        successive halving or by its own collapse, is pruned, and TPE learns from the last PSNR
        that it reported; all else failed.
        """
        trial = self.trials()[number]
        if trial.state.is_finished():
            return
        for key in ("state", "reason", "steps_done"):
            self._storage.set_trial_user_attr(trial._trial_id, key, getattr(outcome, key))
        budget: int = trial.user_attrs["budget_steps"]
        full = outcome.steps_done >= budget and math.isfinite(outcome.psnr)
        if outcome.state in ("completed", "collapsed") and full:
            self._study.tell(number, outcome.psnr)
        elif outcome.state == "pruned" or (
            outcome.state == "collapsed" and trial.intermediate_values
        ):
            self._study.tell(number, state=TrialState.PRUNED)
        else:
            self._study.tell(number, state=TrialState.FAIL)

    def assignment(self, trial: FrozenTrial) -> Assignment:
        """What a trial was given to do."""
        missing = [d for d in self.spec.space.dimensions if d.path not in trial.params]
        return Assignment(
            number=trial.number,
            phase=trial.user_attrs["phase"],
            baseline=trial.user_attrs["baseline"],
            seed=trial.user_attrs["seed"],
            values=self._proposed(trial, missing) if missing else dict(trial.params),
            # Optuna keeps local time without saying so.
            started=(trial.datetime_start or datetime.now()).astimezone(UTC),
            attempt=len(trial.user_attrs.get("failures", [])) + 1,
        )

    def _proposed(self, trial: FrozenTrial, missing: list[Dimension]) -> dict[str, Value]:
        """TPE's values for a trial, drawn from a stream of its own: a restart repeats nothing."""
        self._study.sampler = TPESampler(
            n_startup_trials=1,
            multivariate=True,
            constant_liar=True,
            seed=trial_seed(self.spec.seed + 1, trial.number),
        )
        live = optuna.trial.Trial(self._study, trial._trial_id)
        values = dict(trial.params)
        for d in missing:
            if d.choices:
                values[d.path] = live.suggest_categorical(d.path, d.choices)
            elif d.kind == "int":
                values[d.path] = live.suggest_int(d.path, int(d.low), int(d.high), log=d.log)
            else:
                values[d.path] = live.suggest_float(d.path, d.low, d.high, log=d.log)
        return {d.path: values[d.path] for d in self.spec.space.dimensions}


def row(
    spec: StudySpec, assignment: Assignment, outcome: Outcome, ended: datetime
) -> dict[str, Any]:
    """A trial's row of the table, as its record holds it."""
    config = spec.space.config(assignment.values, assignment.seed)
    return {
        "trial_id": trial_id(assignment.number),
        "number": assignment.number,
        "phase": assignment.phase,
        "budget_steps": spec.steps,
        "started": assignment.started.isoformat(),
        "ended": ended.isoformat(),
        **asdict(outcome),
        **flatten(config),
    }
