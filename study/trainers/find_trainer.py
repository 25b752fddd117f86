"""The trainer that options name: a function by `--trainable`, or a program by `--command`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nerf.common.errors import InputError
from study.trainers.program.command import Program, read_program
from study.trainers.trainable import Trainable, read_trainable

TRAINER_OPTIONS = ("trainable", "command", "parameter_file", "workdir")
"""The options that say what trains, by name."""


def find_trainer(options: Mapping[str, Any]) -> Trainable | Program | None:
    """The user's trainer; None for this project's NeRF. Raises `InputError` if it is not one."""
    trainable, command = options.get("trainable"), options.get("command")
    if trainable and command:
        raise InputError("--trainable and --command both say what trains; leave one of them out")
    if command is not None:
        return read_program(command, options.get("parameter_file"), options.get("workdir"))
    for name in ("parameter_file", "workdir"):
        if options.get(name):
            option = "--" + name.replace("_", "-")
            raise InputError(f"{option} belongs to --command, which is missing; add it")
    return read_trainable(trainable) if trainable else None
