"""What a trainer's calls on `run` do, without Ray."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study.protocol.messages import Message
from study.protocol.training_events import (
    Evaluated,
    Event,
    Preview,
    Started,
    Trained,
    TrainingStopped,
)
from study.trainers.collapse_rule import parse_rule
from study.trainers.objective import Objective
from study.trainers.run import Run, TrainerMistake
from study.worker.run_rules import RunRules
from study.worker.trial_run import RunHooks, TrialRun, TrialTask

Train = Callable[[Run], Any]


BY_LOSS = RunRules((Objective("loss", minimize=True),))


@dataclass
class Attempts:
    """Attempts at one trial of ten steps."""

    folder: Path
    rules: RunRules = BY_LOSS
    stopping: bool = False
    events: list[Event] = field(default_factory=list)

    def run(self, train: Train) -> Trained:
        self.events.clear()
        task = TrialTask(10, 1, "cpu", self.folder / "checkpoint.pt")
        hooks = RunHooks(self.events.append, should_stop=lambda: self.stopping)
        run = TrialRun(task, self.rules, hooks)
        return run.train(lambda: train(run))

    def steps(self) -> list[int]:
        return [event.point["step"] for event in self.events if isinstance(event, Evaluated)]


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path)


def count(run: Run, upto: int = 10, report_first: bool = True) -> None:
    """Counts on from the checkpoint, which has the next step."""
    start = run.restored["next"] if run.restored else 1
    for step in range(start, upto + 1):
        if report_first:
            run.report(step, loss=1 / step)
        run.checkpoint({"next": step + 1, "weights": np.arange(3)})
        if not report_first:
            run.report(step, loss=1 / step)


class Killed(BaseException):
    pass


@pytest.mark.parametrize("report_first", [True, False])
def test_a_killed_attempt_resumes_with_its_whole_curve(
    attempts: Attempts, report_first: bool
) -> None:
    def killed(run: Run) -> None:
        count(run, 4, report_first)
        _ = run.should_stop  # the checkpoint is written by the next call
        raise Killed

    with pytest.raises(Killed):
        attempts.run(killed)
    end = attempts.run(lambda run: count(run, report_first=report_first))
    started = attempts.events[0]
    assert isinstance(started, Started)
    assert started.step == 4
    assert [point["step"] for point in started.curve] == [1, 2, 3, 4]
    assert attempts.steps() == [5, 6, 7, 8, 9, 10]
    assert end.state == "completed"


def test_a_stopped_attempt_is_interrupted(attempts: Attempts) -> None:
    def train(run: Run) -> None:
        count(run, 6)
        attempts.stopping = True
        assert run.should_stop

    with pytest.raises(TrainingStopped, match="last report is of step 6"):
        attempts.run(train)


def test_a_damaged_checkpoint_is_reported_and_the_trial_starts_again(attempts: Attempts) -> None:
    (attempts.folder / "checkpoint.pt").write_bytes(b"no checkpoint")
    attempts.run(count)
    started = attempts.events[0]
    assert isinstance(started, Started)
    assert started.damage.startswith("the checkpoint cannot be read")
    assert attempts.steps() == list(range(1, 11))


def test_what_is_returned_and_failed_with_are_final_metrics(attempts: Attempts) -> None:
    def train(run: Run) -> dict[str, float]:
        run.report(10, loss=1.0)
        return {"test_loss": np.float32(0.5)}  # type: ignore[dict-item]

    assert attempts.run(train).metrics == {"test_loss": 0.5}
    end = attempts.run(lambda run: run.fail(" dead;\n lower lr ", accuracy=0.1))
    assert (end.state, end.reason, end.metrics) == (
        "collapsed",
        "dead; lower lr",
        {"accuracy": 0.1},
    )


def test_no_except_of_a_trainer_keeps_it_from_failing(attempts: Attempts) -> None:
    def train(run: Run) -> None:
        try:
            run.fail("dead")
        except Exception:
            run.report(10, loss=0.0)

    assert attempts.run(train).state == "collapsed"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_metric_that_is_not_finite_ends_the_trial_at_its_next_call(
    attempts: Attempts, value: float
) -> None:
    def train(run: Run) -> None:
        for step in range(1, 11):
            run.report(step, loss=value if step == 3 else 1.0)

    end = attempts.run(train)
    assert (end.state, end.reason) == ("collapsed", f"diverged: loss is {value} at step 3")
    assert attempts.steps() == [1, 2, 3]


def test_a_trainer_gives_its_own_reason_first(attempts: Attempts) -> None:
    def train(run: Run) -> None:
        run.report(3, loss=float("nan"))
        run.fail("lower lr")

    assert attempts.run(train).reason == "lower lr"


def test_a_rule_on_its_metrics_ends_a_trial(attempts: Attempts) -> None:
    attempts.rules = RunRules((Objective("loss"),), collapse=(parse_rule("accuracy < 0.2 @ 5"),))

    def train(run: Run) -> None:
        for step in range(1, 11):
            run.report(step, loss=1.0, accuracy=0.1)

    end = attempts.run(train)
    assert end.reason == "accuracy 0.1 < 0.2 at step 5 (--collapse)"
    assert attempts.steps() == [1, 2, 3, 4, 5]


def test_an_image_is_made_where_the_trial_may_be_pruned_and_at_the_end(attempts: Attempts) -> None:
    attempts.rules = RunRules((Objective("loss"),), rungs=(4,))
    made: list[int] = []

    def train(run: Run) -> None:
        for step in range(2, 11, 2):

            def image(step: int = step) -> np.ndarray:
                made.append(step)
                return np.zeros((2, 3))

            run.image("a", image)
            run.image("b", np.ones((4, 5, 3)))
            run.report(step, loss=1.0)

    end = attempts.run(train)
    assert made == [4, 10]
    assert [type(event) for event in attempts.events[:4]] == [
        Started,
        Evaluated,
        Preview,
        Evaluated,
    ]
    assert end.image is not None
    assert end.image.shape == (4, 8, 3)
    assert end.image[0, 3:].min() == 255


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (lambda run: None, "returned without a report"),
        (lambda run: run.report(5, loss=1.0), "after its report of step 5, but --steps is 10"),
        (lambda run: run.report(5, error=1.0), "loss was not reported: .* has error"),
        (lambda run: run.report(11, loss=1.0), "steps are whole numbers that rise from 1 to"),
        (lambda run: [run.report(5, loss=1.0) for _ in range(2)], "after step 5"),
        (lambda run: run.report(10, loss="low"), "loss must be a number, got str"),
        (lambda run: run.checkpoint({"a": object}), "cannot be read back safely"),
    ],
)
def test_a_mistake_in_the_trainer_is_one_line(
    attempts: Attempts, train: Train, message: str
) -> None:
    with pytest.raises(TrainerMistake, match=message):
        attempts.run(train)


def test_seconds_and_memory_are_measured_unless_the_trainer_reports_them(
    attempts: Attempts,
) -> None:
    def train(run: Run) -> dict[str, float]:
        run.report(5, loss=1.0)
        run.report(10, loss=0.5, seconds=7.0, memory=3.0)
        return {"memory": 4.0}

    trained = attempts.run(train)
    first, last = (event.point for event in attempts.events if isinstance(event, Evaluated))
    assert 0 < first["seconds"] < 7
    assert (last["seconds"], last["memory"]) == (7.0, 3.0)
    assert math.isnan(trained.memory)
    ended = Message(0, "here", "a CPU", curve=(first, last)).ended("completed", "", "loss")
    assert (ended.value, ended.peak_memory, dict(ended.metrics)) == (0.5, 3.0, {})
    assert ended.with_final(trained.metrics, trained.memory, "loss").peak_memory == 4.0


@pytest.mark.skipif(sys.platform != "linux", reason="measured on Linux alone")
def test_the_peak_of_a_trial_is_its_own(attempts: Attempts) -> None:
    def train(run: Run) -> None:
        run.report(5, loss=1.0)
        np.zeros(200 * 2**20, dtype=np.uint8)[:: 2**12] = 1
        run.report(10, loss=0.5)

    large = attempts.run(train).memory
    before, after = (e.point["memory"] for e in attempts.events if isinstance(e, Evaluated))
    assert 190 < after - before < 230
    assert after == large
    assert 150 < large - attempts.run(lambda run: run.report(10, loss=0.5)).memory < 230
