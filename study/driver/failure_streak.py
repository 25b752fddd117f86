"""Trials that fail one after another before their first evaluation, where nothing trains any more.

That is more likely the fault of a GPU or an installation than of the trials, so those whose retries
are used up are held back: they are recorded as failed only once a trial has been evaluated at the
same place, a host or one of its GPUs.
"""

from __future__ import annotations

from dataclasses import dataclass

from study.protocol.messages import Assignment, Failure, Message

MAX_TRIALS = 3
"""Trials that fail in the same way, in a row, until the launch stops."""


@dataclass(frozen=True)
class HeldTrial:
    """A trial whose retries are used up, and its last failure."""

    assignment: Assignment
    failure: Failure


class FailureStreak:
    """Failures since the last evaluation, by place."""

    def __init__(self) -> None:
        self._evaluated: set[int] = set()  # running trials, in their present attempt
        self._reasons: dict[str, dict[int | str, str]] = {}  # by place, then by trial or batch
        self._held: dict[str, list[HeldTrial]] = {}

    def on_evaluation(self, message: Message) -> list[HeldTrial]:
        """Ends the streak at the place of the message; returns the trials held there."""
        self._evaluated.add(message.number)
        places = (message.place, "")  # a process that died did not say where it ran
        for place in places:
            self._reasons.pop(place, None)
        return [trial for place in places for trial in self._held.pop(place, [])]

    def on_failure(self, number: int, failure: Failure) -> bool:
        """Counts a failed attempt; returns whether the streak suggests that the place is broken.

        Failures for want of memory, and those after an evaluation, are the trial's own.
        """
        evaluated = number in self._evaluated
        self._evaluated.discard(number)
        if evaluated or failure.out_of_memory:
            return False
        # The trials of a batch fail together, which counts once.
        self._reasons.setdefault(failure.place, {})[failure.batch or number] = failure.reason
        return True

    def hold(self, assignment: Assignment, failure: Failure) -> None:
        """Keeps a failed trial until something is evaluated at its place."""
        self._held.setdefault(failure.place, []).append(HeldTrial(assignment, failure))

    def release(self) -> list[HeldTrial]:
        """The trials that are held, which are not any more."""
        held = [trial for trials in self._held.values() for trial in trials]
        self._held.clear()
        return held

    def describe(self, failure: Failure) -> str:
        """Says that trials failed like this one in a row; empty if fewer than `MAX_TRIALS` did.

        Trials of one batch that failed together count as one.
        """
        reasons = self._reasons.get(failure.place, {})
        alike = [key for key, reason in reasons.items() if reason == failure.reason]
        if len(alike) < MAX_TRIALS:
            return ""
        what = "batches of trials" if any(isinstance(key, str) for key in alike) else "trials"
        where = f" on {failure.place}" if failure.place else ""
        return (
            f"{len(alike)} {what} in a row failed{where} before their first evaluation "
            f"({failure.reason})"
        )
