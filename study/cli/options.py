"""The options of `run_sweep.py`, from its command line and a study file."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nerf.common.command_line import option_values
from nerf.common.errors import InputError
from nerf.config.parameters import Value
from nerf.config.plugin import load_named
from nerf.scenes import BUILT_IN
from study.cli.parser import make_parser
from study.driver.resources import gpu_share
from study.spec.earlier_trials import EarlierTrials
from study.spec.scenes import StudyScene, label_scenes
from study.spec.stopping_rule import StoppingRule
from study.spec.storage_url import is_url
from study.spec.study_file import read_study_file
from study.spec.study_rules import option_name
from study.spec.study_spec import StudySpec
from study.spec.variants import Variant
from study.trainers.find_trainer import TRAINER_OPTIONS, find_trainer
from study.trainers.parameter_set import NERF, DeclaredParameters, ParameterSet

_SPEC_FIELDS = {field.name for field in dataclasses.fields(StudySpec)}


@dataclass(frozen=True)
class Options:
    """The options of one command; None, or an empty tuple, where an option was not given.

    `study/cli/parser.py` describes each of them; defaults are those of `StudySpec`.
    """

    trainable: str | None = None
    """A trainer of the user, with the absolute path of its file."""
    command: str | None = None
    """A program of the user."""
    parameter_file: str | None = None
    """An absolute path."""
    workdir: str | None = None
    """An absolute path."""
    plugin: tuple[str, ...] = ()
    """Absolute paths of plugins, which are loaded."""
    metric: tuple[str, ...] = ()
    """Each as `--metric` names it."""
    direction: str | None = None
    unit: str | None = None
    collapse: tuple[str, ...] = ()
    scene: str | None = None
    """A built-in scene (`nerf.scenes.BUILT_IN`), or an absolute path; None for several, too."""
    scenes: tuple[StudyScene, ...] = ()
    """Two or more of them, in place of `scene`."""
    downscale: int | None = None
    background: str | None = None
    follow_links: bool | None = None
    vary: tuple[str, ...] = ()
    """As `parse_dimension` reads them."""
    space_name: str | None = None
    """Of `SPACES`, in place of `vary`."""
    set: tuple[str, ...] = ()
    """`PATH=VALUE`."""
    defaults: Mapping[str, Value] | None = None
    """Of every parameter, by a study file that states them; no option gives them."""
    save_study: Path | None = None

    explore: int | None = None
    design: str | None = None
    optimize: int | None = None
    sampler: str | None = None
    pruner: str | None = None
    replicates: int | None = None
    """Of a new study, in all; the `replicates` of a study file also beside `extend`."""
    variants: tuple[Variant, ...] = ()
    """Of a study file; no option gives them."""
    repeats: int | None = None
    until: str | None = None
    """As `StoppingRule` reads it, also of `--until-sure`."""
    hours: float | None = None
    budget: float | None = None
    """GPU hours."""
    from_studies: tuple[str, ...] = ()
    """Absolute paths of studies whose trials start the optimiser."""
    earlier: tuple[EarlierTrials, ...] = ()
    """Such trials in a study file; no option gives them."""
    try_texts: tuple[str, ...] = ()
    """As `parse_points` reads them; of a study file those that no option gives."""
    steps: int | None = None
    seed: int | None = None

    cpus_per_trial: int | None = None
    gpus_per_trial: float | None = None
    pack: int | None = None
    """0 where it is auto."""
    max_concurrent: int | None = None
    retries: int | None = None
    patience: float | None = None

    name: str | None = None
    studies: str | None = None
    address: str | None = None
    wait_for_nodes: float | None = None
    storage: str | None = None
    """A URL or an absolute path."""
    wandb: str | None = None
    track: str | None = None
    """Trackers besides W&B, as in `StudySpec`."""

    resume: bool = False
    extend: int | None = None
    more_replicates: int | None = None
    """`--replicates` on a command line with `--extend`: how many to add."""
    allow_changes: bool = False
    plain: bool = False
    dry_run: bool = False
    notes: tuple[str, ...] = field(default=(), compare=False)
    """How a `--study` file was understood, to be printed; no option gives them."""

    def given(self) -> dict[str, Any]:
        """The options that were given, by name."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {k: v for k, v in values.items() if v is not None and v is not False and v != ()}

    def spec_fields(self) -> dict[str, Any]:
        """Those of them that are fields of a `StudySpec`, by name."""
        return {name: value for name, value in self.given().items() if name in _SPEC_FIELDS}


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Options of the command line, above those of its `--study` file.

    Paths become absolute and `--gpus-per-trial auto` a number, as both depend on this machine.
    Raises `InputError`.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    load_named(option_values(arguments, "--plugin"))
    given = vars(make_parser(_named_parameters(arguments)).parse(arguments))
    study_file = given.pop("study", None)
    if "until_sure" in given:
        if "until" in given:
            raise InputError("--until-sure and --until are two rules; give one of them")
        given["until"] = f"sure {given.pop('until_sure')}"
    if given.get("extend") is not None and "replicates" in given:
        given["more_replicates"] = given.pop("replicates")
    merged = _merge(read_study_file(study_file, given) if study_file else {}, given)
    if "pack" in merged:
        merged["pack"] = _parse_pack(str(merged["pack"]))
    if merged.get("gpus_per_trial") == "auto":
        merged["gpus_per_trial"] = _auto_gpus(merged)
    merged["plugin"] = tuple(str(Path(file).absolute()) for file in merged.get("plugin", ()))
    if "trainable" in merged:
        trainer = find_trainer(merged)  # not both
        merged["trainable"] = trainer.name if trainer else ""
    for name in {"parameter_file", "workdir"} & merged.keys():
        merged[name] = str(Path(merged[name]).absolute())
    if "dry_run" in merged and "save_study" in merged:
        raise InputError("--dry-run creates nothing, and --save-study writes a file; remove one")
    if "allow_changes" in merged and "extend" not in merged:
        raise InputError(
            "--allow-changes is for --extend N, which is missing; add it, or leave this out"
        )
    if "until" in merged:
        merged["until"] = StoppingRule.parse(merged["until"]).text
    for name in ("collapse", "metric", "try_texts"):
        merged[name] = tuple(merged.get(name, ()))
    studies = Path(merged.get("studies", "studies"))
    named = merged.get("from_studies", ())
    from study.cli.earlier_studies import find_study  # imports pandas

    merged["from_studies"] = tuple(str(find_study(text, studies)) for text in named)
    if "scene" in merged:
        merged |= _parse_scenes(merged.pop("scene"))
    if "storage" in merged and not is_url(merged["storage"]):
        merged["storage"] = str(Path(merged["storage"]).absolute())
    if "track" in merged:
        merged |= _parse_track(merged["track"], merged.get("wandb"))
    merged["notes"] = tuple(merged.get("notes", ()))
    return Options(**merged)


def _named_parameters(arguments: Sequence[str]) -> ParameterSet:
    """The parameters that `--help` lists: those of the trainer that is named beside it."""
    if {"-h", "--help"}.isdisjoint(arguments):
        return NERF
    named = {name: option_values(arguments, option_name(name)) for name in TRAINER_OPTIONS}
    trainer = find_trainer({name: values[-1] for name, values in named.items() if values})
    return DeclaredParameters.of(trainer) if trainer else NERF


def _merge(from_file: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Options of a study file, overridden by those `given` on the command line.

    `--vary` and `--set` override the file's entries of the same parameter and add to the others.
    """
    if given.keys() & {"trainable", "command"}:  # another trainer than the file's
        from_file = {k: v for k, v in from_file.items() if k not in TRAINER_OPTIONS}
    if "metric" in given:  # the file's direction and unit are those of its own metric
        from_file = {k: v for k, v in from_file.items() if k not in ("direction", "unit")}
    merged = {**from_file, **given}
    own = {text.partition("=")[0] for key in ("vary", "set") for text in given.get(key, ())}
    for key in ("vary", "set"):
        remaining = [t for t in from_file.get(key, ()) if t.partition("=")[0] not in own]
        merged[key] = (*remaining, *given.get(key, ()))
    return merged


def _parse_scenes(given: str | Sequence[str]) -> dict[str, Any]:
    """The field `scene`, or `scenes` if there are several; paths become absolute."""
    named = [given] if isinstance(given, str) else given
    sources = [name if name in BUILT_IN else str(Path(name).absolute()) for name in named]
    return {"scene": sources[0]} if len(sources) == 1 else {"scenes": label_scenes(sources)}


def _auto_gpus(options: dict[str, Any]) -> float:
    """The share of this machine's GPUs that `--gpus-per-trial auto` stands for."""
    if options.get("address"):
        raise InputError(
            "--gpus-per-trial auto looks at this machine alone; with --address, give a number"
        )
    share = gpu_share(options.get("cpus_per_trial", StudySpec.cpus_per_trial))
    is_packed = options.get("pack", 1) != 1
    return math.ceil(share) if is_packed else share


def _parse_pack(text: str) -> int:
    """The number of trials that `--pack` names, or 0 for auto; raises `InputError`."""
    if text == "auto":
        return 0
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"--pack must be 1 or more, or auto, got {text!r}")
    return int(text)


def _parse_track(track: str | Sequence[str], wandb: str | None) -> dict[str, str]:
    """The fields `track` and `wandb` of what `--track` and `--wandb` name; raises `InputError`.

    `--track` names all trackers, so that without wandb among them W&B is off, unless `--wandb` is
    given, too.
    """
    texts = [track] if isinstance(track, str) else track
    names = list(dict.fromkeys(name.strip() for text in texts for name in text.split(",")))
    if "off" in names and len(names) > 1:
        raise InputError(f"--track off excludes every other, got {', '.join(names)}; remove one")
    if "wandb" in names and wandb == "off":
        raise InputError("--track wandb and --wandb off contradict each other; remove one")
    mode = wandb or ("offline" if "wandb" in names else "off")
    others = [name for name in names if name != "wandb"]
    return {"track": ",".join(others) if others else "off", "wandb": mode}
