"""One trial inside a Ray worker: trains, alone or in a batch, and reports to Ray Tune.

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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import imageio.v3 as imageio
import numpy as np
import ray
from ray import tune

from nerf.common.files import write_atomically
from nerf.scenes.scene import Scene
from nerf.training.batch.key import can_share_batch
from nerf.training.schedule import evaluation_steps
from study.protocol.failures import diagnose_exception
from study.protocol.messages import MESSAGE, TRIAL, Assignment, Failure, Message, describe_place
from study.protocol.stopping import make_stop_check
from study.protocol.training_events import (
    Checkpoint,
    Evaluated,
    Event,
    Preview,
    Started,
    Trained,
    TrainingFailed,
    TrainingStopped,
)
from study.records.schema import trial_id
from study.search.successive_halving import describe_pruning, rungs
from study.trackers.tracker import TrackedTrial
from study.trackers.trackers import Trackers
from study.trackers.trial_video import write_trial_video
from study.worker.batch_client import train_in_batch
from study.worker.job import Job
from study.worker.training import Training, import_torch, train_alone
from study.worker.trial_files import TrialFiles, open_trial_files
from study.worker.trial_log import TrialLog


class GpuFailed(Exception):
    """The GPU cannot be used in this process any more; the trial has reported why."""


def run_trial(config: dict[str, Any], job: Job) -> None:
    """Trains `config[TRIAL]` as Ray Tune's trainable.

    Reports a `Message` at each evaluation and at the end; no last one where the launch is stopped.
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
    last = _attempt(assignment, job)
    _release_freed_memory()
    # Only now, outside `open_trial_files`: the driver fetches these files as it gets the message.
    if last:
        _report(last)
        if last.failure and last.failure.device_failed:
            raise GpuFailed  # Tune ends the process of a trial that raises


def _attempt(assignment: Assignment, job: Job) -> Message | None:
    """Trains; returns the last message, or None where the launch is stopped."""
    if job.spec.pack == 1:
        # Before the log's timeout begins: on a busy machine it may take longer than that.
        import_torch(job.spec.cpus_per_trial)
    try:
        with open_trial_files(job.folder, job.storage, trial_id(assignment.number)) as files:
            log_file = files.folder.log(trial_id(assignment.number))
            with TrialLog(log_file, assignment.attempt, job.spec.patience) as log:
                try:
                    return _Trial(assignment, job, files, log).run()
                except TrainingStopped as stopped:
                    log.write(str(stopped))
                    return None
                except TrainingFailed as error:
                    log.write(error.failure.traceback or error.failure.reason)
                    raise
                except Exception:
                    log.write(traceback.format_exc())
                    raise
    except TrainingFailed as error:
        return _failed(assignment, error.failure)
    except Exception as error:
        nerf_config = job.spec.space.config(assignment.values, assignment.seed)
        return _failed(assignment, diagnose_exception(error, nerf_config))


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
    if "torch" in sys.modules:  # not where a batch trains
        from nerf.training.cuda_graph import release_cached_memory

        release_cached_memory()
    linux = sys.platform == "linux"
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if linux else None  # musl has none
    if trim:
        trim(0)


class _Trial:
    """One attempt at one trial."""

    def __init__(self, assignment: Assignment, job: Job, files: TrialFiles, log: TrialLog) -> None:
        self._assignment = assignment
        self._job = job
        self._files = files
        self._log = log
        self._scene: Scene = ray.get(job.scene)
        self._trial_id = trial_id(assignment.number)
        self._checkpoint = files.folder.checkpoint(self._trial_id)
        self._config = job.spec.space.config(assignment.values, assignment.seed)
        self._device = ""
        self._curve: list[dict[str, Any]] = []
        varied = tuple(dimension.path for dimension in job.spec.space.dimensions)
        tracked = TrackedTrial(files.folder, self._trial_id, assignment.phase, self._config, varied)
        self._trackers = Trackers(job.spec, tracked, self._notify)
        evaluations = evaluation_steps(self._config)
        self._rungs = rungs(evaluations) if assignment.may_be_pruned else ()

    def run(self) -> Message:
        """Trains from the checkpoint, if there is one, to the end; returns the last message."""
        with self._tracked():
            result = self._train()
            last = self._message(curve=tuple(self._curve))
            outcome = replace(
                last.ended(result.state, result.reason),
                psnr=result.psnr,
                ssim=result.ssim,
                test_psnr=result.test_psnr,
                test_ssim=result.test_ssim,
            )
            self._save_render(result.image)
            write_video = partial(write_trial_video, self._checkpoint, self._config, self._scene)
            self._trackers.end(outcome, result.image, write_video)
        self._log.write(f"{outcome.state} with {outcome.psnr:.2f} dB {outcome.reason}".rstrip())
        return replace(last, outcome=outcome)

    @contextmanager
    def _tracked(self) -> Iterator[None]:
        """A context that ends the trial's runs in its trackers, also after an error."""
        try:
            yield
        except SystemExit:  # by Ray, inside a report
            if self._curve and self._curve[-1]["step"] in self._rungs:
                self._end_runs("pruned", describe_pruning(self._curve[-1]["step"]))
            raise
        except TrainingStopped:
            raise
        except TrainingFailed as error:
            self._end_runs("failed", error.failure.reason)
            raise
        except Exception as error:
            self._end_runs("failed", diagnose_exception(error, self._config).reason)
            raise
        finally:
            self._trackers.close()

    def _end_runs(self, state: str, reason: str) -> None:
        """Ends the runs of an attempt without a result."""
        self._trackers.end(self._message(curve=tuple(self._curve)).ended(state, reason))

    def _train(self) -> Trained:
        spec, number = self._job.spec, self._assignment.number
        training = Training(number, self._config, self._rungs, self._checkpoint)
        if spec.pack > 1 and can_share_batch(self._config):
            return train_in_batch(self._job, training, self._on_event, self._log.reset_timeout)
        return train_alone(
            training,
            self._scene,
            self._on_event,
            on_step=lambda step: self._log.reset_timeout(),
            should_stop=make_stop_check(self._job.launch),
            device="cuda" if spec.gpus_per_trial else "cpu",
        )

    def _on_event(self, event: Event) -> None:
        match event:
            case Started():
                self._start(event)
            case Checkpoint(content):
                write_atomically(self._checkpoint, content)
            case Preview(rgb):
                self._save_preview(rgb)
            case Evaluated(point):
                self._curve.append(point)
                self._trackers.log(point)
                step, psnr, loss = point["step"], point["psnr"], point["loss"]
                self._log.write(f"step {step}: {psnr:.2f} dB, loss {loss:.4g}")
                _report(self._message(curve=tuple(self._curve)))
            case _:
                raise TypeError(f"{event} ends a training")

    def _start(self, started: Started) -> None:
        """Takes over the curve of an earlier attempt; sets a damaged checkpoint aside."""
        self._device = started.device
        self._curve = list(started.curve)
        if started.step:
            self._log.write(f"resumes after step {started.step}")
        if started.damage:
            self._checkpoint.replace(self._checkpoint.with_suffix(".pt.damaged"))
            self._notify(f"trial {self._assignment.number} restarts from step 0: {started.damage}")
        self._trackers.start(started.curve)

    def _notify(self, notice: str) -> None:
        """Writes a line that the person who runs the study should see, too."""
        self._log.write(notice)
        _report(self._message(notice=notice))

    def _save_preview(self, rgb: np.ndarray) -> None:
        """Saves a render at a rung, before the report of it: Ray may end the trial right there.

        A validation view beside its photograph, which is subsampled to the render's height.
        """
        photograph = self._scene.images[self._scene.val[0]]
        stride = -(-photograph.shape[0] // rgb.shape[0])  # rounded up
        both = np.concatenate((np.nan_to_num(rgb), photograph[::stride, ::stride]), axis=1)
        self._save_render((both * 255 + 0.5).astype(np.uint8))
        self._files.sync()

    def _save_render(self, pixels: np.ndarray) -> None:
        png = imageio.imwrite("<bytes>", pixels, extension=".png")
        write_atomically(self._files.folder.render(self._trial_id), png)

    def _message(self, **content: Any) -> Message:
        node = ray.get_runtime_context().get_node_id()
        gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        return Message(
            self._assignment.number, platform.node(), self._device, node=node, gpu=gpu, **content
        )


def _report(message: Message) -> None:
    tune.report({MESSAGE: message})
