"""Reconciles journal and records after a crash or damage, before any trial runs.

Each has what the other may have lost: a record how a trial ended, with its test figures; the
journal which trials exist, their values and what they reported.
"""

from __future__ import annotations

from datetime import UTC, datetime

from optuna.trial import FrozenTrial, TrialState

from study.ledger.ledger import Ledger
from study.ledger.trial_row import trial_row
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder
from study.search.trial_values import NERF_PSNR, final_values, latest_value
from study.trainers.objective import PSNR


def reconcile(folder: StudyFolder, ledger: Ledger) -> list[str]:
    """Restores what either side lost; returns a notice for each damage."""
    folder.remove_unfinished()
    notices = [ledger.notice] if ledger.notice else []
    notices += [f"{file} cannot be read; set aside" for file in folder.set_aside_damaged_records()]
    records = folder.records()
    lost = ledger.restore(records)
    if lost:
        numbers = ", ".join(map(str, lost))
        notices.append(f"restored to the journal from the records: trials {numbers}")
    rows = {record["trial"]["number"]: record["trial"] for record in records}
    for row in rows.values():
        folder.remove_checkpoint(row["trial_id"])
    for trial in ledger.trials():
        if trial.state == TrialState.RUNNING and trial.number in rows:
            # The driver died between the two: it writes the record first.
            ledger.tell(trial.number, Outcome.of(rows[trial.number], ledger.spec.objectives))
        elif trial.state.is_finished() and trial.number not in rows:
            _record_from_journal(folder, ledger, trial)
            notices.append(
                f"the record of trial {trial.number} was missing; restored from the journal, "
                "without its test figures"
            )
    return notices


def _record_from_journal(folder: StudyFolder, ledger: Ledger, trial: FrozenTrial) -> None:
    """Writes what the journal has of an ended trial: its outcome and the metric of its curve."""
    points = sorted(trial.intermediate_values.items())
    latest, nan = latest_value(trial), float("nan")
    spec = ledger.spec
    first, *others = spec.objectives
    values = {o.column: v for o, v in zip(others, final_values(trial)[1:], strict=False)}
    row = {
        **{name: trial.user_attrs[name] for name in ("state", "reason", "steps_done")},
        **{o.column: nan for o in others},
        **values,
        first.column: nan if latest is None else latest,
    }
    if NERF_PSNR in trial.user_attrs:
        row[PSNR.column] = trial.user_attrs[NERF_PSNR]
    outcome = Outcome.of(row, spec.objectives)
    ended = (trial.datetime_complete or datetime.now()).astimezone(UTC)
    of_nerf = ("loss", "psnr", "ssim", "learning_rate")
    measured = ("seconds", "memory") if spec.trainer else ("seconds", "memory", *of_nerf)
    curve = [
        {"step": step, **dict.fromkeys(measured, nan), first.metric: value}
        for step, value in points
    ]
    folder.append(trial_row(spec, ledger.assignment(trial), outcome, ended), curve)
