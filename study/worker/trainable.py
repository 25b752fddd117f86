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
from collections.abc import Iterator, Mapping
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
from study.records.schema import SCENE_COLUMN, TRIAL_COLUMNS, trial_id
from study.search.pruning_steps import describe_pruning, pruning_steps
from study.search.successive_halving import reached_rung
from study.trackers.tracker import TrackedTrial, WriteVideo
from study.trackers.trackers import Trackers, no_video
from study.trackers.trial_video import write_trial_video
from study.trainers.collapse_rule import parse_rule
from study.trainers.objective import NERF_METRICS, PSNR
from study.trainers.run import TrainerMistake
from study.worker.batch_client import train_in_batch
from study.worker.job import Job
from study.worker.load_trainer import import_trainer, load_train
from study.worker.run_rules import RunRules
from study.worker.training import Training
from study.worker.trial_files import TrialFiles, open_trial_files
from study.worker.trial_log import TrialLog
from study.worker.trial_run import RunHooks, TrialRun, TrialTask


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
    try:
        if job.spec.pack == 1:
            # Before the log's timeout begins: on a busy machine it may take longer than that.
            import_trainer(job.spec)
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
        size = job.spec.of_scene(assignment.scene).space.describe_size(assignment.values)
        return _failed(assignment, _diagnose(error, size))


def _diagnose(error: Exception, size: str) -> Failure:
    """The failure of a trial that raised `error`; call it where that is being handled."""
    if isinstance(error, TrainerMistake):
        return Failure(str(error), traceback.format_exc(), trainer_failed=True)
    return diagnose_exception(error, size)


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
        ref = job.scenes.get(assignment.scene)
        self._scene: Scene | None = ray.get(ref) if ref else None
        self._trial_id = trial_id(assignment.number)
        self._checkpoint = files.folder.checkpoint(self._trial_id)
        self._space = job.spec.of_scene(assignment.scene).space
        self._config = self._space.config(assignment.values, assignment.seed)
        self._metric = job.spec.objective.metric
        self._device = ""
        self._curve: list[dict[str, Any]] = []
        varied = tuple(dimension.path for dimension in self._space.dimensions)
        values = self._space.complete(assignment.values, assignment.seed)
        if assignment.scene:
            varied, values = (SCENE_COLUMN, *varied), {SCENE_COLUMN: assignment.scene, **values}
        derived = tuple(p.path for p in self._space.parameters.by_path.values() if p.sets)
        tracked = TrackedTrial(
            files.folder, self._trial_id, assignment.phase, values, varied, self._metric, derived
        )
        self._trackers = Trackers(job.spec, tracked, self._notify)
        steps = pruning_steps(job.spec.pruner, job.spec.steps)
        self._rungs = steps if assignment.may_be_pruned and job.spec.can_prune else ()

    def run(self) -> Message:
        """Trains from the checkpoint, if there is one, to the end; returns the last message."""
        with self._tracked():
            result = self._train()
            last = self._message(curve=tuple(self._curve))
            ended = last.ended(result.state, result.reason, self._metric)
            outcome = ended.with_final(result.metrics, result.memory, self._metric)
            if result.image is not None:
                self._save_render(result.image)
            self._trackers.end(outcome, result.image, self._video_writer())
        quality = self._job.spec.objective.format(outcome.value)
        self._log.write(f"{outcome.state} with {quality} {outcome.reason}".rstrip())
        return replace(last, outcome=outcome)

    def _video_writer(self) -> WriteVideo:
        """What writes a video of the trained NeRF; nothing for another trainer."""
        if self._job.spec.trainer or self._scene is None:
            return no_video
        return partial(write_trial_video, self._checkpoint, self._config, self._scene)

    @contextmanager
    def _tracked(self) -> Iterator[None]:
        """A context that ends the trial's runs in its trackers, also after an error."""
        try:
            yield
        except SystemExit:  # by Ray, inside a report
            steps = [0, *(point["step"] for point in self._curve)]
            budget = self._job.spec.steps
            before, last = steps[-2:] if len(steps) > 1 else (0, 0)
            if reached_rung(before, last, self._rungs, budget) is not None:
                reason = describe_pruning(self._job.spec.pruner, last)
                self._end_runs("pruned", reason)
                # Again: the driver did so, but the trainer may have written until now.
                self._files.folder.remove_checkpoint(self._trial_id)
            raise
        except TrainingStopped:
            raise
        except TrainingFailed as error:
            self._end_runs("failed", error.failure.reason)
            raise
        except Exception as error:
            size = self._space.describe_size(self._assignment.values)
            self._end_runs("failed", _diagnose(error, size).reason)
            raise
        finally:
            self._trackers.close()

    def _end_runs(self, state: str, reason: str) -> None:
        """Ends the runs of an attempt without a result."""
        last = self._message(curve=tuple(self._curve))
        self._trackers.end(last.ended(state, reason, self._metric))

    def _train(self) -> Trained:
        spec, number = self._job.spec, self._assignment.number
        if spec.pack > 1 and can_share_batch(self._config):
            scene = self._assignment.scene
            training = Training(number, self._config, self._rungs, scene, self._checkpoint)
            return train_in_batch(self._job, training, self._on_event, self._log.reset_timeout)
        task = TrialTask(
            steps=spec.steps,
            seed=self._assignment.seed,
            device="cuda" if spec.gpus_per_trial else "cpu",
            checkpoint_file=self._checkpoint,
            scene=self._scene,
            patience=spec.patience,
        )
        hooks = RunHooks(
            self._on_event,
            on_sign_of_life=self._log.reset_timeout,
            should_stop=make_stop_check(self._job.launch),
            log=self._log.write,
        )
        run = TrialRun(task, self._rules(), hooks)
        trainer = load_train(spec)
        return run.train(lambda: trainer(self._config, run))

    def _rules(self) -> RunRules:
        spec = self._job.spec
        columns = (TRIAL_COLUMNS.keys() - set(NERF_METRICS)) | self._space.parameters.by_path.keys()
        columns |= {SCENE_COLUMN}
        return RunRules(
            spec.objectives, self._rungs, tuple(map(parse_rule, spec.collapse)), frozenset(columns)
        )

    def _on_event(self, event: Event) -> None:
        match event:
            case Started():
                self._start(event)
            case Checkpoint(content):
                write_atomically(self._checkpoint, content)
            case Preview(image):
                # Before the report of it: Ray may end the trial right there.
                self._save_render(image)
                self._files.sync()
            case Evaluated(point):
                earlier = [each for each in self._curve if each["step"] < point["step"]]
                if len(earlier) == len(self._curve):  # else reported again, after a resume
                    self._trackers.log(point)
                self._curve = [*earlier, point]
                self._log.write(f"step {point['step']}: {self._describe(point)}")
                _report(self._message(curve=tuple(self._curve)))
            case _:
                raise TypeError(f"{event} ends a training")

    def _describe(self, point: Mapping[str, Any]) -> str:
        """The metrics of an evaluation, and its loss if it has one."""
        objectives = self._job.spec.objectives
        named = [
            f"{'' if o.metric == PSNR.metric else f'{o.metric} '}{o.format(point[o.metric])}"
            for o in objectives
        ]
        others = {"loss"} & point.keys() - {objective.metric for objective in objectives}
        return ", ".join([*named, *(f"{name} {point[name]:.4g}" for name in others)])

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
