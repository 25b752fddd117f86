"""One NeRF in training: its model, optimiser, random numbers, health and learning curve.

A run can be saved and restored after any step; it then goes on bit for bit as if it had not been
interrupted. What is due after which step is up to nerf.training.loop.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch

from nerf.common.errors import InputError
from nerf.config.flat import complete_earlier, flatten
from nerf.config.image_metrics import TEST_PREFIX
from nerf.config.plugin import loaded_plugins
from nerf.config.schema import NerfConfig
from nerf.evaluation.evaluate import (
    RenderedImage,
    ViewQuality,
    evaluate,
    render_beside_photograph,
    render_view,
)
from nerf.evaluation.trivial_baselines import trivial_psnrs
from nerf.model.contraction import contracted_box, contraction_radius
from nerf.model.nerf import Nerf
from nerf.model.precision import choose_float32_backend
from nerf.scenes.scene import Scene
from nerf.training.clock import Clock
from nerf.training.health import HEALTHY, HealthWatch, State, Verdict
from nerf.training.ray_batches import TrainingRays, bounding_box
from nerf.training.step import TrainingStep

MAX_PREVIEW_PIXELS = 10_000
"""Pixels, at most, of an image rendered during training."""


@dataclass(frozen=True)
class Progress:
    """One evaluation of a run: a point of its learning curve."""

    step: int
    seconds: float
    """Training time so far, without evaluations and checkpoints."""
    loss: float
    """Mean squared error on the last step's rays, summed over the passes."""
    psnr: float
    """On validation views, dB; so is `ssim`."""
    ssim: float
    learning_rate: float
    registered: Mapping[str, float] = field(default_factory=dict)
    """The metrics of plugins, on validation views."""

    def to_point(self) -> dict[str, Any]:
        """The step and every figure by its name, those of plugins among them."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del own["registered"]
        return {**own, **self.registered}

    @staticmethod
    def of_point(point: Mapping[str, Any]) -> Progress:
        """Reads what `to_point` gave."""
        own = {field.name for field in dataclasses.fields(Progress)} - {"registered"}
        registered = {name: value for name, value in point.items() if name not in own}
        return Progress(**{name: point[name] for name in own}, registered=registered)


@dataclass(frozen=True)
class TrainResult:
    """How a run ended; `psnr` and `ssim` are of validation views, `test_*` of test views."""

    state: State
    reason: str
    psnr: float
    ssim: float
    test_psnr: float
    test_ssim: float
    seconds: float
    steps_done: int
    curve: tuple[Progress, ...]
    image: np.ndarray
    """(height, 2 width, 3) uint8: the first validation view as rendered, beside its photograph."""
    val_views: tuple[ViewQuality, ...] = ()
    test_views: tuple[ViewQuality, ...] = ()
    registered: Mapping[str, float] = field(default_factory=dict)
    """The metrics of plugins, on validation views; on test views as `test_` and the name."""


@runtime_checkable
class Batch(Protocol):
    """What trains several runs at once: nerf.training.batch.RunBatch."""

    clock: Clock

    def store(self, run: TrainingRun) -> None:
        """Copies model, optimiser, generator and losses from the batch to the run."""


class TrainingRun:
    """A model in training: with optimiser, generators, health watch and learning curve."""

    def __init__(self, config: NerfConfig, scene: Scene, device: str = "cpu") -> None:
        self.config = config
        self.scene = scene
        choose_float32_backend(torch.device(device))
        weights_generator = torch.Generator().manual_seed(config.seed)
        self.rays = TrainingRays.of(scene, config.optimisation, device)
        box = bounding_box(self.rays, config.sampling.near, config.sampling.far)
        radius = contraction_radius(config.encoding)
        if radius is not None:
            box = contracted_box(box, radius)
        self.model = Nerf(config, weights_generator, box).to(device)
        self.health = HealthWatch(config, scene, trivial_psnrs(scene))
        self.step = TrainingStep(config, self.model, self.rays, self.health)
        self.curve: list[Progress] = []
        self.verdict = HEALTHY
        self._batch: Batch | None = None
        self._clock = Clock()
        # Training time before `_clock` counted for this run, less what it showed then.
        self._seconds_offset = 0.0

    @property
    def steps_done(self) -> int:
        return self.step.steps_done

    @property
    def seconds(self) -> float:
        """Training time so far, without evaluations and checkpoints."""
        return self._seconds_offset + self._clock.seconds()

    def advance(self) -> None:
        """Trains by one step; for a run in a batch, that is up to the batch."""
        if self._batch is not None:
            raise RuntimeError("the run is in a batch; call the batch's advance, or remove the run")
        self.step()

    def join(self, batch: Batch) -> None:
        """Lets a batch train the run; from now on the batch has its parameters."""
        self._batch = batch
        self._use_clock(batch.clock)

    def leave(self) -> None:
        """Ends `join`; the run goes on from what it has itself."""
        self._batch = None
        self._use_clock(Clock())

    def store(self) -> None:
        """Brings the run's own model, optimiser and losses up to date if a batch trains it."""
        if self._batch is not None:
            self._batch.store(self)

    def release(self) -> None:
        """Frees the CUDA graph and its memory, before others use the GPU."""
        self.step.release()

    def start_clock(self) -> None:
        """Starts to count training time, which excludes evaluations and checkpoints."""
        self._clock.start()

    def stop_clock(self) -> None:
        """Ends `start_clock`, for all members of a batch."""
        self.loss()  # waits until the device has finished the steps
        self._clock.stop()

    def _use_clock(self, clock: Clock) -> None:
        self._seconds_offset = self.seconds - clock.seconds()
        self._clock = clock

    def loss(self) -> float:
        """Mean squared error on the last step's rays, summed over the passes."""
        return self.step.losses.sum().item()

    def evaluate(self) -> Progress:
        """Measures held-out quality, appends it to `curve` and lets the health watch judge it."""
        self.store()
        quality = evaluate(self.model, self.scene, "val", self.config.evaluation.pixels)
        progress = Progress(
            step=self.steps_done,
            seconds=self.seconds,
            loss=self.loss(),
            psnr=quality.psnr,
            ssim=quality.ssim,
            learning_rate=self.step.last_learning_rate(),
            registered=quality.registered,
        )
        self.curve.append(progress)
        if self.verdict == HEALTHY:
            self.verdict = self.health.check_quality(self.steps_done, quality.psnr)
        return progress

    def check_health(self) -> None:
        """Sets `verdict` from the loss and the gradients of the last steps."""
        if self.health.needs_model(self.steps_done):
            self.store()
        self.verdict = self.health.check(self.steps_done, self.loss(), self.model)

    def render_preview(self) -> RenderedImage:
        """Renders the first validation view with at most `MAX_PREVIEW_PIXELS` pixels."""
        self.store()
        pixels = self.scene.height * self.scene.width
        stride = math.ceil(math.sqrt(max(pixels / MAX_PREVIEW_PIXELS, 1)))
        return render_view(self.model, self.scene, self.scene.val[0], stride)

    def result(self) -> TrainResult:
        """The final figures of the run as it is now, on validation and test views."""
        self.store()
        pixels = self.config.evaluation.final_pixels
        val = evaluate(self.model, self.scene, "val", pixels)
        test = evaluate(self.model, self.scene, "test", pixels)
        verdict = self.verdict
        if verdict == HEALTHY:
            curve = [(point.step, point.psnr) for point in self.curve]
            verdict = self.health.check_end(curve, self.step.losses.tolist(), val.contrast)
        on_test = {f"{TEST_PREFIX}{name}": value for name, value in test.registered.items()}
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
            image=render_beside_photograph(self.model, self.scene, self.scene.val[0]),
            val_views=val.views,
            test_views=test.views,
            registered={**val.registered, **on_test},
        )

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to resume, as tensors and plain values."""
        self.store()
        return {
            "config": flatten(self.config),
            "plugins": [plugin.to_json() for plugin in loaded_plugins()],
            "scene": self.scene.content_hash,
            "model": self.model.state_dict(),
            "step": self.step.state(),
            "seconds": self.seconds,
            "curve": [progress.to_point() for progress in self.curve],
            "health": self.health.state(),
            "verdict": dataclasses.asdict(self.verdict),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Resumes from `state`; raises `InputError` if it has another config or scene."""
        ours = flatten(self.config)
        theirs = complete_earlier(state["config"])
        differing = [path for path in ours if theirs.get(path) != ours[path]]
        if differing or state["scene"] != self.scene.content_hash:
            what = ", ".join(differing) or "the scene"
            raise InputError(f"the checkpoint is of another run: {what} differs; start a new run")
        self.model.load_state_dict(state["model"])
        self.step.restore(state["step"])
        self._seconds_offset = state["seconds"] - self._clock.seconds()
        self.curve = [Progress.of_point(point) for point in state["curve"]]
        self.health.restore(state["health"], self.rays.device)
        self.verdict = Verdict(**state["verdict"])
