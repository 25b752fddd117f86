"""One launch of a study: runs Ray Tune until every trial has ended or a stop is requested.

Ray's experiment state is never restored. Each run is a fresh Tuner that gets its trials from the
trial manager, which reads the journal. So there is one record of what is left to run, and it does
not matter which of Ray's processes died, or when.

Importing this imports Ray; call `configure_ray_environment` first.
"""

from __future__ import annotations

import logging
import secrets
import shlex
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune
from rich.console import Console

from nerf.common.errors import InputError
from nerf.scenes.scene import Scene
from nerf.training.schedule import evaluation_steps
from study.driver.cluster import choose_trial_storage, fit_cluster, runtime_environment
from study.driver.ray_tune_adapters import LedgerScheduler, LedgerSearcher
from study.driver.resources import Resources, has_free_space
from study.driver.trial_manager import StopReason, TrialManager
from study.ledger.ledger import Ledger
from study.monitor.live_view import LiveView
from study.protocol.failures import is_disk_full
from study.protocol.stopping import GRACE, Stop, broadcast_stop
from study.records.study_folder import StudyFolder
from study.search.successive_halving import rungs
from study.spec.study_spec import StudySpec
from study.worker.trainable import Job, run_trial

_MAX_RAY_FAILURES = 3
"""Failures of Ray as a whole, in a row and without a trial ending between, that are retried.

One process out of memory may be enough to make it fail.
"""


@dataclass(frozen=True)
class Ending:
    """How a launch ended: whether every trial has, and else why not, where that is an error."""

    finished: bool
    reason: str = ""


def launch(
    folder: StudyFolder,
    spec: StudySpec,
    scene: Scene,
    resources: Resources | None,
    console: Console,
    stop: Stop,
    extension: dict[str, Any] | None = None,
) -> Ending:
    """Runs the trials that the study in `folder` lacks, on its cluster if `resources` is None.

    `extension` is the new study.json of a study that is extended.

    Raises `InputError` if another process runs the study, and if Ray fails again and again.
    """
    ledger = Ledger(folder, spec)
    try:
        if extension:  # not before the lock is ours
            folder.write_spec(extension)
        steps = evaluation_steps(spec.reference_config)
        manager = TrialManager(folder, ledger, rungs(steps))
        with LiveView(console, folder.name, spec, folder.trivial_psnr()) as view:
            view.show(ledger.trials())
            _run_until_finished(manager, scene, resources, view, stop)
            view.show(ledger.trials(), at_once=True)
        folder.write_tables()
        disk_full = manager.stop_reason is StopReason.DISK_FULL
        return Ending(manager.is_finished(), StopReason.DISK_FULL.value if disk_full else "")
    except OSError as error:
        if not is_disk_full(error):
            raise
        return Ending(False, StopReason.DISK_FULL.value)
    finally:
        ledger.close()


def _run_until_finished(
    manager: TrialManager, scene: Scene, resources: Resources | None, view: LiveView, stop: Stop
) -> None:
    """Runs Ray until every trial has ended or a stop is requested, again where it fails."""
    failures, ended_before = 0, -1
    while not (manager.is_finished() or manager.stop_reason or stop.requested):
        try:
            with suppress(_StopOverdue):
                _run_tuner(manager, scene, resources, view, stop)
        except InputError:
            raise
        except Exception as error:
            if is_disk_full(error) or not has_free_space(manager.folder.path):
                manager.request_stop(StopReason.DISK_FULL)
                return
            ended = sum(trial.state.is_finished() for trial in manager.ledger.trials())
            failures = failures + 1 if ended == ended_before else 1
            ended_before = ended
            if failures > _MAX_RAY_FAILURES:
                raise InputError(
                    f"Ray failed {failures} times in a row ({_first_line(error)}); all trials that "
                    "have ended are saved, --resume continues with the rest"
                ) from error
            view.note(f"Ray failed ({_first_line(error)}); starting it again")
            manager.requeue_running()


def _run_tuner(
    manager: TrialManager, scene: Scene, resources: Resources | None, view: LiveView, stop: Stop
) -> None:
    """Starts Ray, or joins the study's cluster, and runs one Tuner to its end."""
    folder, spec = manager.folder, manager.ledger.spec
    # Ray's experiment folder: scratch that is never read again. On a cluster all nodes must see
    # it; on one machine it is on another disk than the study: Tune hangs where its disk is full.
    shutil.rmtree(folder.ray, ignore_errors=True)
    scratch = folder.ray.resolve() if spec.address else Path(tempfile.mkdtemp(prefix="nerf-study-"))
    _connect(spec, resources)
    try:
        stop.install_handlers()  # again, as Ray has installed its own
        resources = resources or fit_cluster(spec)
        storage = choose_trial_storage(folder, spec) if spec.address else None
        manager.use_storage(storage)
        job = Job(folder, spec, secrets.token_hex(8), storage)
        searcher = LedgerSearcher(manager)
        per_trial = {"cpu": spec.cpus_per_trial, "gpu": spec.gpus_per_trial}
        tune.Tuner(
            tune.with_resources(tune.with_parameters(run_trial, scene=scene, job=job), per_trial),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=LedgerScheduler(manager, searcher),
                num_samples=-1,  # until the searcher returns FINISHED
                max_concurrent_trials=resources.at_once,
                reuse_actors=True,  # a new process costs seconds
                trial_dirname_creator=lambda trial: str(trial.trial_id),
            ),
            run_config=tune.RunConfig(
                name="launch",
                storage_path=str(scratch),
                callbacks=[_LaunchCallback(manager, view, stop, job.launch)],
                verbose=0,
            ),
        ).fit()
    finally:
        ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)


def _connect(spec: StudySpec, resources: Resources | None) -> None:
    """Starts Ray here with these resources; joins the study's cluster if they are None."""
    # The trial manager reports failures, once it is known whether the trial is retried.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if resources:
        ray.init(
            address="local",  # even if RAY_ADDRESS is set
            num_cpus=resources.cpus,
            num_gpus=resources.gpus,
            include_dashboard=False,
            # Ray hands its workers' interpreter to a shell as it is: a path with a space breaks.
            runtime_env={"py_executable": shlex.quote(sys.executable)},
            **quiet,
        )
        return
    try:
        ray.init(address=spec.address, runtime_env=runtime_environment(), **quiet)
    except (ConnectionError, ValueError) as error:
        raise InputError(
            f"cannot reach a Ray cluster at --address {spec.address} ({_first_line(error)}); start "
            "one, or leave the option out to run on this machine"
        ) from error


class _StopOverdue(Exception):
    """Trials took longer than `GRACE` to stop; the next launch uses their last checkpoints."""


class _LaunchCallback(tune.Callback):
    """Updates the view while Ray runs, and ends the launch where a stop is requested."""

    def __init__(self, manager: TrialManager, view: LiveView, stop: Stop, launch: str) -> None:
        self._manager = manager
        self._view = view
        self._stop = stop
        self._launch = launch
        self._deadline: float | None = None

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        for notice in self._manager.drain_notices():
            self._view.note(notice)
        self._view.show(self._manager.ledger.trials())
        if self._stop.requested:
            self._manager.request_stop(StopReason.REQUESTED)
        if self._manager.stop_reason and self._deadline is None:
            self._deadline = time.monotonic() + GRACE
            self._view.note(
                "stopping: running trials are saving checkpoints (Ctrl-C again quits now)"
            )
            broadcast_stop(self._launch)
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise _StopOverdue

    def __getstate__(self) -> dict[str, Any]:
        return {}


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
