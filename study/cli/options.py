"""The options of `run_sweep.py`: command line, study file beneath it, and `--help`."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.command_line import Parser, add_scene_options
from nerf.common.errors import InputError
from nerf.config.parameter_help import describe_parameters
from study.driver.resources import MAX_TRIALS_PER_GPU, gpu_share
from study.spec.default_space import DEFAULT_SETTINGS, DEFAULT_VARIED
from study.spec.storage_url import is_url
from study.spec.study_file import read_study_file
from study.spec.study_spec import WANDB_MODES, StudySpec

_Group = argparse._ArgumentGroup

_BUILT_IN_SCENES = ("bricks", "tiny-lego")
_SPEC_FIELDS = {field.name for field in dataclasses.fields(StudySpec)}

_DESCRIPTION = """\
Train many NeRFs with Ray Tune, let Optuna choose the parameters that vary, and write a study folder
with every trial's result and a report. Without options: a default study of a built-in scene, which
takes a few minutes."""

_EXAMPLES = """\
examples:
  python study/run_sweep.py
  python study/run_sweep.py --scene photos.npz --name first --explore 64 --optimize 32 --steps 2000
  python study/run_sweep.py --vary sampling.near=0.5:3 --vary field.width=64,128 --set field.depth=6
  python study/run_sweep.py --name first --resume"""


@dataclass(frozen=True)
class Options:
    """The options of one command; None, or an empty tuple, where an option was not given.

    Help texts are in this module's parser; defaults are those of `StudySpec`.
    """

    scene: str | None = None
    """`bricks`, `tiny-lego` or an absolute path."""
    downscale: int | None = None
    background: str | None = None
    vary: tuple[str, ...] = ()
    """`PATH`, `PATH=LOW:HIGH` or `PATH=a,b,c`."""
    set: tuple[str, ...] = ()
    """`PATH=VALUE`."""
    save_study: Path | None = None

    explore: int | None = None
    optimize: int | None = None
    replicates: int | None = None
    """In all for a new study, in addition for `extend`."""
    steps: int | None = None
    seed: int | None = None

    cpus_per_trial: int | None = None
    gpus_per_trial: float | None = None
    max_concurrent: int | None = None
    retries: int | None = None
    patience: float | None = None

    name: str | None = None
    studies: str | None = None
    address: str | None = None
    storage: str | None = None
    """A URL or an absolute path."""
    wandb: str | None = None

    resume: bool = False
    extend: int | None = None
    allow_changes: bool = False
    plain: bool = False

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
    given = vars(_parser().parse(arguments))
    study_file = given.pop("study", None)
    merged = _merge(read_study_file(study_file) if study_file else {}, given)
    if merged.get("gpus_per_trial") == "auto":
        merged["gpus_per_trial"] = _auto_gpus(merged)
    if "scene" in merged and merged["scene"] not in _BUILT_IN_SCENES:
        merged["scene"] = str(Path(merged["scene"]).absolute())
    if "storage" in merged and not is_url(merged["storage"]):
        merged["storage"] = str(Path(merged["storage"]).absolute())
    return Options(**merged)


def _merge(from_file: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Options of a study file, overridden by those `given` on the command line.

    `--vary` and `--set` override the file's entries of the same parameter and add to the others.
    """
    merged = {**from_file, **given}
    own = {text.partition("=")[0] for key in ("vary", "set") for text in given.get(key, ())}
    for key in ("vary", "set"):
        remaining = [t for t in from_file.get(key, ()) if t.partition("=")[0] not in own]
        merged[key] = (*remaining, *given.get(key, ()))
    return merged


def _auto_gpus(options: dict[str, Any]) -> float:
    """The share of this machine's GPUs that `--gpus-per-trial auto` stands for."""
    if options.get("address"):
        raise InputError(
            "--gpus-per-trial auto looks at this machine alone; with --address, give a number"
        )
    return gpu_share(options.get("cpus_per_trial", StudySpec.cpus_per_trial))


def _parser() -> Parser:
    parser = Parser(
        _DESCRIPTION,
        f"{_EXAMPLES}\n\n{_parameter_help()}",
        prog="run_sweep.py",
        argument_default=argparse.SUPPRESS,
    )
    for title, add_options in (
        ("scene and parameters", _add_scene_and_parameters),
        ("budget", _add_budget),
        ("resources per trial", _add_resources),
        ("location", _add_location),
        ("resuming and display", _add_resuming),
    ):
        add_options(parser.add_argument_group(title))
    return parser


def _add_scene_and_parameters(group: _Group) -> None:
    add_scene_options(group)
    add = group.add_argument
    add(
        "--vary",
        action="append",
        metavar="PATH[=LOW:HIGH|=a,b,c]",
        help="vary a parameter, over its own domain if no values are given (repeatable)",
    )
    add(
        "--study",
        type=Path,
        metavar="FILE",
        help="read options from a TOML or YAML file, or from a W&B sweep.yaml; options on the "
        "command line override it",
    )
    add(
        "--save-study",
        type=Path,
        metavar="FILE",
        help="write the options to a TOML file for --study, and run nothing",
    )


def _add_budget(group: _Group) -> None:
    add = group.add_argument
    explore = f"trials of a quasi-random design over the space (default: {StudySpec.explore})"
    add("--explore", type=int, metavar="N", help=explore)
    optimize = f"trials chosen by TPE to raise the PSNR (default: {StudySpec.optimize})"
    add("--optimize", type=int, metavar="M", help=optimize)
    add(
        "--replicates",
        type=int,
        metavar="R",
        help="trials that repeat a configuration with another seed: explored ones first, then the "
        f"best (default: {StudySpec.replicates})",
    )
    steps = f"training steps of a full trial (default: {StudySpec.steps})"
    add("--steps", type=int, metavar="S", help=steps)
    seed = f"seed of the design, of TPE and of each trial's training (default: {StudySpec.seed})"
    add("--seed", type=int, metavar="K", help=seed)


def _add_resources(group: _Group) -> None:
    add = group.add_argument
    cpus = f"threads of each trial (default: {StudySpec.cpus_per_trial})"
    add("--cpus-per-trial", type=int, metavar="N", help=cpus)
    add(
        "--gpus-per-trial",
        type=_gpus,
        metavar="F|auto",
        help="a number, possibly a fraction; auto: as many trials on each GPU of this machine as "
        f"there are CPUs for, at most {MAX_TRIALS_PER_GPU} (default: 0)",
    )
    concurrent = "trials that run at the same time (default: as many as fit)"
    add("--max-concurrent", type=int, metavar="K", help=concurrent)
    retries = f"retries per failed trial (default: {StudySpec.retries})"
    add("--retries", type=int, metavar="N", help=retries)
    patience = f"end a trial that makes no step for S seconds (default: {StudySpec.patience:g})"
    add("--patience", type=float, metavar="S", help=patience)


def _add_location(group: _Group) -> None:
    add = group.add_argument
    add("--name", help="name of the study (default: the scene's name with date and time)")
    add("--studies", metavar="DIR", help="folder that contains study folders (default: studies)")
    add(
        "--address",
        metavar="auto|HOST:PORT",
        help="run on this Ray cluster; its nodes must share --studies or reach --storage",
    )
    add(
        "--storage",
        metavar="DIR|URL",
        help="mirror the study to this folder, s3://... or gs://...; with --resume, restore it "
        "from there if the study folder is missing",
    )
    add("--wandb", choices=WANDB_MODES, help="log trials to Weights & Biases (default: off)")


def _add_resuming(group: _Group) -> None:
    add = group.add_argument
    resume = "run what is left of the study --name; interrupted trials continue from checkpoints"
    add("--resume", action="store_true", help=resume)
    add(
        "--extend",
        type=int,
        metavar="N",
        help="add N trials to the study --name and resume it (0 with --replicates R adds only "
        "replicates)",
    )
    add(
        "--allow-changes",
        action="store_true",
        help="extend even though code or libraries have changed since the study was created",
    )
    plain = "print one line per trial instead of the live view"
    add("--plain", action="store_true", help=plain)


def _gpus(text: str) -> float | str:
    try:
        return text if text == "auto" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number or auto, got {text!r}") from None


def _parameter_help() -> str:
    varied = [text.partition("=")[0] for text in DEFAULT_VARIED]
    settings = ", ".join(f"{path}={value}" for path, value in DEFAULT_SETTINGS.items())
    return (
        "parameters for --vary and --set, with their defaults (* varied by default):\n"
        f"{describe_parameters(varied)}\n\ndefaults of a study that differ: {settings}"
    )
