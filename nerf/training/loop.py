"""One NeRF's training loop: config and scene in, held-out quality and a picture out.

`train` reports to whoever asks and knows of nobody. Every random draw comes from generators that
the config's seed starts and the checkpoint keeps, so that a resumed run equals an unbroken one.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nerf.common.errors import InputError
from nerf.config.flat import flatten
from nerf.config.schema import NerfConfig
from nerf.evaluation.evaluate import RenderedImage, render_beside_photograph, evaluate, render_view
from nerf.evaluation.trivial_baselines import trivial_psnrs
from nerf.model.nerf import Nerf
from nerf.model.precision import choose_float32_backend
from nerf.scenes.scene import Scene
from nerf.training.checkpoint import load_checkpoint, save_checkpoint
from nerf.training.health import ALIVE, HealthWatch, State, Verdict
from nerf.training.ray_batches import TrainingRays, seen_box
from nerf.training.schedule import evaluation_steps
from nerf.training.step import TrainingStep

LOOK_EVERY = 20
"""Steps between two looks at a run's health."""


CHECKPOINT_SECONDS = 30.0
CHECKPOINT_SHARE = 0.02
"""A run keeps itself at every evaluation, and between two of them as soon as both this many seconds
have passed and writing takes no more than this share of them."""

PICTURE_PIXELS = 10_000
"""Pixels at most of a picture made while training."""


class Interrupted(Exception):
    """The run was asked to stop before its end; its checkpoint holds all that was done."""


@dataclass(frozen=True)
class Progress:
    """One evaluation of a run."""

    step: int
    seconds: float
    """Of training so far; evaluation is left out."""
    loss: float
    """Mean squared error of the last step's rays, summed over the passes."""
    psnr: float
    """On validation views, dB, with SSIM beside it."""
    ssim: float
    learning_rate: float


@dataclass(frozen=True)
class TrainResult:
    """How a run ended. `psnr` and `ssim` are of validation views, `test_*` of test views."""

    state: State
    reason: str
    psnr: float
    ssim: float
    test_psnr: float
    test_ssim: float
    seconds: float
    steps_done: int
    curve: tuple[Progress, ...]
    picture: np.ndarray
    """(height, 2 width, 3) uint8: the first validation view as rendered, beside its photograph."""


class TrainingRun:
    """A model, its optimiser and generator, and how far they have come."""

    def __init__(self, config: NerfConfig, scene: Scene, device: str = "cpu") -> None:
        self.config = config
        self.scene = scene
        choose_float32_backend(torch.device(device))
        weights = torch.Generator().manual_seed(config.seed)
        drawn = config.optimisation
        self.rays = TrainingRays.of(scene, drawn.background, device, drawn.views)
        box = seen_box(self.rays, config.sampling.near, config.sampling.far)
        self.model = Nerf(config, weights, box).to(device)
        self.health = HealthWatch(config, scene, trivial_psnrs(scene))
        self.step = TrainingStep(config, self.model, self.rays, self.health)
        self.seconds = 0.0
        self.curve: list[Progress] = []
        self.verdict = ALIVE
        self._started = time.perf_counter()

    @property
    def steps_done(self) -> int:
        return self.step.number

    def advance(self) -> None:
        """One step of Adam on freshly drawn rays."""
        self.step()

    def start_clock(self) -> None:
        """Training goes on; evaluation and checkpoints are not counted as training."""
        self._started = time.perf_counter()

    def stop_clock(self) -> None:
        """Adds the time since `start_clock` to the run's seconds."""
        self.loss()  # waits for the device, so that the clock shows the work done
        self.seconds += time.perf_counter() - self._started

    def loss(self) -> float:
        """Mean squared error of the last step's rays, summed over the passes."""
        return self.step.losses.sum().item()

    def evaluate(self) -> Progress:
        """Held-out quality now, appended to the curve."""
        quality = evaluate(self.model, self.scene, "val", self.config.evaluation.pixels)
        progress = Progress(
            self.steps_done, self.seconds, self.loss(), quality.psnr, quality.ssim, self.step.rate()
        )
        self.curve.append(progress)
        if self.verdict == ALIVE:
            self.verdict = self.health.evaluated(self.steps_done, quality.psnr)
        return progress

    def look(self) -> None:
        """Lets the health watch judge the run as it stands."""
        self.verdict = self.health.look(self.steps_done, self.loss(), self.model)

    def picture(self) -> RenderedImage:
        """The first validation view as the field shows it now, at most some hundred pixels wide."""
        pixels = self.scene.height * self.scene.width
        stride = math.ceil(math.sqrt(max(pixels / PICTURE_PIXELS, 1)))
        return render_view(self.model, self.scene, self.scene.val[0], stride)

    def result(self) -> TrainResult:
        """The final figures of the run as it stands, test views included."""
        pixels = self.config.evaluation.final_pixels
        val = evaluate(self.model, self.scene, "val", pixels)
        test = evaluate(self.model, self.scene, "test", pixels)
        verdict = self.verdict
        if verdict == ALIVE:
            quality = [(point.step, point.psnr) for point in self.curve]
            verdict = self.health.ended(quality, self.step.losses.tolist())
        return TrainResult(
            state=verdict.state,
            reason=verdict.reason,
            psnr=val.psnr,
            ssim=val.ssim,
            test_psnr=test.psnr,
            test_ssim=test.ssim,
            seconds=self.seconds,
            steps_done=self.steps_done,
            curve=tuple(self.curve),
            picture=render_beside_photograph(self.model, self.scene, self.scene.val[0]),
        )

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, as tensors and plain values."""
        return {
            "config": flatten(self.config),
            "scene": self.scene.content_hash,
            "model": self.model.state_dict(),
            "step": self.step.state(),
            "seconds": self.seconds,
            "curve": [dataclasses.asdict(progress) for progress in self.curve],
            "health": self.health.state(),
            "verdict": dataclasses.asdict(self.verdict),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on where `state` was taken; raises `InputError` if config or scene differ."""
        ours = flatten(self.config)
        differing = [path for path in ours if state["config"].get(path) != ours[path]]
        if differing or state["scene"] != self.scene.content_hash:
            what = ", ".join(differing) or "the scene"
            raise InputError(f"the checkpoint is of another run: {what} differs; start a new one")
        self.model.load_state_dict(state["model"])
        self.step.restore(state["step"])
        self.seconds = state["seconds"]
        self.curve = [Progress(**progress) for progress in state["curve"]]
        self.health.restore(state["health"], self.rays.rgb.device)
        self.verdict = Verdict(**state["verdict"])


class Keeper:
    """Writes a run's checkpoint, seldom enough to cost next to nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._kept_at = time.perf_counter()
        self._cost = 0.0

    def keep(self, run: TrainingRun) -> None:
        """Writes it now."""
        if self._path is None:
            return
        began = time.perf_counter()
        save_checkpoint(self._path, run.state())
        self._kept_at = time.perf_counter()
        self._cost = self._kept_at - began

    def is_due(self) -> bool:
        """Has enough time passed since the last one?"""
        pause = max(CHECKPOINT_SECONDS, self._cost / CHECKPOINT_SHARE)
        return self._path is not None and time.perf_counter() - self._kept_at > pause


def _ignore(*_: Any) -> None:
    pass


def train(
    config: NerfConfig,
    scene: Scene,
    on_progress: Callable[[Progress], None] = _ignore,
    *,
    on_step: Callable[[int], None] = _ignore,
    on_picture: Callable[[int, Callable[[], RenderedImage]], None] = _ignore,
    should_stop: Callable[[], bool] = lambda: False,
    checkpoint: Path | None = None,
    device: str = "cpu",
) -> TrainResult:
    """Trains one NeRF and returns how it ended; a run that has collapsed ends early.

    `on_progress` hears of every evaluation, `on_step` of every step's number; `on_picture` may
    render the first validation view at every evaluation. With a `checkpoint` the run goes on from
    that file where it exists, and keeps itself there. Once `should_stop` says so the run keeps
    itself and raises `Interrupted`.
    """
    run = TrainingRun(config, scene, device)
    if checkpoint and checkpoint.exists():
        run.restore(load_checkpoint(checkpoint))
    keeper, due = Keeper(checkpoint), set(evaluation_steps(config))
    run.start_clock()
    while run.steps_done < config.optimisation.steps and run.verdict == ALIVE:
        run.advance()
        on_step(run.steps_done)
        if run.steps_done % LOOK_EVERY == 0 or run.steps_done in due:
            run.look()
        if run.steps_done in due or run.verdict != ALIVE:
            run.stop_clock()
            progress = run.evaluate()
            keeper.keep(run)
            on_picture(run.steps_done, run.picture)
            on_progress(progress)
            run.start_clock()
        elif should_stop() or keeper.is_due():
            run.stop_clock()
            keeper.keep(run)
            if should_stop():
                raise Interrupted(f"stopped after step {run.steps_done}")
            run.start_clock()
    return run.result()
