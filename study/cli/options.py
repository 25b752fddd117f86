"""The command line of `run_sweep.py`: its options, and the help that lists every parameter."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nerf.common.command_line import Parser
from nerf.config.parameter_help import describe_parameters
from study.driver.resources import MOST_A_GPU
from study.spec.parse_space import DEFAULT_SETTINGS, DEFAULT_VARIED
from study.spec.study_file import read_description
from study.spec.study_spec import WANDB_MODES, StudySpec

_Add = Callable[..., argparse.Action]

_DESCRIPTION = """\
Trains many NeRFs with Ray Tune, lets Optuna choose what varies between them, and leaves a study
folder with every trial's result and a report. Without any option it runs a default study of a
built-in scene in a few minutes."""

_EXAMPLES = """\
examples:
  python study/run_sweep.py
  python study/run_sweep.py --scene photos.npz --name first --explore 64 --optimize 32 --steps 2000
  python study/run_sweep.py --vary sampling.near=0.5:3 --vary field.width=64,128 --set field.depth=6
  python study/run_sweep.py --name first --resume"""


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """The options that were given, by name; those left out are missing. Raises `InputError`.

    A described study counts as given, where the command line says nothing else.
    """
    given = vars(_parser().parse(arguments))
    described = read_description(given["study"]) if "study" in given else {}
    for key in ("vary", "set"):
        own = {text.partition("=")[0] for text in (*given.get("vary", ()), *given.get("set", ()))}
        kept = [text for text in described.get(key, ()) if text.partition("=")[0] not in own]
        described[key] = [*kept, *given.get(key, ())]
    merged = {**described, **{key: given[key] for key in given if key not in ("vary", "set")}}
    return {key: value for key, value in merged.items() if value != []}


def _parser() -> Parser:
    parser = Parser(
        _DESCRIPTION,
        f"{_EXAMPLES}\n\n{_parameter_help()}",
        prog="run_sweep.py",
        argument_default=argparse.SUPPRESS,
    )
    for title, add_options in (
        ("what is studied", _add_what),
        ("how much of it", _add_how_much),
        ("what a trial gets", _add_resources),
        ("where it runs and is kept", _add_where),
        ("how it goes on, and is shown", _add_running),
    ):
        add_options(parser.add_argument_group(title).add_argument)
    return parser


def _add_what(add: _Add) -> None:
    add("--scene", metavar="bricks|tiny-lego|PATH", help="what to reconstruct (default: bricks)")
    add("--downscale", type=int, metavar="N", help="divide photographs' sides by N")
    add(
        "--background",
        choices=("white", "black"),
        help="behind pictures with an alpha channel (default: white)",
    )
    add(
        "--vary",
        action="append",
        metavar="PATH[=LOW:HIGH|=a,b,c]",
        help="vary this parameter; may be given many times",
    )
    add(
        "--set",
        action="append",
        metavar="PATH=VALUE",
        help="hold this parameter at a value; may be given many times",
    )
    add(
        "--study",
        type=Path,
        metavar="FILE",
        help="a study in TOML or YAML, or a W&B sweep.yaml; options override it",
    )
    add(
        "--save-study",
        type=Path,
        metavar="FILE",
        help="write what is asked for as a TOML file for --study, and run nothing",
    )


def _add_how_much(add: _Add) -> None:
    usual = StudySpec
    explored = f"trials that explore (default: {usual.explore})"
    add("--explore", type=int, metavar="N", help=explored)
    optimised = f"trials that optimise (default: {usual.optimize})"
    add("--optimize", type=int, metavar="M", help=optimised)
    add(
        "--replicates",
        type=int,
        metavar="R",
        help="trials that run a configuration again with another seed, first explored ones, then "
        f"the best (default: {usual.replicates})",
    )
    steps = f"steps of a full training (default: {usual.steps})"
    add("--steps", type=int, metavar="S", help=steps)
    add("--seed", type=int, metavar="K", help="makes the study repeatable (default: 0)")


def _add_resources(add: _Add) -> None:
    add("--cpus-per-trial", type=int, metavar="N", help="threads of each trial (default: 1)")
    add(
        "--gpus-per-trial",
        type=_gpus,
        metavar="F|auto",
        help="may be a fraction; auto: each GPU here shared by as many trials as there are CPUs "
        f"for, at most {MOST_A_GPU} (default: 0)",
    )
    add("--max-concurrent", type=int, metavar="K", help="trials at once (default: as many as fit)")
    tries = f"tries more for a trial that breaks off (default: {StudySpec.retries})"
    add("--retries", type=int, metavar="N", help=tries)
    hangs = f"end a trial that makes no step for S seconds (default: {StudySpec.patience:g})"
    add("--patience", type=float, metavar="S", help=hangs)


def _add_where(add: _Add) -> None:
    add("--name", help="the study's name (default: the scene's, with the time)")
    add("--studies", metavar="DIR", help="where study folders lie (default: studies)")
    add(
        "--address",
        metavar="auto|HOST:PORT",
        help="run on this Ray cluster, whose nodes share --studies or reach --storage",
    )
    add(
        "--storage",
        metavar="DIR|URL",
        help="keep a copy of the study under this folder, s3://... or gs://...; with --resume "
        "begin from it where the study folder is missing",
    )
    add("--wandb", choices=WANDB_MODES, help="Weights & Biases (default: off)")


def _add_running(add: _Add) -> None:
    add("--resume", action="store_true", help="go on with the study --name where it stopped")
    add(
        "--extend",
        type=int,
        metavar="N",
        help="give the study --name N more trials of its design (0 with --replicates R: only R "
        "more of those), and go on with it",
    )
    add(
        "--allow-changes",
        action="store_true",
        help="extend a study although code or libraries have changed since",
    )
    add("--plain", action="store_true", help="a line a trial, no live view")


def _gpus(text: str) -> float | str:
    try:
        return text if text == "auto" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number or auto, got {text!r}") from None


def _parameter_help() -> str:
    varied = [text.partition("=")[0] for text in DEFAULT_VARIED]
    usual = ", ".join(f"{path}={value}" for path, value in DEFAULT_SETTINGS.items())
    return (
        "parameters for --vary and --set, with their defaults (* varied by default):\n"
        f"{describe_parameters(varied)}\n\nunless varied or set, a study takes {usual}"
    )
