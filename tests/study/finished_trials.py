"""Trials that end in a moment, without Ray or training."""

from __future__ import annotations

from study.driver.trial_manager import TrialManager
from study.protocol.messages import Message, Outcome
from tests.study.trials import curve


def complete_trials(manager: TrialManager, count: int) -> list[int]:
    """Completes the next `count` trials, or as many as there are, and returns their numbers.

    Trial `n` reports 5 dB at step 5 and `10 + n` dB at step 10, and ends with that at step 90.
    """
    numbers: list[int] = []
    while len(numbers) < count and (assignment := manager.next_trial()):
        psnr = 10.0 + assignment.number
        outcome = Outcome("completed", steps_done=90, psnr=psnr, host="here", device="a CPU")
        manager.on_report(Message(assignment.number, "here", "a CPU", curve(5.0, psnr), outcome))
        numbers.append(assignment.number)
    return numbers
