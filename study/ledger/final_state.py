"""How an ended trial stands in the journal: Optuna's state, its values, whether it broke."""

from __future__ import annotations

import math

from optuna.trial import FrozenTrial, TrialState

from study.protocol.messages import Outcome
from study.records.outcomes import BROKEN, outcome_of
from study.search.trial_values import OUTSIDE_SPACE
from study.spec.study_spec import StudySpec
from study.trainers.objective import PSNR


def final_values(spec: StudySpec, outcome: Outcome) -> list[float]:
    """The study's metrics of a trial, as the journal has them; none if one is not finite."""
    values = outcome.values(spec.objectives)
    if not all(map(math.isfinite, values)):
        return []
    return [o.rounded(value) for o, value in zip(spec.objectives, values, strict=True)]


def used_budget(trial: FrozenTrial, outcome: Outcome) -> bool:
    """Whether a trial trained for its full budget."""
    return outcome.steps_done >= int(trial.user_attrs["budget_steps"])


def optuna_state(spec: StudySpec, trial: FrozenTrial, outcome: Outcome) -> TrialState:
    """The state in which a running trial ends for Optuna.

    Only a full budget with finite metrics is complete. A trial that ended earlier, by successive
    halving or by collapsing, is pruned, and TPE learns from the last value that it reported; every
    other one failed, and so did one outside the search space. Optuna prunes no trial of several
    metrics: one that collapsed is complete there, with its last values, and infeasible.
    """
    if OUTSIDE_SPACE in trial.user_attrs:
        return TrialState.FAIL
    several, ended = len(spec.objectives) > 1, outcome.state in ("completed", "collapsed")
    if ended and final_values(spec, outcome) and (several or used_budget(trial, outcome)):
        return TrialState.COMPLETE
    collapsed = outcome.state == "collapsed" and bool(trial.intermediate_values)
    if outcome.state == "pruned" or (collapsed and not several):
        return TrialState.PRUNED
    return TrialState.FAIL


def is_broken(spec: StudySpec, outcome: Outcome, trivial_psnr: float) -> bool:
    """Whether a trial collapsed, or shows nothing by its PSNR."""
    quality = outcome.value
    if not spec.trainer or PSNR in spec.objectives:
        quality = {**outcome.metrics, spec.objective.metric: outcome.value}.get(
            PSNR.metric, math.nan
        )
    return outcome_of(outcome.state, quality, trivial_psnr) in BROKEN


def hidden_psnr(spec: StudySpec, outcome: Outcome) -> float | None:
    """The PSNR of a NeRF that is ranked by something else; None if it has none."""
    if spec.trainer or spec.objective == PSNR:
        return None
    psnr = outcome.metrics.get(PSNR.metric, math.nan)
    return PSNR.rounded(psnr) if math.isfinite(psnr) else None
