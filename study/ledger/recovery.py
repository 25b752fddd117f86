"""Ledger and records made one again after a death or damage, before anything new is run.

Each holds what the other may have lost: a record says how a trial ended, the journal which trials
there are, what they were given and what they reported.
"""

from __future__ import annotations

from datetime import UTC, datetime

from optuna.trial import FrozenTrial, TrialState

from study.ledger.ledger import Ledger, row
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder


def mend(folder: StudyFolder, ledger: Ledger) -> list[str]:
    """Puts back what either side lost; returns, in words, what was found damaged."""
    folder.remove_unfinished()
    notices = [ledger.notice] if ledger.notice else []
    notices += [f"{file} cannot be read; set aside" for file in folder.set_damaged_aside()]
    records = folder.records()
    forgotten = ledger.restore(records)
    if forgotten:
        numbers = ", ".join(map(str, forgotten))
        notices.append(f"put back into the journal from the records: trials {numbers}")
    rows = {record["trial"]["number"]: record["trial"] for record in records}
    for trial in ledger.trials():
        if trial.state == TrialState.RUNNING and trial.number in rows:
            # The driver died after the record and before the journal.
            ledger.tell(trial.number, Outcome.of(rows[trial.number]))
        elif trial.state.is_finished() and trial.number not in rows:
            _record_from_journal(folder, ledger, trial)
            notices.append(
                f"trial {trial.number}'s record is gone; made anew from the journal, "
                "without its test figures"
            )
    return notices


def _record_from_journal(folder: StudyFolder, ledger: Ledger, trial: FrozenTrial) -> None:
    """What the journal knows of an ended trial: how it ended and its curve's PSNR."""
    points = sorted(trial.intermediate_values.items())
    outcome = Outcome(
        state=trial.user_attrs["state"],
        reason=trial.user_attrs["reason"],
        steps_done=trial.user_attrs["steps_done"],
        psnr=trial.values[0] if trial.values else points[-1][1] if points else float("nan"),
    )
    ended = (trial.datetime_complete or datetime.now()).astimezone(UTC)
    nan = float("nan")
    curve = [
        {"step": step, "seconds": nan, "loss": nan, "psnr": psnr, "ssim": nan, "learning_rate": nan}
        for step, psnr in points
    ]
    folder.append(row(ledger.spec, ledger.assignment(trial), outcome, ended), curve)
