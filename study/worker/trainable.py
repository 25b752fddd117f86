"""One trial inside a Ray worker: trains, and reports to Ray Tune.

A trial raises nothing into Ray but `GpuFailed`. Its last message has the outcome or the failure, so
that its process survives and runs the next trial: a new process would cost seconds. After an error
of the GPU it ends all the same, as every further use of the GPU in this process would fail, too.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imageio.v3 as imageio
import numpy as np
import ray
from ray import tune

from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from nerf.scenes.scene import Scene
from nerf.training.schedule import evaluation_steps
from study.protocol.failures import diagnose_exception
from study.protocol.messages import MESSAGE, TRIAL, Assignment, Failure, Message, describe_place
from study.protocol.stopping import make_stop_check
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.search.successive_halving import rungs
from study.spec.study_spec import StudySpec
from study.storage.remote import Storage
from study.worker.trial_files import TrialFiles, open_trial_files
from study.worker.trial_log import TrialLog
from study.worker.wandb_run import open_tracker
from study.worker.wandb_video import write_trial_video

if TYPE_CHECKING:
    from nerf.evaluation.evaluate import RenderedImage
    from nerf.training.loop import Progress


@dataclass(frozen=True)
class Job:
    """What all trials of a launch have in common."""

    folder: StudyFolder
    spec: StudySpec
    launch: str
    """A random id, unique among all launches on a cluster."""
    storage: Storage | None = None
    """Where trials save their files if their machines do not share the study folder."""
    proof: Path | None = None
    """A file in the study folder that every node must see, if nodes are to share that folder."""


class GpuFailed(Exception):
    """The GPU cannot be used in this process any more; the trial has reported why."""


def run_trial(config: dict[str, Any], scene: Scene, job: Job) -> None:
    """Trains `config[TRIAL]` as Ray Tune's trainable.

    Reports a `Message` at each evaluation and at the end; none where the launch is stopped.
    """
    assignment: Assignment = config[TRIAL]
    if not job.spec.gpus_per_trial:
        # Before torch is imported. Ray leaves it unset here, and torch would use a GPU.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if job.proof and not job.proof.exists():
        reason = f"{job.folder.path} is not the study's folder on {platform.node()}"
        remedy = "name one that all nodes share with --studies, or a --storage that all reach"
        _report(_failed(assignment, Failure(f"{reason}; {remedy}", folder_missing=True)))
        return
    from nerf.training.loop import Interrupted

    last: Message | None = None
    try:
        with open_trial_files(job.folder, job.storage, trial_id(assignment.number)) as files:
            log_file = files.folder.log(trial_id(assignment.number))
            with TrialLog(log_file, assignment.attempt, job.spec.patience) as log:
                try:
                    last = _Trial(assignment, scene, job.spec, job.launch, files, log).run()
                except Interrupted as stopped:
                    log.write(str(stopped))
                except Exception:
                    log.write(traceback.format_exc())
                    raise
    except Exception as error:
        nerf_config = job.spec.space.config(assignment.values, assignment.seed)
        last = _failed(assignment, diagnose_exception(error, nerf_config))
    _release_freed_memory()
    # Only now, outside `open_trial_files`: the driver fetches these files as it gets the message.
    if last:
        _report(last)
        if last.failure and last.failure.device_failed:
            raise GpuFailed  # Tune ends the process of a trial that raises


def _failed(assignment: Assignment, failure: Failure) -> Message:
    """The last message of an attempt that failed."""
    host, gpu = platform.node(), os.environ.get("CUDA_VISIBLE_DEVICES", "")
    place = describe_place(host, gpu)
    return Message(assignment.number, host, "", failure=replace(failure, place=place), gpu=gpu)


def _release_freed_memory() -> None:
    """Returns a trial's freed memory to the system and the GPU.

    PyTorch caches a GPU's, which trials in other processes may need, and glibc the system's, over
    1 GB after 50 trials.
    """
    from nerf.training.cuda_graph import release_cached_memory

    release_cached_memory()
    linux = sys.platform == "linux"
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if linux else None  # musl has none
    if trim:
        trim(0)


class _Trial:
    """One attempt at one trial."""

    def __init__(
        self,
        assignment: Assignment,
        scene: Scene,
        spec: StudySpec,
        launch: str,
        files: TrialFiles,
        log: TrialLog,
    ) -> None:
        import torch

        torch.set_num_threads(spec.cpus_per_trial)
        self._assignment = assignment
        self._scene = scene
        self._spec = spec
        self._launch = launch
        self._files = files
        self._log = log
        self._trial_id = trial_id(assignment.number)
        self._device = "cuda" if spec.gpus_per_trial else "cpu"
        self._config = spec.space.config(assignment.values, assignment.seed)
        self._curve: list[dict[str, Any]] = []
        evaluations = evaluation_steps(self._config)
        self._rungs = rungs(evaluations) if assignment.may_be_pruned else ()

    def run(self) -> Message:
        """Trains from the checkpoint, if there is one, to the end; returns the last message."""
        from nerf.training.loop import train

        folder = self._files.folder
        checkpoint = folder.checkpoint(self._trial_id)
        self._load_curve(checkpoint)
        phase = self._assignment.phase
        wandb = self._spec.wandb
        with open_tracker(folder, wandb, self._trial_id, phase, self._config) as tracker:
            self._tracker = tracker
            result = train(
                self._config,
                self._scene,
                self._on_evaluation,
                on_step=lambda step: self._log.reset_timeout(),
                on_preview=self._on_preview,
                should_stop=make_stop_check(self._launch),
                checkpoint=checkpoint,
                device=self._device,
            )
            last = self._message(curve=tuple(asdict(progress) for progress in result.curve))
            outcome = replace(
                last.ended(result.state, result.reason),
                psnr=result.psnr,
                ssim=result.ssim,
                test_psnr=result.test_psnr,
                test_ssim=result.test_ssim,
            )
            self._save_render(result.image)
            write_video = partial(write_trial_video, checkpoint, self._config, self._scene)
            tracker.end(outcome, result.image, write_video)
        self._log.write(f"{outcome.state} with {outcome.psnr:.2f} dB {outcome.reason}".rstrip())
        return replace(last, outcome=outcome)

    def _load_curve(self, checkpoint: Path) -> None:
        """Loads the curve of an earlier attempt; a checkpoint that cannot be read is set aside."""
        from nerf.training.checkpoint import load_checkpoint

        if not checkpoint.exists():
            return
        try:
            state = load_checkpoint(checkpoint)
            self._curve = list(state["curve"])
            self._log.write(f"resumes after step {state['step']['number']}")
        except (InputError, KeyError) as error:
            checkpoint.replace(checkpoint.with_suffix(".pt.damaged"))
            notice = f"trial {self._assignment.number} restarts from step 0: {error}"
            self._log.write(notice)
            _report(self._message(notice=notice))

    def _on_evaluation(self, progress: Progress) -> None:
        self._curve.append(asdict(progress))
        self._tracker.log(self._curve[-1])
        self._log.write(f"step {progress.step}: {progress.psnr:.2f} dB, loss {progress.loss:.4g}")
        _report(self._message(curve=tuple(self._curve)))

    def _on_preview(self, step: int, render: Callable[[], RenderedImage]) -> None:
        """Saves a render at each rung, before the report of it: Ray may end the trial right there.

        A validation view beside its photograph, which is subsampled to the render's height.
        """
        if step in self._rungs:
            rendered = np.nan_to_num(render().rgb.numpy())
            photograph = self._scene.images[self._scene.val[0]]
            stride = -(-photograph.shape[0] // rendered.shape[0])  # rounded up
            both = np.concatenate((rendered, photograph[::stride, ::stride]), axis=1)
            self._save_render((both * 255 + 0.5).astype(np.uint8))
            self._files.sync()

    def _save_render(self, pixels: np.ndarray) -> None:
        png = imageio.imwrite("<bytes>", pixels, extension=".png")
        write_atomically(self._files.folder.render(self._trial_id), png)

    def _message(self, **content: Any) -> Message:
        device = _device_name(self._device)
        node = ray.get_runtime_context().get_node_id()
        gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        return Message(
            self._assignment.number, platform.node(), device, node=node, gpu=gpu, **content
        )


def _report(message: Message) -> None:
    tune.report({MESSAGE: message})


def _device_name(device: str) -> str:
    """The device's name, as a trial's row has it."""
    import torch

    return torch.cuda.get_device_name() if device == "cuda" else platform.machine() + " CPU"
