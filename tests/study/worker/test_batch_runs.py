"""Trials trained in one process, beside the same trials trained alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nerf.config.flat import build
from nerf.config.schema import NerfConfig
from nerf.scenes.scene import Scene
from study.protocol.training_events import (
    Checkpoint,
    Evaluated,
    Event,
    Failed,
    JoinRequest,
    Preview,
    Started,
    Trained,
)
from study.worker.batch_runs import BatchRuns
from study.worker.training import train_alone

TINY = {
    "optimisation.rays": 32,
    "sampling.coarse": 8,
    "evaluation.pixels": 256,
    "evaluation.final_pixels": 256,
    "evaluation.times": 3,
    "field.depth": 2,
    "compute.precision": "fp32",
}


def tiny(seed: int, steps: int = 30, **more: Any) -> NerfConfig:
    settings = {path.replace("__", "."): value for path, value in more.items()}
    return build({**TINY, "optimisation.steps": steps, "seed": seed, **settings})


# Three networks, three lengths.
CONFIGS = [
    tiny(0, sampling__near=2.0),
    tiny(1, steps=45, field__width=24),
    tiny(2, field__depth=3, optimisation__learning_rate=2e-3),
    tiny(3, steps=60, field__width=96),
    tiny(4, field__density_activation="relu"),
    tiny(5, steps=24),
]


class Trials:
    """Trials in one process and the events that each was sent."""

    def __init__(self, scene: Scene, size: int) -> None:
        self.stop = False
        self.events: dict[str, list[Event]] = {}
        self.runs = BatchRuns(scene, size, "cpu", lambda: self.stop, "a process")

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
    end = train_alone(
        config,
        scene,
        events.append,
        on_step=lambda step: None,
        preview_steps=(10,),
        should_stop=lambda: False,
        checkpoint=checkpoint,
        device="cpu",
        threads=1,
    )
    return [*events, end]


def figures(event: Event) -> dict[str, Any]:
    """Numbers of an event that do not depend on the clock."""
    if isinstance(event, Evaluated):
        return {name: value for name, value in event.point.items() if name != "seconds"}
    assert isinstance(event, Trained)
    return {"psnr": event.psnr, "ssim": event.ssim, "test_psnr": event.test_psnr}


@pytest.fixture(scope="module")
def trials(ball: Scene) -> Trials:
    trials = Trials(ball, size=4)  # two have to wait
    for number, config in enumerate(CONFIGS):
        trials.add(number, config)
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
                np.testing.assert_allclose(event.rgb, other.rgb, atol=1e-4)


def test_a_checkpoint_comes_before_the_preview_and_that_before_the_evaluation(
    trials: Trials,
) -> None:
    kinds = [type(event) for event in trials.events["0"]]
    assert kinds[:4] == [Started, Checkpoint, Preview, Evaluated]
