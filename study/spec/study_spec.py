"""What a study is asked to do: everything that decides which trials it runs, and on what."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from nerf.common.errors import InputError, closest
from nerf.config.parameters import Flat, parse_settings
from study.spec.parse_space import DEFAULT_SETTINGS, default_space, parse_space
from study.spec.space import Space

WANDB_MODES = ("off", "offline", "online")

# These have options of their own; a second way to set them could only disagree.
_OWN_OPTION = {"optimisation.steps": "--steps", "seed": "--seed"}

# How many trials each phase has is a field of the spec, called:
_TRIALS_OF = {"explore": "explore", "optimize": "optimize", "replicate": "replicates"}
_COUNTS = (*_TRIALS_OF.values(), "seed", "gpus_per_trial", "max_concurrent", "retries")


@dataclass(frozen=True)
class StudySpec:
    """One study. Raises `InputError` for numbers that make no study."""

    space: Space
    """What varies and what is held fixed, the steps of a full budget among it."""

    scene: str = "bricks"
    """`bricks`, `tiny-lego` or the path of a scene."""

    downscale: int = 1
    """What the sides of a folder's photographs are divided by."""

    background: Literal["white", "black"] = "white"
    """What lies behind pictures with an alpha channel."""

    explore: int = 48
    """Trials of the explore phase: a quasi-random design, each at full budget."""

    optimize: int = 8
    """Trials of the optimise phase: the default configuration, then what TPE proposes."""

    replicates: int = 0
    """Trials that run a configuration again with another seed: explored ones, then the best."""

    steps: int = 300
    """Steps of a full budget."""

    seed: int = 0
    """Decides the explore design, the optimiser's draws and, with its number, each trial's seed."""

    cpus_per_trial: int = 1
    gpus_per_trial: float = 0.0
    max_concurrent: int = 0
    """Trials at once; 0 means as many as the machine holds."""

    wandb: str = "off"
    """off, offline or online."""

    address: str = ""
    """The Ray cluster that runs the trials; this machine alone where empty."""

    storage: str = ""
    """The folder or URL under which a copy of the study is kept; none where empty."""

    retries: int = 1
    """How often a trial that breaks off is tried again, from its checkpoint."""

    patience: float = 600.0
    """Seconds after which a trial that makes no step is ended."""

    def __post_init__(self) -> None:
        for name in _COUNTS:
            _require(
                getattr(self, name) >= 0,
                f"{option(name)} must be 0 or more, got {getattr(self, name)}",
            )
        _require(
            self.explore + self.optimize > 0,
            "a study needs at least one trial; raise --explore or --optimize",
        )
        for name in ("steps", "cpus_per_trial"):
            _require(
                getattr(self, name) >= 1,
                f"{option(name)} must be at least 1, got {getattr(self, name)}",
            )
        _require(self.patience > 0, f"--patience must be positive, got {self.patience:g} s")
        _require(
            self.wandb in WANDB_MODES,
            f"--wandb must be one of {', '.join(WANDB_MODES)}; got {self.wandb!r}"
            + closest(self.wandb, list(WANDB_MODES)),
        )
        _require(
            not _holds_credentials(self.storage),
            "--storage must hold no credentials, as it is kept with the study; give them by "
            "environment variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
        )
        _require(bool(self.space.dimensions), "nothing varies; give a --vary, or drop a --set")

    @property
    def planned(self) -> dict[str, int]:
        """How many trials each phase has."""
        return {phase: getattr(self, field) for phase, field in _TRIALS_OF.items()}

    @property
    def trials(self) -> int:
        return sum(self.planned.values())

    def to_json(self) -> dict[str, Any]:
        """Every field but the space, which study.json holds beside it."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "space"
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> StudySpec:
        """The spec that study.json holds."""
        return StudySpec(space=Space.from_json(document["space"]), **document["spec"])


def study_space(varied: Sequence[str], settings: Sequence[str], steps: int) -> Space:
    """The space that `--vary` and `--set` texts ask for; the default one where nothing varies."""
    fixed: Flat = parse_settings(list(settings))
    for path, own in _OWN_OPTION.items():
        _require(path not in fixed, f"{path} has an option of its own; use {own}")
    _require(steps >= 1, f"--steps must be at least 1, got {steps}")
    settled = {text.partition("=")[0] for text in varied}
    usual = {path: value for path, value in DEFAULT_SETTINGS.items() if path not in settled}
    fixed = {**usual, **fixed, "optimisation.steps": steps}
    return parse_space(varied, fixed) if varied else default_space(fixed)


def option(field: str) -> str:
    """How a field of the spec is spelt on the command line."""
    return "--" + field.replace("_", "-")


def extend(spec: StudySpec, trials: int, replicates: int = 0) -> StudySpec:
    """The study with more trials: explored ones, or optimised ones where it explores nothing.

    Where `replicates` more are asked for, `trials` may be 0.
    """
    least = 0 if replicates > 0 else 1
    _require(trials >= least, f"--extend must be at least {least}, got {trials}")
    _require(replicates >= 0, f"--replicates must be 0 or more, got {replicates}")
    phase = "explore" if spec.explore else "optimize"
    longer: dict[str, Any] = {phase: getattr(spec, phase) + trials}
    return dataclasses.replace(spec, **longer, replicates=spec.replicates + replicates)


def check_unchanged(asked: StudySpec, kept: StudySpec, given: Sequence[str]) -> None:
    """Raises `InputError` where an option `given` would make it another study."""
    for field in ("scene", "downscale", "background", *_TRIALS_OF.values(), "steps", "seed"):
        if field in given and getattr(asked, field) != getattr(kept, field):
            raise InputError(
                f"{option(field)} {getattr(asked, field)} differs from the study's "
                f"{getattr(kept, field)}; leave it out to go on, or give another --name"
            )
    if {"vary", "set"} & set(given) and asked.space != kept.space:
        raise InputError(
            "--vary and --set differ from what the study varies and sets; leave them out to go on, "
            "or give another --name"
        )


def _holds_credentials(url: str) -> bool:
    parts = urlsplit(url)
    return parts.password is not None or any(key in parts.query for key in ("secret", "access_key"))


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise InputError(message)
