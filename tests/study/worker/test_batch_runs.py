"""Trials trained in one process, beside the same trials trained alone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nerf.config.flat import build
from nerf.config.schema import NerfConfig
from nerf.scenes.scene import Scene
from nerf.training.batch.run_batch import RunBatch
from nerf.training.checkpoint import read_checkpoint
from nerf.training.run import TrainingRun
from study.protocol.training_events import (
    Checkpoint,
    Evaluated,
    Event,
    Failed,
    JoinRequest,
    Preview,
    Started,
    Stopped,
    Trained,
)
from study.trainers.nerf_trainer import train
from study.trainers.objective import PSNR
from study.worker import batch_runs
from study.worker.batch_runs import BatchRuns, DeviceFailed
from study.worker.run_rules import RunRules
from study.worker.trial_run import RunHooks, TrialRun, TrialTask

TINY = {
    "optimisation.rays": 32,
    "sampling.coarse": 4,
    "evaluation.pixels": 256,
    "evaluation.final_pixels": 256,
    "evaluation.times": 3,
    "field.depth": 2,
    "compute.precision": "fp32",
}


def tiny(seed: int, steps: int = 30, **more: Any) -> NerfConfig:
    settings = {path.replace("__", "."): value for path, value in more.items()}
    return build({**TINY, "optimisation.steps": steps, "seed": seed, **settings})


# Two networks and three lengths; one is shown at step 10, which is a third of its steps.
CONFIGS = [
    tiny(0),
    tiny(1, steps=24, optimisation__learning_rate=2e-3),
    tiny(2, field__width=96),
    tiny(3, steps=15, sampling__near=2.0, field__density_activation="relu"),
]


class Trials:
    """Trials in one process and the events that each was sent."""

    def __init__(self, scene: Scene, size: int, configs: Sequence[NerfConfig] = ()) -> None:
        self.stop = False
        self.events: dict[str, list[Event]] = {}
        self.runs = BatchRuns(scene, size, "cpu", lambda: self.stop, "a process")
        for number, config in enumerate(configs):
            self.add(number, config)

    def add(self, number: int, config: NerfConfig, checkpoint: bytes | None = None) -> None:
        events = self.events[str(number)] = []
        request = JoinRequest(str(number), number, config, checkpoint, (10,), 0)
        self.runs.add(request, events.append)

    def run(self, steps: int = 10_000) -> None:
        for _ in range(steps):
            if not self.runs.step():
                return

    def last(self, number: int) -> Event:
        return self.events[str(number)][-1]


def alone(scene: Scene, config: NerfConfig, checkpoint: Path) -> list[Event]:
    events: list[Event] = []
    task = TrialTask(config.optimisation.steps, config.seed, "cpu", checkpoint, scene)
    run = TrialRun(task, RunRules((PSNR,), rungs=(10,)), RunHooks(events.append))
    end = run.train(lambda: train(config, run))
    return [*events, end]


def figures(event: Event) -> dict[str, Any]:
    """Numbers of an event that do not depend on the clock and the process."""
    if isinstance(event, Evaluated):
        measured = ("seconds", "memory")
        return {name: value for name, value in event.point.items() if name not in measured}
    assert isinstance(event, Trained)
    return dict(event.metrics)


@pytest.fixture(scope="module")
def trials(ball: Scene) -> Trials:
    trials = Trials(ball, 3, CONFIGS)  # one has to wait
    trials.run()
    failures = [
        e.failure for events in trials.events.values() for e in events if isinstance(e, Failed)
    ]
    assert not failures, failures[0].traceback
    return trials


def test_each_trial_gets_what_it_would_have_got_alone(
    trials: Trials, ball: Scene, tmp_path: Path
) -> None:
    for number, config in enumerate(CONFIGS):
        own = [event for event in trials.events[str(number)] if not isinstance(event, Checkpoint)]
        expected = alone(ball, config, tmp_path / str(number))
        assert [type(event) for event in own] == [type(event) for event in expected]
        for event, other in zip(own, expected, strict=True):
            if isinstance(event, Evaluated | Trained):
                assert figures(event) == pytest.approx(figures(other), rel=1e-4)
            if isinstance(event, Preview):
                assert isinstance(other, Preview)
                np.testing.assert_allclose(event.image.astype(int), other.image, atol=1)


def test_a_checkpoint_comes_before_the_preview_and_that_before_the_evaluation(
    trials: Trials,
) -> None:
    kinds = [type(event) for event in trials.events["0"]]
    assert kinds[:4] == [Started, Checkpoint, Preview, Evaluated]


def test_a_trial_resumes_from_the_checkpoint_that_it_was_sent(trials: Trials, ball: Scene) -> None:
    sent = [event for event in trials.events["0"] if isinstance(event, Checkpoint)]
    resumed = Trials(ball, size=1)
    resumed.add(0, CONFIGS[0], sent[0].content)
    resumed.run()
    started, *_, end = resumed.events["0"]
    assert isinstance(started, Started)
    assert (started.step, len(started.curve)) == (10, 1)
    assert figures(end) == pytest.approx(figures(trials.last(0)), rel=1e-4)


def test_a_checkpoint_of_the_last_step_ends_without_another_one(
    trials: Trials, ball: Scene
) -> None:
    sent = [event for event in trials.events["3"] if isinstance(event, Checkpoint)]
    resumed = Trials(ball, size=1)
    resumed.add(3, CONFIGS[3], sent[-1].content)
    resumed.run()
    assert [type(event) for event in resumed.events["3"]] == [Started, Trained]


def test_a_damaged_checkpoint_is_named_and_the_training_starts_again(ball: Scene) -> None:
    trials = Trials(ball, size=1)
    trials.add(0, tiny(0), b"no checkpoint")
    trials.run(1)
    (started,) = trials.events["0"]
    assert isinstance(started, Started)
    assert started.step == 0
    assert "not a readable checkpoint" in started.damage


def test_trials_that_are_stopped_are_saved(ball: Scene) -> None:
    trials = Trials(ball, 2, [tiny(0), tiny(1)])
    trials.run(3)
    trials.stop = True
    trials.run()
    for number in (0, 1):
        kinds = [type(event) for event in trials.events[str(number)]]
        assert kinds == [Started, Checkpoint, Stopped]


def test_a_trial_without_memory_waits_until_another_one_leaves(
    ball: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = Trials(ball, size=4)
    too_many = 2

    def run_in_little_memory(*arguments: Any) -> TrainingRun:
        if len(trials.runs.training) >= too_many:
            raise MemoryError
        return TrainingRun(*arguments)

    monkeypatch.setattr(batch_runs, "TrainingRun", run_in_little_memory)
    for number in range(3):
        trials.add(number, tiny(number))
    trials.run(2)
    assert trials.runs.training == ["0", "1"]
    assert not trials.events["2"]
    trials.runs.remove("0")
    trials.run(1)
    assert trials.runs.training == ["1", "2"]


def test_a_trial_that_needs_more_memory_than_there_is_fails_alone(
    ball: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*arguments: Any) -> TrainingRun:
        raise MemoryError

    monkeypatch.setattr(batch_runs, "TrainingRun", no_memory)
    trials = Trials(ball, 4, [tiny(0)])
    trials.run()
    end = trials.last(0)
    assert isinstance(end, Failed)
    assert end.failure.reason.startswith("out of memory with 32 rays x 4 samples through 2 layers")
    assert not end.failure.batch


class Broken(RunBatch):
    """A batch whose step fails as long as it has more than two members."""

    error: Exception = RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")

    def advance(self) -> None:
        if len(self.members) > 2:
            raise self.error
        super().advance()


def test_a_step_without_memory_puts_back_the_last_trial_that_came(
    ball: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_runs, "RunBatch", Broken)
    trials = Trials(ball, 4, [tiny(number, steps=12) for number in range(3)])
    trials.run(3)
    assert trials.runs.training == ["0", "1"]
    trials.run()
    assert isinstance(trials.last(2), Trained)


class Narrow(RunBatch):
    """A batch that the memory cannot hold if it has more than four slots."""

    def __init__(self, size: int, device: str) -> None:
        super().__init__(size, device)
        self.is_too_large = size > 4

    def add(self, run: TrainingRun) -> None:
        if self.is_too_large:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        super().add(run)


def test_trials_go_on_where_there_is_no_memory_for_a_larger_batch(
    ball: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_runs, "RunBatch", Narrow)
    trials = Trials(ball, 8, [tiny(number, steps=12) for number in range(5)])
    trials.run(1)
    assert trials.runs.training == ["0", "1", "2", "3"]
    trials.run(100)
    for number in range(5):
        assert isinstance(trials.last(number), Trained)


def test_an_error_of_a_step_ends_its_batch_and_no_other(
    ball: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broken, "error", ValueError("no"))
    monkeypatch.setattr(batch_runs, "RunBatch", Broken)
    alike = [tiny(number) for number in range(3)]
    trials = Trials(ball, 4, [*alike, tiny(3, field__depth=3)])
    trials.run(2)
    ends = [trials.last(number) for number in range(3)]
    assert {end.failure.batch for end in ends if isinstance(end, Failed)} == {"a process"}
    assert trials.runs.training == ["3"]


def test_an_error_of_the_device_ends_all_trials(
    ball: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broken, "error", RuntimeError("CUDA error: an illegal memory access"))
    monkeypatch.setattr(batch_runs, "RunBatch", Broken)
    trials = Trials(ball, 3, [tiny(number) for number in range(4)])  # one waits
    with pytest.raises(DeviceFailed):
        trials.run()
    for number in range(4):
        end = trials.last(number)
        assert isinstance(end, Failed)
        assert end.failure.device_failed
        assert end.failure.batch == "a process"


def test_a_trial_of_nan_collapses_and_the_others_go_on(trials: Trials, ball: Scene) -> None:
    sent = [event for event in trials.events["0"] if isinstance(event, Checkpoint)]
    state = read_checkpoint(sent[0].content, "")
    for name, parameter in state["model"].items():
        if name.endswith((".weight", ".bias")):
            parameter.fill_(float("nan"))
    file = io.BytesIO()
    torch.save(state, file)
    beside = Trials(ball, size=2)
    beside.add(0, CONFIGS[0], file.getvalue())
    beside.add(1, CONFIGS[1])
    beside.run()
    end, other = beside.last(0), beside.last(1)
    assert isinstance(end, Trained)
    assert end.state == "collapsed"
    assert figures(other) == figures(trials.last(1))
