"""One trial inside a Ray worker: the only place that reports to Ray Tune.

A trial never raises into Ray. It says how it went in its last message, so that its process lives
on for the next trial: a new one would cost seconds.
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
from study.protocol.failures import of_exception
from study.protocol.messages import MESSAGE, TRIAL, Assignment, Message
from study.protocol.stopping import listener
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.search.successive_halving import rungs
from study.spec.study_spec import StudySpec
from study.storage.remote import Storage
from study.worker.trial_files import TrialFiles, trial_files
from study.worker.trial_log import TrialLog
from study.worker.wandb_run import track
from study.worker.wandb_video import make_film

if TYPE_CHECKING:
    from nerf.evaluation.evaluate import Picture
    from nerf.training.loop import Progress


@dataclass(frozen=True)
class Job:
    """What every trial of a launch shares."""

    folder: StudyFolder
    spec: StudySpec
    launch: str
    """Names the launch among all that a cluster may see."""
    storage: Storage | None = None
    """What trials reach instead of the study folder, where their machines do not share it."""


def run_trial(config: dict[str, Any], scene: Scene, job: Job) -> None:
    """Trains `config[TRIAL]` and reports a `Message` at each evaluation and at the end."""
    assignment: Assignment = config[TRIAL]
    if not job.spec.gpus_per_trial:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # Ray leaves it unset, and torch would take a GPU
    from nerf.training.loop import Interrupted

    last: Message | None = None
    try:
        with trial_files(job.folder, job.storage, trial_id(assignment.number)) as files:
            log_file = files.folder.log(trial_id(assignment.number))
            with TrialLog(log_file, assignment.attempt, job.spec.patience) as log:
                try:
                    last = _Trial(assignment, scene, job.spec, job.launch, files, log).run()
                except Interrupted as stopped:
                    log.say(str(stopped))
                except Exception:
                    log.say(traceback.format_exc())
                    raise
    except Exception as error:
        config_of = job.spec.space.config(assignment.values, assignment.seed)
        fault = of_exception(error, config_of)
        last = Message(assignment.number, platform.node(), "", fault=fault)
    _give_back_memory()
    if last:  # only now, when the driver finds the trial's files
        _report(last)


def _give_back_memory() -> None:
    """To the system what a trial freed: glibc keeps it, over a gigabyte after fifty of them."""
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
        self._name = trial_id(assignment.number)
        self._device = "cuda" if spec.gpus_per_trial else "cpu"
        self._config = spec.space.config(assignment.values, assignment.seed)
        self._curve: list[dict[str, Any]] = []
        self._compared_at = rungs(evaluation_steps(self._config)) if assignment.may_stop else ()

    def run(self) -> Message:
        """Trains from the checkpoint on, where there is one, to the end; returns how it ended."""
        from nerf.training.loop import train

        folder = self._files.folder
        checkpoint = folder.checkpoint(self._name)
        self._take_up(checkpoint)
        phase = self._assignment.phase
        with track(folder, self._spec.wandb, self._name, phase, self._config) as run:
            self._track = run
            result = train(
                self._config,
                self._scene,
                self._evaluated,
                on_step=lambda step: self._log.alive(),
                on_picture=self._pictured,
                should_stop=listener(self._launch),
                checkpoint=checkpoint,
                device=self._device,
            )
            ended = self._message(curve=tuple(asdict(progress) for progress in result.curve))
            outcome = replace(
                ended.ended(result.state, result.reason),
                psnr=result.psnr,
                ssim=result.ssim,
                test_psnr=result.test_psnr,
                test_ssim=result.test_ssim,
            )
            self._keep_render(result.picture)
            film = partial(make_film, checkpoint, self._config, self._scene)
            run.end(outcome, result.picture, film)
        self._log.say(f"{outcome.state} with {outcome.psnr:.2f} dB {outcome.reason}".rstrip())
        return replace(ended, outcome=outcome)

    def _take_up(self, checkpoint: Path) -> None:
        """Finds out what an earlier attempt left; what cannot be read is named and put aside."""
        from nerf.training.checkpoint import load_checkpoint

        if not checkpoint.exists():
            return
        try:
            state = load_checkpoint(checkpoint)
            self._curve = list(state["curve"])
            self._log.say(f"goes on after step {state['step']['number']}")
        except (InputError, KeyError) as error:
            checkpoint.replace(checkpoint.with_suffix(".pt.damaged"))
            notice = f"trial {self._assignment.number} starts anew: {error}"
            self._log.say(notice)
            _report(self._message(notice=notice))

    def _evaluated(self, progress: Progress) -> None:
        self._curve.append(asdict(progress))
        self._track.log(self._curve[-1])
        self._log.say(f"step {progress.step}: {progress.psnr:.2f} dB, loss {progress.loss:.4g}")
        _report(self._message(curve=tuple(self._curve)))

    def _pictured(self, step: int, picture: Callable[[], Picture]) -> None:
        """Where the trial may be stopped: whatever comes after the report would be too late."""
        if step in self._compared_at:
            rendered = np.nan_to_num(picture().rgb.numpy())
            photograph = self._scene.images[self._scene.val[0]]
            stride = -(-photograph.shape[0] // rendered.shape[0])
            both = np.concatenate((rendered, photograph[::stride, ::stride]), axis=1)
            self._keep_render((both * 255 + 0.5).astype(np.uint8))
            self._files.bring_home()

    def _keep_render(self, pixels: np.ndarray) -> None:
        png = imageio.imwrite("<bytes>", pixels, extension=".png")
        write_atomically(self._files.folder.render(self._name), png)

    def _message(self, **content: Any) -> Message:
        device = _device_name(self._device)
        node = ray.get_runtime_context().get_node_id()
        return Message(self._assignment.number, platform.node(), device, node=node, **content)


def _report(message: Message) -> None:
    tune.report({MESSAGE: message})


def _device_name(device: str) -> str:
    """What the trial computes on, by name where it has one."""
    import torch

    return torch.cuda.get_device_name() if device == "cuda" else platform.machine() + " CPU"
