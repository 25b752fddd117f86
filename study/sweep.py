"""One launch of a study: a fresh Ray Tuner that runs whatever the ledger says is left to run.

Importing this imports Ray; call `settle_environment` first.
"""

from __future__ import annotations

import logging
import shutil
from typing import Any

import ray
from ray import tune
from rich.console import Console

from nerf.scenes.scene import Scene
from nerf.training import evaluation_steps
from study.bookkeeping import Bookkeeper
from study.folder import StudyFolder
from study.halving import rungs
from study.ledger import Ledger
from study.progress import View
from study.resources import Resources
from study.search import LedgerScheduler, LedgerSearcher
from study.spec import StudySpec
from study.trainable import Job, run_trial


def launch(
    folder: StudyFolder, spec: StudySpec, scene: Scene, resources: Resources, console: Console
) -> bool:
    """Runs what is left of the study in `folder`; False where it was interrupted before its end.

    Raises `InputError` if another process runs the study.
    """
    ledger = Ledger(folder, spec)
    try:
        steps = evaluation_steps(spec.space.config(spec.space.defaults()))
        books = Bookkeeper(folder, ledger, rungs(steps))
        with View(console, folder.name, spec) as view:
            view.show(ledger.trials())
            _run_trials(books, scene, resources, view)
            view.show(ledger.trials(), at_once=True)
        folder.write_tables()
        return books.finished()
    finally:
        ledger.close()


def _run_trials(books: Bookkeeper, scene: Scene, resources: Resources, view: View) -> None:
    folder, spec = books.folder, books.ledger.spec
    shutil.rmtree(folder.ray, ignore_errors=True)  # scratch of an earlier launch
    ray.init(
        address="local",  # whatever RAY_ADDRESS says
        num_cpus=resources.cpus,
        num_gpus=resources.gpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    try:
        trainable = tune.with_parameters(run_trial, scene=scene, job=Job(folder, spec))
        needs = {"cpu": spec.cpus_per_trial, "gpu": spec.gpus_per_trial}
        tune.Tuner(
            tune.with_resources(trainable, needs),
            tune_config=tune.TuneConfig(
                search_alg=LedgerSearcher(books),
                scheduler=LedgerScheduler(books),
                num_samples=-1,  # the searcher says when it is over
                max_concurrent_trials=resources.at_once,
                reuse_actors=True,
                trial_dirname_creator=lambda trial: str(trial.trial_id),
            ),
            run_config=tune.RunConfig(
                name="launch",
                storage_path=str(folder.ray.resolve()),
                callbacks=[_Watching(books, view)],
                verbose=0,
            ),
        ).fit()
    finally:
        ray.shutdown()


class _Watching(tune.Callback):
    """Keeps the view up to date while Ray runs."""

    def __init__(self, books: Bookkeeper, view: View) -> None:
        self._books = books
        self._view = view

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        self._view.show(self._books.ledger.trials())

    def __getstate__(self) -> dict[str, Any]:
        return {}
