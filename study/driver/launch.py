"""One launch of a study: runs Ray Tune until every trial has ended or a stop is requested.

Ray's experiment state is never restored. Each run is a fresh Tuner that gets its trials from the
trial manager, which reads the journal. So there is one record of what is left to run, and it does
not matter which of Ray's processes died, or when.

Importing this imports Ray; call `configure_ray_environment` first.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ray
from ray import tune
from rich.console import Console

from nerf.common.errors import InputError
from nerf.scenes.scene import Scene
from study.driver.launch_callback import LaunchCallback, StopOverdue
from study.driver.launch_stop import StopReason
from study.driver.looks import take_look
from study.driver.packing import end_batches
from study.driver.ray_session import MAX_RAY_FAILURES, RaySession, first_line
from study.driver.ray_tune_adapters import LedgerScheduler, LedgerSearcher
from study.driver.replanning import Replanning
from study.driver.resources import has_free_space, trial_resources
from study.driver.time_limit import TimeLimit
from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.monitor.live_view import LiveView
from study.protocol.failures import is_disk_full
from study.protocol.stopping import Stop
from study.records.study_folder import StudyFolder
from study.search.pruning_steps import pruning_steps
from study.spec.study_spec import StudySpec
from study.storage.remote import Storage
from study.worker.job import Job
from study.worker.trainable import run_trial


@dataclass(frozen=True)
class Ending:
    """How a launch ended: whether every trial has, and else why not, where that is an error."""

    finished: bool
    reason: str = ""
    is_useless: bool = False
    """Whether a mistake in the trainer ended it before any trial reported a finite metric."""


def launch(
    folder: StudyFolder,
    spec: StudySpec,
    scenes: Mapping[str, Scene],
    session: RaySession,
    console: Console,
    stop: Stop,
    extension: dict[str, Any] | None = None,
    began: float | None = None,
) -> Ending:
    """Runs the trials that the study in `folder` lacks.

    scenes: those of the study by their labels
    extension: the new study.json, of a study that is being extended
    began: when the launching process started (`time.time()`); its hours count from then

    Raises `InputError` if another process runs the study, and if Ray fails again and again.
    """
    ledger = Ledger(folder, spec)
    try:
        if extension:  # not before the lock is ours
            folder.write_spec(extension)
        replanning = Replanning(
            folder,
            ledger,
            partial(take_look, folder, lambda: stop.requested),
            _time_limit(folder, spec, session, began),
        )
        steps = pruning_steps(spec.pruner, spec.steps) if spec.can_prune else ()
        manager = TrialManager(folder, ledger, steps, replanning)
        with LiveView(console, folder.name, spec, folder.trivial_psnrs()) as view:
            view.show(ledger.trials(), running=())
            _run_until_finished(manager, scenes, session, view, stop)
            finished = manager.is_finished()
            for notice in manager.drain_notices():
                view.note(notice)
            view.spec = ledger.spec
            view.show(ledger.trials(), at_once=True, is_interrupted=not finished)
        ledger.plot_outcomes()
        folder.write_tables()
        is_useless = manager.stop.reason is StopReason.TRAINER_FAILED and not ledger.has_values()
        return Ending(manager.is_finished(), manager.stop.error, is_useless)
    except OSError as error:
        if not is_disk_full(error):
            raise
        return Ending(False, StopReason.DISK_FULL.value)
    finally:
        ledger.close()


def _time_limit(
    folder: StudyFolder, spec: StudySpec, session: RaySession, began: float | None
) -> TimeLimit | None:
    """What keeps the launch to the hours of its study; None without hours."""
    if not (spec.hours or spec.budget):
        return None

    def at_once() -> int:
        if session.resources:
            return session.resources.at_once
        return session.capacity.at_once if session.capacity else 1

    return TimeLimit(folder, spec, at_once, time.time() if began is None else began)


def _run_until_finished(
    manager: TrialManager,
    scenes: Mapping[str, Scene],
    session: RaySession,
    view: LiveView,
    stop: Stop,
) -> None:
    """Runs Ray until every trial has ended or a stop is requested, again where it fails."""
    failures, ended_before = 0, -1
    while not (manager.is_finished() or manager.stop.reason or stop.requested):
        try:
            with suppress(StopOverdue):
                _run_tuner(manager, scenes, session, view, stop)
        except InputError:
            raise
        except Exception as error:
            if is_disk_full(error) or not has_free_space(manager.folder.path):
                manager.stop.request(StopReason.DISK_FULL)
                return
            ended = sum(trial.state.is_finished() for trial in manager.ledger.trials())
            failures = failures + 1 if ended == ended_before else 1
            ended_before = ended
            if failures > MAX_RAY_FAILURES:
                raise InputError(
                    f"Ray failed {failures} times in a row ({first_line(error)}); all trials that "
                    "have ended are saved, --resume continues with the rest"
                ) from error
            view.note(f"Ray failed ({first_line(error)}); starting it again")
            manager.requeue_running()


def _run_tuner(
    manager: TrialManager,
    scenes: Mapping[str, Scene],
    session: RaySession,
    view: LiveView,
    stop: Stop,
) -> None:
    """Runs one Tuner to its end, in a session that is opened again where Ray has failed."""
    from nerf.training.preparation import prepare  # imports torch

    folder, spec = manager.folder, manager.ledger.spec
    # Ray's experiment folder: scratch that is never read again. On a cluster all nodes must see
    # it; on one machine it is on another disk than the study: Tune hangs where its disk is full.
    shutil.rmtree(folder.ray, ignore_errors=True)
    scratch = folder.ray.resolve() if spec.address else Path(tempfile.mkdtemp(prefix="nerf-study-"))
    launch = secrets.token_hex(8)
    proof = folder.path / f".launch-{launch}" if spec.address and not spec.storage else None
    try:
        session.connect()
        stop.install_handlers()  # again, as Ray has installed its own
        storage = Storage.of(spec.storage, folder) if spec.address and spec.storage else None
        manager.use_storage(storage)
        if proof:
            proof.touch()
        searcher = LedgerSearcher(manager, session.capacity)
        refs = {label: ray.put(prepare(scene)) for label, scene in scenes.items()}
        job = Job(folder, spec, launch, refs, storage, proof)
        per_trial = {name.lower(): amount for name, amount in trial_resources(spec).items()}
        tune.Tuner(
            tune.with_resources(tune.with_parameters(run_trial, job=job), per_trial),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=LedgerScheduler(manager, searcher),
                num_samples=-1,  # until the searcher returns FINISHED
                # On a cluster the searcher knows how many fit at the time.
                max_concurrent_trials=session.resources.at_once if session.resources else None,
                reuse_actors=True,  # a new process costs seconds
                trial_dirname_creator=lambda trial: str(trial.trial_id),
            ),
            run_config=tune.RunConfig(
                name="launch",
                storage_path=str(scratch),
                callbacks=[LaunchCallback(manager, view, stop, launch, session.capacity)],
                verbose=0,
            ),
        ).fit()
    finally:
        end_batches(launch)
        session.close()
        shutil.rmtree(scratch, ignore_errors=True)
        if proof:
            proof.unlink(missing_ok=True)
