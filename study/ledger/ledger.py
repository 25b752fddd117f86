"""The Optuna study of a sweep: which trials exist, which are running, and how the others ended.

All state of a sweep is here, and a lock on the study folder makes the driver its only writer. A
launch reads from it which trials have ended, which were interrupted and which do not exist yet, so
that a sweep resumes wherever its last driver died. `ask`, `report` and `tell` are Optuna's words.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeGuard

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from nerf.config.parameters import Value
from study.ledger.dashboard import attach_note, attach_render, name_metrics, plot_outcomes
from study.ledger.final_state import (
    final_values,
    hidden_psnr,
    is_broken,
    optuna_state,
    used_budget,
)
from study.ledger.journal import repair
from study.ledger.lock import acquire_lock
from study.ledger.next_trial import Plan, next_turn, plan_trial
from study.protocol.messages import Assignment, Outcome
from study.records.outcomes import UNKNOWN_TRIVIAL_PSNR
from study.records.study_folder import StudyFolder
from study.search.pruners import is_pruned_by_optuna
from study.search.replicates import must_wait
from study.search.samplers import SceneStudy, distribution, propose
from study.search.sobol_design import trial_seed
from study.search.trial_values import (
    NERF_PSNR,
    OUTSIDE_SPACE,
    OUTSIDE_VALUE,
    SCENE,
    TRAINS,
    scene_of,
    trial_values,
)
from study.spec.study_spec import StudySpec

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Ledger:
    """Creates trials, and stores what they report and how they end."""

    def __init__(self, folder: StudyFolder, spec: StudySpec) -> None:
        """Opens or creates the folder's study; raises `InputError` if another process runs it."""
        self.spec = spec
        self._lock = acquire_lock(folder)
        self.notice = repair(folder.journal)
        """What was damaged in the journal; empty where nothing was."""
        # We hold the study's lock, so one of Optuna's own must be left from a process that died;
        # Optuna would wait for it.
        folder.journal.with_name(folder.journal.name + ".lock").unlink(missing_ok=True)
        self._storage = JournalStorage(JournalFileBackend(str(folder.journal)))
        # A renamed or copied folder has the study's old name in its journal.
        names = optuna.get_all_study_names(self._storage)
        self._study = optuna.create_study(
            storage=self._storage,
            study_name=folder.name if folder.name in names or not names else names[0],
            directions=["minimize" if o.minimize else "maximize" for o in spec.objectives],
            load_if_exists=True,
        )
        name_metrics(self._study, spec.objectives)
        self._trivial_psnrs = folder.trivial_psnrs() if folder.spec_file.exists() else {}
        self._distributions = {
            label: {d.path: distribution(d) for d in spec.of_scene(label).space.dimensions}
            for label in spec.labels
        }
        self._created = Counter(t.user_attrs["phase"] for t in self.trials())
        self._reported: dict[tuple[int, str], list[float]] = {}
        """Results of `reported_from` by step and scene, kept up to date."""

    def close(self) -> None:
        """Lets another process run the study."""
        self._lock.release()

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """The trials in these states, by number; all of them if none is named."""
        return self._study.get_trials(deepcopy=False, states=states or None)

    def trial(self, number: int) -> FrozenTrial:
        """The trial with this number; raises `KeyError` if there is none."""
        study_id = self._study._study_id
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(study_id, number)
        return self._storage.get_trial(trial_id)

    def scene_trials(self, scene: str) -> list[FrozenTrial]:
        """The trials on a scene, by number; all of them where the study has one scene."""
        return [trial for trial in self.trials() if scene_of(trial) == scene]

    def running(self) -> list[Assignment]:
        """The trials that have not ended; in a new driver, those that the last one left."""
        return [self.assignment(trial) for trial in self.trials(TrialState.RUNNING)]

    def created(self, phase: str) -> int:
        """How many trials of a phase exist."""
        return self._created[phase]

    def ask(self) -> Assignment | None:
        """Creates the next trial; None when all exist, or the next depends on running ones.

        Variants or points chosen by hand come first, then explored ones. The optimise phase does
        not wait until the last of them has ended: TPE learns from those that have, and no slot is
        idle.
        """
        if self.spec.is_exploring and self._created["explore"] >= self.spec.explore:
            return None  # a look at those decides whether more are explored
        turn = next_turn(self.spec, self._created)
        if turn.phase == "replicate":
            all_exist = self._created["replicate"] >= self.spec.planned["replicate"]
            spec, trials = self.spec.of_scene(turn.scene), self.scene_trials(turn.scene)
            if all_exist or must_wait(spec, trials, turn.index):
                return None
        return self._create()

    def _create(self) -> Assignment:
        """Creates the next trial of the plan, or a further replicate."""
        number, turn = sum(self._created.values()), next_turn(self.spec, self._created)
        trials = self.scene_trials(turn.scene) if turn.phase == "replicate" else ()
        plan = plan_trial(self.spec.of_scene(turn.scene), turn, number, trials)
        self._add(turn.phase, turn.scene, plan, {})
        return self.assignment(self.trial(number))

    def _add(self, phase: str, scene: str, plan: Plan, points: dict[int, float]) -> None:
        """Adds a running trial, in one line of the journal: it exists whole or not at all."""
        attributes: dict[str, Any] = {
            "phase": phase,
            "baseline": plan.is_default,  # called so on disk
            "seed": plan.seed,
            "budget_steps": self.spec.steps,
        }
        if scene:
            attributes[SCENE] = scene
        params = plan.values
        if self.spec.of_scene(scene).space.outside(params):
            attributes[OUTSIDE_SPACE], params = params, {}
        template = create_trial(
            state=TrialState.RUNNING,
            params=params,
            distributions={path: self._distributions[scene][path] for path in params},
            user_attrs=attributes,
            intermediate_values=points,
        )
        self._study.add_trial(template)
        self._created[phase] += 1
        if points:  # of a restored trial
            self._reported.clear()

    def restore(self, records: Sequence[dict[str, Any]]) -> list[int]:
        """Adds the trials that a damaged journal lost; returns their numbers.

        A trial with a record is added as it ended. One without was still running: it is created
        again under its number, to be run.
        """
        by_number = {record["trial"]["number"]: record for record in records}
        lost = list(range(len(self.trials()), max(by_number, default=-1) + 1))
        for number in lost:
            if number not in by_number:
                self._create()
                continue
            row = by_number[number]["trial"]
            scene, created = row.get(SCENE, ""), self._created["optimize"]
            is_default = row["phase"] == "optimize" and created < len(self.spec.labels)
            points = {p["step"]: p.get(self._metric) for p in by_number[number]["curve"]}
            values = {path: row[path] for path in self._distributions[scene]}
            acting = self.spec.of_scene(scene).space.acting(values)
            reported = {s: self._rounded(value) for s, value in points.items() if _is_finite(value)}
            self._add(row["phase"], scene, Plan(row["seed"], acting, is_default), reported)
            self.tell(number, Outcome.of(row, self.spec.objectives))
        return lost

    def add_failure(self, number: int, reason: str) -> int:
        """Stores that a running trial failed; returns how often it has by now."""
        trial = self.trial(number)
        failures = [*trial.user_attrs.get("failures", []), reason]
        self._storage.set_trial_user_attr(trial._trial_id, "failures", failures)
        return len(failures)

    def attach_render(self, number: int, render: Path) -> None:
        """Lets optuna-dashboard show a running trial's render."""
        attach_render(self._study, self.trial(number), render)

    def plot_outcomes(self) -> None:
        """Lets optuna-dashboard show which trials collapsed, as of now."""
        plot_outcomes(self._study, self.trials(), self.spec.objective)

    def report(self, number: int, curve: list[tuple[int, float | None]]) -> None:
        """Stores the finite (step, metric) of a running trial's curve that the journal lacks."""
        trial = self.trial(number)
        for step, value in curve:
            if step not in trial.intermediate_values and _is_finite(value):
                rounded = self._rounded(value)
                for (rung, scene), values in self._reported.items():
                    reached = step >= rung > max(trial.intermediate_values, default=0)
                    if reached and scene == scene_of(trial):
                        values.append(rounded)
                self._storage.set_trial_intermediate_value(trial._trial_id, step, rounded)

    def reported_from(self, step: int, scene: str = "") -> Sequence[float]:
        """The metric of all trials on a scene, explored ones too, at their first report from `step`
        on.
        """
        if (step, scene) not in self._reported:
            curves = [trial.intermediate_values for trial in self.scene_trials(scene)]
            reached = (min((s for s in curve if s >= step), default=None) for curve in curves)
            self._reported[step, scene] = [
                curve[first]
                for curve, first in zip(curves, reached, strict=True)
                if first is not None
            ]
        return self._reported[step, scene]

    def is_pruned_by_optuna(self, number: int) -> bool:
        """Whether the study's pruner, one of Optuna's, stops a running trial after its report."""
        trial = self.trial(number)
        study = self._on(scene_of(trial))
        return is_pruned_by_optuna(study, trial, self.spec.pruner, self.spec.steps)

    def _on(self, scene: str) -> optuna.Study:
        """What samplers and pruners see of the study: the trials on one of its scenes."""
        return SceneStudy(self._study, scene) if scene else self._study

    def has_values(self) -> bool:
        """Whether any trial has reported a finite metric."""
        return any(trial.intermediate_values for trial in self.trials())

    def tell(self, number: int, outcome: Outcome) -> None:
        """Ends a running trial; one that has ended stays as it is."""
        trial = self.trial(number)
        if trial.state.is_finished():
            return
        for key in ("state", "reason", "steps_done"):
            self._storage.set_trial_user_attr(trial._trial_id, key, getattr(outcome, key))
        # A number, which optuna-dashboard can plot and filter by.
        collapsed = int(outcome.state == "collapsed")
        self._storage.set_trial_user_attr(trial._trial_id, "collapsed", collapsed)
        attach_note(self._study, trial, outcome)
        if (psnr := hidden_psnr(self.spec, outcome)) is not None:
            self._storage.set_trial_user_attr(trial._trial_id, NERF_PSNR, psnr)
        if self.spec.marks_broken and TRAINS not in trial.constraints:
            trivial = self._trivial_psnrs.get(scene_of(trial), UNKNOWN_TRIVIAL_PSNR)
            broken = is_broken(self.spec, outcome, trivial)
            Trial(self._study, trial._trial_id).set_constraint(TRAINS, float(broken))
        values, state = final_values(self.spec, outcome), optuna_state(self.spec, trial, outcome)
        if OUTSIDE_SPACE in trial.user_attrs and values and used_budget(trial, outcome):
            stored = values if len(values) > 1 else values[0]
            self._storage.set_trial_user_attr(trial._trial_id, OUTSIDE_VALUE, stored)
        self._study.tell(number, values if state == TrialState.COMPLETE else None, state)

    def assignment(self, trial: FrozenTrial) -> Assignment:
        """A trial's assignment; proposes the values that it lacks."""
        return Assignment(
            number=trial.number,
            phase=trial.user_attrs["phase"],
            is_default_config=trial.user_attrs["baseline"],
            seed=trial.user_attrs["seed"],
            values=self._values(trial),
            scene=scene_of(trial),
            # Optuna stores local time without a time zone.
            started=(trial.datetime_start or datetime.now()).astimezone(UTC),
            attempt=len(trial.user_attrs.get("failures", [])) + 1,
        )

    @property
    def _metric(self) -> str:
        return self.spec.objective.metric

    def _rounded(self, value: float) -> float:
        return self.spec.objective.rounded(value)

    def _values(self, trial: FrozenTrial) -> dict[str, Value]:
        """A trial's values in the order of the space; draws those that it lacks.

        It lacks all of them where it is new, some where a driver died while they were stored.
        """
        scene = scene_of(trial)
        space = self.spec.of_scene(scene).space
        values = trial_values(trial)
        missing = space.missing(values)
        if not missing:
            return values
        seed = trial_seed(self.spec.seed + 1, trial.number)  # unlike the training's own
        values = propose(self._on(scene), trial, missing, self.spec.of_scene(scene), seed)
        return {d.path: values[d.path] for d in space.dimensions if d.path in values}


def _is_finite(value: float | None) -> TypeGuard[float]:
    """Whether a value is there and finite; points of earlier attempts may lack one."""
    return value is not None and math.isfinite(value)
