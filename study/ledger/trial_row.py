"""A trial's row of trials.parquet, as its record has it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from study.protocol.messages import Assignment, Outcome
from study.records.schema import trial_id
from study.search.trial_values import SCENE
from study.spec.study_spec import StudySpec


def trial_row(
    spec: StudySpec, assignment: Assignment, outcome: Outcome, ended: datetime
) -> dict[str, Any]:
    """The row of a trial that has ended."""
    return {
        "trial_id": trial_id(assignment.number),
        "number": assignment.number,
        "phase": assignment.phase,
        "budget_steps": spec.steps,
        "started": assignment.started.isoformat(),
        "ended": ended.isoformat(),
        **outcome.to_row(spec.objective.metric, spec.metrics),
        **({SCENE: assignment.scene} if assignment.scene else {}),
        **spec.of_scene(assignment.scene).space.complete(assignment.values, assignment.seed),
    }
