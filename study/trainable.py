"""One trial inside a Ray worker: the only place that reports to Ray Tune.

A trial never raises into Ray. It says how it went in its last message, so that its process lives
on for the next trial: a new one would cost seconds.
"""

from __future__ import annotations

import os
import platform
import traceback
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import imageio.v3 as imageio
from ray import tune

from nerf.files import write_atomically
from nerf.scenes.scene import Scene
from study.folder import StudyFolder, trial_id
from study.messages import Assignment, Message, Outcome
from study.search import MESSAGE, TRIAL
from study.spec import StudySpec
from study.tracking import track


@dataclass(frozen=True)
class Job:
    """What every trial of a study shares."""

    folder: StudyFolder
    spec: StudySpec


def run_trial(config: dict[str, Any], scene: Scene, job: Job) -> None:
    """Trains `config[TRIAL]` and reports a `Message` at each evaluation and at the end."""
    assignment: Assignment = config[TRIAL]
    if not job.spec.gpus_per_trial:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # Ray leaves it unset, and torch would take a GPU
    try:
        _train(assignment, scene, job)
    except Exception as error:
        file = job.folder.error(trial_id(assignment.number))
        write_atomically(file, traceback.format_exc().encode())
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        _report(Message(assignment.number, platform.node(), "", outcome=Outcome("failed", reason)))


def _train(assignment: Assignment, scene: Scene, job: Job) -> None:
    import torch  # after CUDA_VISIBLE_DEVICES is settled

    from nerf.checkpoint import load_checkpoint
    from nerf.training import Progress, train

    torch.set_num_threads(job.spec.cpus_per_trial)
    device = "cuda" if job.spec.gpus_per_trial else "cpu"
    say = partial(Message, assignment.number, host=platform.node(), device=_device_name(device))
    name = trial_id(assignment.number)
    checkpoint = job.folder.checkpoint(name)
    curve: list[dict[str, Any]] = []
    if checkpoint.exists():
        curve = load_checkpoint(checkpoint)["curve"]
    config = job.spec.space.config(assignment.values, assignment.seed)
    with track(job.folder, job.spec.wandb, name, assignment.phase, config) as run:

        def on_progress(progress: Progress) -> None:
            curve.append(asdict(progress))
            run.log(curve[-1])
            _report(say(curve=tuple(curve)))

        result = train(config, scene, on_progress, checkpoint=checkpoint, device=device)
        ended = say(curve=tuple(asdict(progress) for progress in result.curve))
        outcome = replace(
            ended.ended(result.state, result.reason),
            psnr=result.psnr,
            ssim=result.ssim,
            test_psnr=result.test_psnr,
            test_ssim=result.test_ssim,
        )
        png = imageio.imwrite("<bytes>", result.picture, extension=".png")
        write_atomically(job.folder.render(name), png)
        run.end(outcome, result.picture)
    _report(replace(ended, outcome=outcome))


def _report(message: Message) -> None:
    tune.report({MESSAGE: message})


def _device_name(device: str) -> str:
    """What the trial computes on, by name where it has one."""
    import torch

    return torch.cuda.get_device_name() if device == "cuda" else platform.machine() + " CPU"
