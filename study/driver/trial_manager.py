"""What happens to a trial besides its training: handed out, heard, stopped, recorded, told.

Everything the driver does with the ledger and the study folder goes through a `Bookkeeper`; Ray's
searcher and scheduler only pass on what Ray says. A trial that ends is first recorded in the
folder and then told to the ledger: a driver that dies in between finds the record again, and no
trial is run twice.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from nerf.common.files import write_atomically
from study.ledger.ledger import Ledger, row
from study.ledger.recovery import mend
from study.protocol.failures import no_room
from study.protocol.messages import Assignment, Fault, Message, Outcome
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.search.successive_halving import goes_on
from study.storage.remote import Storage
from study.worker.trial_files import collect

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
        self.notices: list[str] = mend(folder, ledger)
        """What the person should know and has not been told yet."""
        self.stopping = False
        """Is this launch to end? Then what runs is left to be gone on with by the next one."""
        self.disk_full = False
        self.away: Storage | None = None
        """Where trials leave their files if their machines do not share the study folder."""
        self._rungs = rungs
        self._again: deque[Assignment] = deque(ledger.leftovers())
        self._faults: dict[int, Fault] = {}
        self._tables_due = 0.0

    @contextmanager
    def room_needed(self) -> Iterator[None]:
        """Where the disk turns out to be full within, the launch ends and writes no more."""
        try:
            yield
        except OSError as error:
            if not no_room(error):
                raise
            self.stopping = self.disk_full = True

    def next(self) -> Assignment | None:
        """The trial to run next, a dead driver's leftovers first; None when there is none."""
        if self.stopping:
            return None
        assignment = self._again.popleft() if self._again else self.ledger.ask()
        if assignment:
            self.running[assignment.number] = assignment
        return assignment

    def hear(self, message: Message) -> bool:
        """Writes down what a running trial says. Shall it go on?"""
        if self.disk_full:
            return True
        assignment = self.running[message.number]
        if message.notice:
            self.notices.append(message.notice)
        if message.fault:  # what follows from it is settled once its process has let go of it
            self._faults[message.number] = message.fault
            return True
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
        record = row(self.ledger.spec, assignment, outcome, datetime.now(UTC))
        self.folder.append(record, curve)
        if self.away:
            collect(self.folder, self.away, trial_id(number))
        render = self.folder.render(trial_id(number))
        if render.exists():
            self.ledger.attach(number, render)
        self.ledger.tell(number, outcome)
        self.folder.checkpoint(trial_id(number)).unlink(missing_ok=True)
        del self.running[number]
        self.heard.pop(number, None)
        self.write_tables_when_due()

    def let_go(self, number: int, fault: Fault) -> None:
        """Settles a trial whose process has let go of it, for `fault` unless it named its own.

        A trial that has ended stays as it is. One that was broken off is tried again from its
        checkpoint as often as the study allows, then recorded as failed.
        """
        fault = self._faults.pop(number, fault)
        if number not in self.running:
            return
        if fault.disk_full:
            self.stopping = self.disk_full = True
        if self.stopping:
            del self.running[number]
            return
        assignment = self.running[number]
        self._keep_traceback(assignment, fault)
        tries = 0 if fault.node_lost else self.ledger.failed_once(number, fault.reason)
        if tries <= self.ledger.spec.retries:
            del self.running[number]
            self._again.append(replace(assignment, attempt=assignment.attempt + 1))
            self.notices.append(f"trial {number} broke off and is tried again: {fault.reason}")
        else:
            message = self.heard.get(number) or Message(number, host="", device="")
            self.end(number, message.ended("failed", fault.reason))

    def begin_anew(self) -> None:
        """All processes are gone: what they ran is handed out again."""
        self.running.clear()
        self.heard.clear()
        self._faults.clear()
        self._again = deque(self.ledger.leftovers())

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

    def _keep_traceback(self, assignment: Assignment, fault: Fault) -> None:
        file = self.folder.error(trial_id(assignment.number))
        earlier = file.read_text() if file.exists() else ""
        entry = f"attempt {assignment.attempt}: {fault.reason}\n{fault.traceback}\n"
        write_atomically(file, (earlier + entry).encode())

    def _stopped(self, assignment: Assignment, message: Message) -> bool:
        if not assignment.may_stop or not message.curve:
            return False
        last = message.curve[-1]
        if last["step"] not in self._rungs or not math.isfinite(last["psnr"]):
            return False
        return not goes_on(last["psnr"], self.ledger.reported_at(last["step"]))
