"""What happens to a trial besides its training: handed out, heard, stopped, recorded, told.

Everything the driver does with the ledger and the study folder goes through a `Bookkeeper`; Ray's
searcher and scheduler only pass on what Ray says. A trial that ends is first recorded in the
folder and then told to the ledger: a driver that dies in between finds the record again, and no
trial is run twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from nerf.parameters import flatten
from study.folder import StudyFolder, trial_id
from study.halving import goes_on
from study.ledger import Ledger
from study.messages import Assignment, Message, Outcome

# The tables are made anew from all records; that may take this share of a sweep's time.
_TABLES_SHARE = 0.02


class Bookkeeper:
    """Hands out a study's trials and writes down how each one goes."""

    def __init__(self, folder: StudyFolder, ledger: Ledger, rungs: tuple[int, ...]) -> None:
        self.folder = folder
        self.ledger = ledger
        self.running: dict[int, Assignment] = {}
        self.heard: dict[int, Message] = {}
        """The latest message of each running trial."""
        self._rungs = rungs
        self._waiting = self._assignments()
        self._tables_due = 0.0

    def next(self) -> Assignment | None:
        """The trial to run next, a dead driver's leftovers first; None when there is none."""
        assignment = next(self._waiting, None)
        if assignment:
            self.running[assignment.number] = assignment
        return assignment

    def hear(self, message: Message) -> bool:
        """Writes down what a running trial says. Shall it go on?"""
        assignment = self.running[message.number]
        self.heard[message.number] = message
        self.ledger.report(message.number, [(p["step"], p["psnr"]) for p in message.curve])
        if message.outcome:
            self.end(message.number, message.outcome)
        elif self._stopped(assignment, message):
            step = message.curve[-1]["step"]
            reason = f"stopped by successive halving at step {step}"
            self.end(message.number, message.ended("pruned", reason))
            return False
        return True

    def end(self, number: int, outcome: Outcome) -> None:
        """Records a running trial and tells the ledger."""
        assignment = self.running[number]
        message = self.heard.get(number)
        curve = list(message.curve) if message else []
        self.folder.append(self._row(assignment, outcome), curve)
        self._tell(number, outcome)
        self.folder.checkpoint(trial_id(number)).unlink(missing_ok=True)
        del self.running[number]
        self.heard.pop(number, None)
        self.write_tables_when_due()

    def lose(self, number: int) -> None:
        """Ends a trial whose process died before it could say how it went, if it has not ended."""
        if number in self.running:
            message = self.heard.get(number) or Message(number, host="", device="")
            self.end(number, message.ended("failed", "its process died"))

    def finished(self) -> bool:
        """Has every planned trial ended?"""
        trials = self.ledger.trials()
        return len(trials) == self.ledger.spec.trials and all(t.state.is_finished() for t in trials)

    def write_tables_when_due(self) -> None:
        """Makes the tables anew, seldom enough that a long study does not wait for it."""
        began = time.monotonic()
        if began < self._tables_due:
            return
        self.folder.write_tables()
        took = time.monotonic() - began
        self._tables_due = began + took / _TABLES_SHARE

    def _assignments(self) -> Iterator[Assignment]:
        recorded = {record["trial"]["number"]: record["trial"] for record in self.folder.records()}
        for assignment in self.ledger.leftovers():
            if assignment.number in recorded:
                row = recorded[assignment.number]
                told = {field.name: row[field.name] for field in fields(Outcome)}
                self._tell(assignment.number, Outcome(**told))
            else:
                yield assignment
        while (fresh := self.ledger.ask()) is not None:
            yield fresh

    def _stopped(self, assignment: Assignment, message: Message) -> bool:
        if assignment.phase != "optimize" or assignment.baseline or not message.curve:
            return False
        last = message.curve[-1]
        if last["step"] not in self._rungs or not math.isfinite(last["psnr"]):
            return False
        return not goes_on(last["psnr"], self.ledger.reported_at(last["step"]))

    def _tell(self, number: int, outcome: Outcome) -> None:
        self.ledger.tell(number, outcome.state, outcome.reason, outcome.steps_done, outcome.psnr)

    def _row(self, assignment: Assignment, outcome: Outcome) -> dict[str, Any]:
        config = self.ledger.spec.space.config(assignment.values, assignment.seed)
        return {
            "trial_id": trial_id(assignment.number),
            "number": assignment.number,
            "phase": assignment.phase,
            "budget_steps": self.ledger.spec.steps,
            "started": assignment.started.isoformat(),
            "ended": datetime.now(UTC).isoformat(),
            **asdict(outcome),
            **flatten(config),
        }
