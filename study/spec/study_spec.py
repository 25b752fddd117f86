"""The specification of a study: which trials it runs, with what resources, and where."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nerf.common.errors import InputError, closest
from nerf.config.flat import Flat
from nerf.config.schema import NerfConfig
from nerf.config.settings import parse_settings
from study.spec.default_space import DEFAULT_SETTINGS, make_default_space
from study.spec.parse_space import parse_space
from study.spec.space import Space
from study.spec.storage_url import holds_credentials
from study.spec.variants import Variant, variant_space, variant_values

WANDB_MODES = ("off", "offline", "online")

# Parameters with an option of their own, which `--set` might contradict.
_OWN_OPTION = {"optimisation.steps": "--steps", "seed": "--seed"}

_TRIALS_FIELDS = ("explore", "optimize", "replicates")
_NON_NEGATIVE = (*_TRIALS_FIELDS, "seed", "gpus_per_trial", "max_concurrent", "retries")
_AT_LEAST_ONE = ("nets", "steps", "cpus_per_trial", "repeats")


@dataclass(frozen=True)
class StudySpec:
    """One study. Raises `InputError` for invalid values."""

    space: Space
    """Parameters that vary, and fixed ones, `optimisation.steps` among them."""

    scene: str = "bricks"
    """A built-in scene (`nerf.scenes.BUILT_IN`), or the path of a scene."""

    downscale: int = 1
    """Divisor of the width and height of photographs in a folder."""

    background: Literal["white", "black", "none"] = "white"
    """Colour behind images with an alpha channel; none recognises no backdrop in others."""

    explore: int = 48
    """Trials of the explore phase: a quasi-random design, each with the full budget."""

    nets: int = 4
    """Nets that the explore design is made of (`study/search/sobol_design.py`)."""

    optimize: int = 8
    """Trials of the optimise phase: the default configuration, then those that TPE proposes."""

    replicates: int = 12
    """Trials that repeat an explored point, the best configuration and the default in turn."""

    alternating_replicates: int = 0
    """How many of them an earlier version planned, which left out the default's turns."""

    variants: tuple[Variant, ...] = ()
    """Named configurations to compare with paired seeds, in place of all phases above."""

    repeats: int = 1
    """Trials of each variant."""

    steps: int = 300
    """Training steps of the full budget."""

    seed: int = 0
    """Seed of the explore design, of TPE and, together with its number, of each trial."""

    cpus_per_trial: int = 1
    gpus_per_trial: float = 0.0
    max_concurrent: int = 0
    """Trials that run at the same time; 0 means as many as fit."""

    wandb: str = "off"
    """off, offline or online."""

    address: str = ""
    """Address of the Ray cluster that runs the trials; empty for this machine alone."""

    storage: str = ""
    """Folder or URL under which the study is mirrored; empty for none."""

    retries: int = 1
    """Retries of a failed trial, each from its last checkpoint."""

    patience: float = 600.0
    """Seconds without a step after which a trial is ended."""

    def __post_init__(self) -> None:
        for name in _NON_NEGATIVE:
            _require(
                getattr(self, name) >= 0,
                f"{option_name(name)} must be 0 or more, got {getattr(self, name)}",
            )
        phases = self.explore + self.optimize
        _require(
            phases > 0 or bool(self.variants),
            "a study needs at least one trial; raise --explore or --optimize",
        )
        _require(
            not self.variants or phases + self.replicates == 0,
            "a study of variants runs nothing else; give --repeats in place of --explore, "
            "--optimize and --replicates",
        )
        for name in _AT_LEAST_ONE:
            _require(
                getattr(self, name) >= 1,
                f"{option_name(name)} must be at least 1, got {getattr(self, name)}",
            )
        _require(self.patience > 0, f"--patience must be positive, got {self.patience:g} s")
        _require(
            self.wandb in WANDB_MODES,
            f"--wandb must be one of {', '.join(WANDB_MODES)}; got {self.wandb!r}"
            + closest(self.wandb, list(WANDB_MODES)),
        )
        _require(
            not holds_credentials(self.storage),
            "--storage must hold no credentials, since it is saved with the study; pass them in "
            "environment variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
        )
        _require(
            bool(self.space.dimensions), "no parameter varies; add a --vary, or remove a --set"
        )

    @property
    def planned(self) -> dict[str, int]:
        """The number of trials of each phase, in the order in which they run."""
        return {
            "variant": len(self.variants) * self.repeats,
            "explore": self.explore,
            "optimize": self.optimize,
            "replicate": self.replicates,
        }

    @property
    def trials(self) -> int:
        return sum(self.planned.values())

    @property
    def reference_config(self) -> NerfConfig:
        """The config of the first variant, or of the default values in a study without variants.

        The default values of a study of variants may be invalid together: no trial combines them.
        """
        if self.variants:
            return self.space.config(variant_values(self.variants[0], self.space))
        return self.space.config(self.space.defaults())

    def to_json(self) -> dict[str, Any]:
        """Every field except the space, which study.json holds under a key of its own."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del fields["space"]
        return fields | {"variants": [variant.to_json() for variant in self.variants]}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> StudySpec:
        """Reads the spec from the content of study.json."""
        fields = dict(document["spec"])
        fields.setdefault("nets", 1)
        fields.setdefault("replicates", 0)
        fields.setdefault("alternating_replicates", fields["replicates"])
        variants = tuple(Variant.from_json(data) for data in fields.pop("variants", ()))
        return StudySpec(space=Space.from_json(document["space"]), variants=variants, **fields)


def study_space(
    varied: Sequence[str],
    settings: Sequence[str],
    steps: int,
    variants: Sequence[Variant] = (),
) -> Space:
    """Parses `--vary` and `--set` texts; without `--vary` and variants, the defaults vary."""
    fixed: Flat = parse_settings(list(settings))
    for path, own in _OWN_OPTION.items():
        _require(path not in fixed, f"{path} has its own option; use {own}")
    _require(steps >= 1, f"--steps must be at least 1, got {steps}")
    varied_paths = {text.partition("=")[0] for text in varied}
    defaults = {path: value for path, value in DEFAULT_SETTINGS.items() if path not in varied_paths}
    fixed = {**defaults, **fixed, "optimisation.steps": steps}
    if variants:
        _require(not varied, "a study of variants varies what they set; remove --vary")
        return variant_space(variants, fixed)
    return parse_space(varied, fixed) if varied else make_default_space(fixed)


def option_name(field: str) -> str:
    """The command-line option of a field."""
    return "--" + field.replace("_", "-")


def with_more_trials(spec: StudySpec, trials: int, replicates: int = 0) -> StudySpec:
    """Adds trials to the explore phase, or to the optimise phase if the study explores nothing.

    A study of variants gets further repeats of all of them. `trials` may be 0 if `replicates` are
    added. Raises `InputError` for smaller numbers, and for replicates of variants.
    """
    if spec.variants:
        return _with_more_repeats(spec, trials, replicates)
    minimum = 0 if replicates > 0 else 1
    _require(trials >= minimum, f"--extend must be at least {minimum}, got {trials}")
    _require(replicates >= 0, f"--replicates must be 0 or more, got {replicates}")
    phase = "explore" if spec.explore else "optimize"
    longer: dict[str, Any] = {phase: getattr(spec, phase) + trials}
    return dataclasses.replace(spec, **longer, replicates=spec.replicates + replicates)


def _with_more_repeats(spec: StudySpec, trials: int, replicates: int) -> StudySpec:
    count = len(spec.variants)
    _require(
        replicates == 0,
        f"a study of variants has no replicates, got --replicates {replicates}; "
        f"--extend {count} runs every variant with another seed",
    )
    _require(
        trials > 0 and trials % count == 0,
        f"--extend must be a positive multiple of the study's {count} variants, got {trials}",
    )
    return dataclasses.replace(spec, repeats=spec.repeats + trials // count)


def require_same_study(changed: StudySpec, saved: StudySpec, given: Sequence[str]) -> None:
    """Raises `InputError` if an option in `given` changes the design of the `saved` study."""
    for field in ("scene", "downscale", "background", *_TRIALS_FIELDS, "repeats", "steps", "seed"):
        if field in given and getattr(changed, field) != getattr(saved, field):
            raise InputError(
                f"{option_name(field)} {getattr(changed, field)} differs from the study's "
                f"{getattr(saved, field)}; leave it out to resume, or give another --name"
            )
    design = {"vary", "set", "variants"} & set(given)
    if design and (changed.space, changed.variants) != (saved.space, saved.variants):
        differing = "variants" if changed.variants != saved.variants else "--vary and --set"
        raise InputError(
            f"{differing} differ from those of the study; leave them out to resume, or give "
            "another --name"
        )


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise InputError(message)
