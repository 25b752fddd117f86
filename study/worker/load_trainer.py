"""The trainer of a study, in the process of a trial."""

from __future__ import annotations

import importlib
import sys

from nerf.config.plugin import load_plugins
from study.spec.study_spec import StudySpec
from study.trainers.parameter_set import DeclaredParameters
from study.trainers.trainer import Train


def load_train(spec: StudySpec) -> Train:
    """The function `train(config, run)` of a study, with its plugins loaded."""
    load_plugins(spec.plugins)
    parameters = spec.space.parameters
    if isinstance(parameters, DeclaredParameters) and parameters.trainer:
        return parameters.trainer.load().train
    from study.trainers.nerf_trainer import train

    return train


def import_trainer(spec: StudySpec) -> None:
    """Imports what a trial needs, for as many threads as it has CPUs."""
    load_train(spec)
    if not spec.trainer:
        importlib.import_module("nerf.training.loop")
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(spec.cpus_per_trial)
