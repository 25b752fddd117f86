"""What the options leave to the place where they are given: whole paths, and shares of its GPUs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from study.driver.resources import gpu_share
from study.spec.study_spec import StudySpec
from study.storage.remote import is_url

_BUILT_IN = ("bricks", "tiny-lego")


def settled(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options as given, but for an absolute scene and storage and a number of GPUs per trial.

    Raises `InputError` where `--gpus-per-trial auto` would be settled by the wrong machine.
    """
    options = dict(given)
    if options.get("gpus_per_trial") == "auto":
        if options.get("address"):
            raise InputError(
                "--gpus-per-trial auto looks at this machine alone; with --address name a share"
            )
        cpus = options.get("cpus_per_trial", StudySpec.cpus_per_trial)
        options["gpus_per_trial"] = gpu_share(cpus)
    if "scene" in options and options["scene"] not in _BUILT_IN:
        options["scene"] = _absolute(options["scene"])
    if "storage" in options and not is_url(options["storage"]):
        options["storage"] = _absolute(options["storage"])
    return options


def _absolute(path: str) -> str:
    return str(Path(path).absolute())
