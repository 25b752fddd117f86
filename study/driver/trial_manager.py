"""What happens to a trial besides its training: started, pruned, recorded, retried or failed.

Everything the driver does with the ledger and the study folder goes through a `TrialManager`, and
only it changes its state; Ray's searcher and scheduler pass on what Ray reports.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.driver.failure_streak import MAX_TRIALS, FailureStreak, HeldTrial
from study.driver.launch_stop import LaunchStop, StopReason
from study.driver.pruning import is_to_be_pruned
from study.driver.replanning import Replanning
from study.driver.table_writer import TableWriter
from study.ledger.ledger import Ledger
from study.ledger.recovery import reconcile
from study.ledger.trial_row import trial_row
from study.protocol.failures import is_disk_full
from study.protocol.messages import Assignment, Failure, Message, Outcome
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.search.pruning_steps import describe_pruning
from study.storage.remote import Storage
from study.trainers.objective import Objective, plugin_columns
from study.worker.trial_files import fetch_trial_files


class TrialManager:
    """Starts a study's trials and records how each one ends."""

    def __init__(
        self,
        folder: StudyFolder,
        ledger: Ledger,
        rungs: tuple[int, ...],
        replanning: Replanning | None = None,
    ) -> None:
        """Repairs what an earlier driver left damaged.

        rungs: steps at which trials may be pruned
        replanning: changes the number of trials while the study runs; by default nothing does
        """
        self.folder = folder
        self._replanning = replanning or Replanning(folder, ledger)
        self.ledger = ledger
        self._rungs = rungs
        self._storage: Storage | None = None
        self.stop = LaunchStop()
        self._streak = FailureStreak()
        self._notices = reconcile(folder, ledger)
        self._noticed: set[str] = set()  # of trials: many may have the same, which is shown once
        self._queue: deque[Assignment] = deque(ledger.running())
        self._running: dict[int, Assignment] = {}
        self._reports: dict[int, Message] = {}  # the latest of each running trial
        self._failures: dict[int, Failure] = {}  # those that trials reported themselves
        self._tables = TableWriter(folder)

    @property
    def running(self) -> Mapping[int, Assignment]:
        """The trials that Ray has now, by number."""
        return MappingProxyType(self._running)

    @property
    def unfinished(self) -> int:
        """The planned trials that have not ended."""
        return self.ledger.spec.trials - sum(t.state.is_finished() for t in self.ledger.trials())

    def is_finished(self) -> bool:
        """Whether every planned trial has ended, and no look may add any."""
        return self.unfinished == 0 and not self.ledger.spec.is_exploring

    def node_of(self, number: int) -> str:
        """Ray's id of the node that a running trial last reported from; empty before that."""
        report = self._reports.get(number)
        return report.node if report else ""

    @property
    def _objective(self) -> Objective:
        return self.ledger.spec.objective

    def drain_notices(self) -> list[str]:
        """What the person should know and has not been shown yet."""
        notices, self._notices = self._notices, []
        return notices

    def use_storage(self, storage: Storage | None) -> None:
        """Fetches the files of trials that end from `storage`; None: they are in the folder."""
        self._storage = storage

    def requeue_running(self) -> None:
        """Queues every running trial again, after Ray and all its processes have failed."""
        self._running.clear()
        self._reports.clear()
        self._failures.clear()
        self._streak = FailureStreak()
        self._queue = deque(self.ledger.running())

    def next_trial(self) -> Assignment | None:
        """The trial to start next, interrupted and retried ones first; None where there is none."""
        if self.stop.reason:
            return None
        assignment = None
        with self._stopping_on_full_disk():
            assignment = self._queue.popleft() if self._queue else self._ask()
            if assignment is None and not self._running:
                assignment = self._settle_held() or self._look()
        if assignment:
            self._running[assignment.number] = assignment
            if self._replanning.limit:
                self._replanning.limit.on_start(assignment.number)
        return assignment

    def _ask(self) -> Assignment | None:
        """A new trial, if there is time for one."""
        if notice := self._replanning.keep_to_time():
            self._notices.append(notice)
        return self.ledger.ask()

    def _look(self) -> Assignment | None:
        """Where all explored trials have ended: looks at them, and returns the next trial."""
        if self.stop.reason or not self._replanning.look_is_due():
            return None
        try:
            notice = self._replanning.look()
        except InputError as error:
            self.stop.request(StopReason.LOOK_FAILED, str(error))
            return None
        if not notice:
            self.stop.request(StopReason.REQUESTED)
            return None
        self._notices.append(notice)
        return self._ask()

    def on_report(self, message: Message) -> bool:
        """Records what a running trial reports; returns whether it is to continue."""
        if self.stop.reason is StopReason.DISK_FULL:
            return True
        if message.notice and message.notice not in self._noticed:
            self._noticed.add(message.notice)
            self._notices.append(message.notice)
        if message.failure:  # handled by `on_failure`, once the process has left the trial
            self._failures[message.number] = message.failure
            return True
        pruned = False
        with self._stopping_on_full_disk():
            pruned = self._record_progress(message)
        return not pruned

    def on_failure(self, number: int, failure: Failure) -> None:
        """Handles a running trial whose process died or raised: left, retried or failed.

        The cause is the one that the trial reported itself, else `failure`. A trial that has ended
        stays as it is.
        """
        failure = self._failures.pop(number, failure)
        if number not in self._running:
            return
        if failure.disk_full:
            self.stop.request(StopReason.DISK_FULL)
        if failure.folder_missing:
            self.stop.request(StopReason.FOLDER_MISSING, failure.reason)
        if failure.trainer_failed:
            self.stop.request(StopReason.TRAINER_FAILED, failure.reason)
        if self.stop.reason:
            self._leave_to_next_launch(number)
            return
        with self._stopping_on_full_disk():
            self._append_traceback(self._running[number], failure)
            if failure.node_lost:  # not the trial's fault, so that failure is not counted
                self._retry(number, failure)
            else:
                self._count_failure(number, failure)

    def _count_failure(self, number: int, failure: Failure) -> None:
        """Retries the trial, holds it back, records it as failed, or stops the launch."""
        is_at_start = self._streak.on_failure(number, failure)
        if detail := self._streak.describe(failure):
            self._stop_for_failures(detail)
            self._leave_to_next_launch(number)
            return
        retries = self.ledger.spec.retries
        failures = self.ledger.add_failure(number, failure.reason)
        # Held in an earlier launch already, it is the trial's own failure, unless the GPU's.
        was_held = failures > retries + 1 and not failure.device_failed
        if failures <= retries:
            self._retry(number, failure)
        elif is_at_start and not was_held:
            self._streak.hold(self._running.pop(number), failure)
        else:
            self._fail(number, failure)

    def _settle_held(self) -> Assignment | None:
        """Where no other trial is left: records held ones as failed, unless their GPUs did.

        Returns the next trial, which may have waited for them.
        """
        held = self._streak.release()
        broken = [trial.failure for trial in held if trial.failure.device_failed]
        if broken:
            where = f" on {broken[0].place}" if broken[0].place else ""
            self._stop_for_failures(f"{len(broken)} trials failed{where} ({broken[0].reason})")
            return None
        self._fail_held(held)
        return self._ask() if held else None

    def _stop_for_failures(self, detail: str) -> None:
        shown = f"{detail}, and are still to be run (tracebacks: {self.folder.errors})"
        self.stop.request(StopReason.SAME_FAILURE, shown)

    def _fail_held(self, held: list[HeldTrial]) -> None:
        for trial in held:
            self._running[trial.assignment.number] = trial.assignment
            self._fail(trial.assignment.number, trial.failure)

    def _record_progress(self, message: Message) -> bool:
        """Writes a curve, and the trial's end if this is it; returns whether it was pruned."""
        points = [(point["step"], point.get(self._objective.metric)) for point in message.curve]
        self._reports[message.number] = message
        if message.curve:
            self._fail_held(self._streak.on_evaluation(message))
        self.ledger.report(message.number, points)
        assignment = self._running[message.number]
        if message.outcome:
            self._end(message.number, message.outcome)
        elif is_to_be_pruned(self.ledger, self._rungs, assignment, message.curve):
            self._prune(message)
            return True
        return False

    def _prune(self, message: Message) -> None:
        reason = describe_pruning(self.ledger.spec.pruner, message.curve[-1]["step"])
        self._end(message.number, message.ended("pruned", reason, self._objective.metric))

    def _retry(self, number: int, failure: Failure) -> None:
        """Queues the trial again; it resumes from its checkpoint."""
        assignment = self._running.pop(number)
        self._stop_clock(number)
        self._queue.append(replace(assignment, attempt=assignment.attempt + 1))
        self._notices.append(f"trial {number} failed and will be retried: {failure.reason}")

    def _fail(self, number: int, failure: Failure) -> None:
        report = self._reports.get(number) or Message(number, host="", device="")
        self._end(number, report.ended("failed", failure.reason, self._objective.metric))

    def _leave_to_next_launch(self, number: int) -> None:
        """Writes nothing: the journal has the trial as running, so the next launch resumes it."""
        del self._running[number]
        self._stop_clock(number)

    def _stop_clock(self, number: int, is_full: bool = False) -> None:
        if self._replanning.limit:
            self._replanning.limit.on_end(number, is_full)

    def _end(self, number: int, outcome: Outcome) -> None:
        """Records how a running trial ended, then ends it in the journal.

        In this order, as a driver may die in between. The next one finds the record and completes
        the journal from it; the other way round, a trial that the journal calls ended would lack
        its render and test figures.
        """
        name = trial_id(number)
        report = self._reports.get(number)
        row = trial_row(self.ledger.spec, self._running[number], outcome, datetime.now(UTC))
        self.folder.append(row, list(report.curve) if report else [])
        if self._storage:
            fetch_trial_files(self.folder, self._storage, name)
        if self.folder.render(name).exists():
            self.ledger.attach_render(number, self.folder.render(name))
        self.ledger.tell(number, outcome)
        self.folder.remove_checkpoint(name)
        del self._running[number]
        self._stop_clock(number, outcome.state == "completed")
        self._reports.pop(number, None)
        self._tables.write_if_due()
        self._stop_without_values(outcome)

    def _stop_without_values(self, outcome: Outcome) -> None:
        """Stops where no trial has ever had a finite value of a metric that the user brought."""
        spec = self.ledger.spec
        is_ours = not (spec.trainer or plugin_columns(spec.objectives))
        if is_ours or self.ledger.has_values():
            return
        ended = spec.trials - self.unfinished
        enough = ended >= min(MAX_TRIALS, spec.trials)
        if enough and outcome.state == "collapsed" and outcome.steps_done:
            detail = f"no trial reports a finite {self._objective.metric} ({outcome.reason})"
            self.stop.request(StopReason.TRAINER_FAILED, detail)

    def _append_traceback(self, assignment: Assignment, failure: Failure) -> None:
        file = self.folder.error(trial_id(assignment.number))
        earlier = file.read_text(encoding="utf-8") if file.exists() else ""
        entry = f"attempt {assignment.attempt}: {failure.reason}\n{failure.traceback}\n"
        write_atomically(file, (earlier + entry).encode())

    @contextmanager
    def _stopping_on_full_disk(self) -> Iterator[None]:
        """Requests a stop where the disk turns out to be full within; other errors are raised."""
        try:
            yield
        except OSError as error:
            if not is_disk_full(error):
                raise
            self.stop.request(StopReason.DISK_FULL)
