"""One launch of a study: a fresh Ray Tuner that runs whatever the ledger says is left to run.

Importing this imports Ray; call `settle_environment` first.
"""

from __future__ import annotations

import logging
import secrets
import shlex
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune
from rich.console import Console

from nerf.common.errors import InputError
from nerf.scenes.scene import Scene
from nerf.training.schedule import evaluation_steps
from study.driver.cluster import fit_cluster, runtime_environment, storage_instead
from study.driver.ray_tune_adapters import LedgerScheduler, LedgerSearcher
from study.driver.resources import Resources, has_room
from study.driver.trial_manager import Bookkeeper
from study.ledger.ledger import Ledger
from study.monitor.live_view import View
from study.protocol.failures import no_room
from study.protocol.stopping import GRACE, Stop, tell_trials
from study.records.study_folder import StudyFolder
from study.search.successive_halving import rungs
from study.spec.study_spec import StudySpec
from study.worker.trainable import Job, run_trial

_RELAUNCHES = 3
"""Ray may give up on a whole run for one process out of memory; so often in a row we begin anew."""


@dataclass(frozen=True)
class Ending:
    """How a launch ended: whether every trial has, and else what held it up."""

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
    """Runs what is left of the study in `folder`, on a cluster where there are no `resources` here.

    `extension` is study.json of a longer study.

    Raises `InputError` if another process runs the study, and if Ray fails again and again.
    """
    ledger = Ledger(folder, spec)
    try:
        if extension:  # not before the lock is ours
            folder.write_spec(extension)
        steps = evaluation_steps(spec.space.config(spec.space.defaults()))
        books = Bookkeeper(folder, ledger, rungs(steps))
        with View(console, folder.name, spec, folder.baseline()) as view:
            view.show(ledger.trials())
            _run_to_the_end(books, scene, resources, view, stop)
            view.show(ledger.trials(), at_once=True)
        folder.write_tables()
        return Ending(books.finished(), "the disk is full" if books.disk_full else "")
    except OSError as error:
        if not no_room(error):
            raise
        return Ending(False, "the disk is full")
    finally:
        ledger.close()


def _run_to_the_end(
    books: Bookkeeper, scene: Scene, resources: Resources | None, view: View, stop: Stop
) -> None:
    """Launches Ray, and again where it fails as a whole."""
    failures, ended = 0, -1
    while not (books.finished() or stop.asked or books.disk_full):
        try:
            _run_trials(books, scene, resources, view, stop)
        except _Overdue:
            return
        except InputError:
            raise
        except Exception as error:
            if no_room(error) or not has_room(books.folder.path):
                books.disk_full = True
                return
            done = sum(trial.state.is_finished() for trial in books.ledger.trials())
            failures, ended = (failures + 1 if done == ended else 1), done
            if failures > _RELAUNCHES:
                raise InputError(
                    f"Ray failed {failures} times in a row ({_first_line(error)}); what has ended "
                    "is kept, --resume goes on"
                ) from error
            view.note(f"Ray failed ({_first_line(error)}); beginning anew with what is left")
            books.begin_anew()


def _run_trials(
    books: Bookkeeper, scene: Scene, resources: Resources | None, view: View, stop: Stop
) -> None:
    folder, spec = books.folder, books.ledger.spec
    # Scratch, never read again. Workers elsewhere must see it; here it is kept off its disk,
    # since Tune waits for ever where that is full.
    shutil.rmtree(folder.ray, ignore_errors=True)
    scratch = folder.ray.resolve() if spec.address else Path(tempfile.mkdtemp(prefix="nerf-study-"))
    _connect(spec, resources)
    try:
        stop.listen()
        resources = resources or fit_cluster(spec)
        books.away = storage_instead(folder, spec) if spec.address else None
        job = Job(folder, spec, secrets.token_hex(8), books.away)
        searcher = LedgerSearcher(books)
        needs = {"cpu": spec.cpus_per_trial, "gpu": spec.gpus_per_trial}
        tune.Tuner(
            tune.with_resources(tune.with_parameters(run_trial, scene=scene, job=job), needs),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=LedgerScheduler(books, searcher),
                num_samples=-1,  # the searcher says when it is over
                max_concurrent_trials=resources.at_once,
                reuse_actors=True,
                trial_dirname_creator=lambda trial: str(trial.trial_id),
            ),
            run_config=tune.RunConfig(
                name="launch",
                storage_path=str(scratch),
                callbacks=[_Watching(books, view, stop, job.launch)],
                verbose=0,
            ),
        ).fit()
    finally:
        ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)


def _connect(spec: StudySpec, resources: Resources | None) -> None:
    """Starts Ray here with these resources, or joins the study's cluster where there are none."""
    # A trial that broke off is told of by the bookkeeper, who may have it tried again.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if resources:
        ray.init(
            address="local",  # whatever RAY_ADDRESS says
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
            f"no Ray cluster answers at --address {spec.address} ({_first_line(error)})"
        ) from error


class _Overdue(Exception):
    """Trials that were asked to stop took too long; their last checkpoints must do."""


class _Watching(tune.Callback):
    """Keeps the view up to date while Ray runs, and passes on that the launch is to end."""

    def __init__(self, books: Bookkeeper, view: View, stop: Stop, launch: str) -> None:
        self._books = books
        self._view = view
        self._stop = stop
        self._launch = launch
        self._told_at: float | None = None

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        while self._books.notices:
            self._view.note(self._books.notices.pop(0))
        self._view.show(self._books.ledger.trials())
        if self._stop.asked:
            self._books.stopping = True
        if self._books.stopping and self._told_at is None:
            self._told_at = time.monotonic()
            self._view.note("stopping; running trials keep themselves (Ctrl-C again: at once)")
            tell_trials(self._launch)
        if self._told_at is not None and time.monotonic() > self._told_at + GRACE:
            raise _Overdue

    def __getstate__(self) -> dict[str, Any]:
        return {}


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
