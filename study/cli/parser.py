"""The command line of `run_sweep.py`: its options and their help."""

from __future__ import annotations

import argparse
from pathlib import Path

from nerf.common.command_line import Parser, add_plugin_option, add_scene_options
from nerf.common.commands import command_line, command_name
from study.cli.parameter_list import list_parameters
from study.cli.trial_options import add_search, add_stopping, add_trials
from study.driver.resources import MAX_TRIALS_PER_GPU
from study.spec.default_space import DEFAULT_SPACE, SPACES
from study.spec.study_rules import TRACKERS, WANDB_MODES
from study.spec.study_spec import StudySpec
from study.trainers.parameter_set import NERF, ParameterSet
from study.trainers.program.command import PLACES

_Group = argparse._ArgumentGroup

_DESCRIPTION = (
    "Train many NeRFs with Ray Tune, let Optuna choose the parameters that vary, and write a study "
    "folder with every trial's result and a report. Without options: a default study of a built-in "
    "scene, in two to six minutes on two cores. The same command with --resume continues a study."
)

_EXAMPLES = (
    "",
    "--scene photos.npz --name first --explore 64 --optimise 32 --steps 2000",
    "--scene bricks --scene tiny-lego --name both --explore 64",
    "--vary sampling.near=0.5:3 --vary field.width=64,128 --set field.depth=6",
    "--trainable my_nerf.py:train --metric loss --direction min --vary lr=1e-4:1e-1",
    "--command './train.sh {lr} {steps} {folder}' --parameter-file lr.toml --metric psnr "
    "--direction max",
    "--name first --resume",
    "--name first --extend 64",
    "--name first --resume --save-study first.toml",
)
"""Options of commands to show as examples."""


def make_parser(parameters: ParameterSet = NERF) -> Parser:
    """The parser, whose namespace lacks the options that are not given.

    parameters: those that its help lists
    """
    program = command_line("study/run_sweep.py")
    parser = Parser(
        _DESCRIPTION,
        list_parameters(parameters),
        examples=[f"{program} {options}".rstrip() for options in _EXAMPLES],
        prog=Path(command_name("study/run_sweep.py")).name,
        argument_default=argparse.SUPPRESS,
    )
    for title, add_options in (
        ("scene and parameters", _add_scene_and_parameters),
        ("a trainer of your own", _add_trainer),
        ("trials", add_trials),
        ("design and sampler", add_search),
        ("when to stop", add_stopping),
        ("resources", _add_resources),
        ("location", _add_location),
        ("resuming and display", _add_resuming),
    ):
        add_options(parser.add_argument_group(title))
    return parser


def _add_scene_and_parameters(group: _Group) -> None:
    add_scene_options(group, several=True)
    add_plugin_option(group)
    add = group.add_argument
    add(
        "--vary",
        action="append",
        metavar="PATH[=LOW:HIGH|=a,b,c]",
        help="vary a parameter over its own domain, a range or a list of values (repeatable); "
        "LOW:HIGH:log and LOW:HIGH:linear set the scale, LOW:HIGH:step=S takes LOW, LOW + S, ..., "
        "LOW:HIGH:scene is in parts of the depth range that each scene suggests (near, far, span), "
        "a*0.9,b*0.1 gives probabilities",
    )
    spaces = "; ".join(f"{name}: {space.description}" for name, space in SPACES.items())
    add(
        "--space",
        choices=tuple(SPACES),
        dest="space_name",
        help=f"without --vary: what varies ({spaces}; default: {DEFAULT_SPACE})",
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
        help="write the whole study, defaults included, to a TOML file for --study, and run "
        "nothing",
    )


def _add_trainer(group: _Group) -> None:
    add = group.add_argument
    places = ", ".join(f"{{{name}}}" for name in PLACES)
    add(
        "--trainable",
        metavar="FILE.py:NAME",
        help="study this function train(config, run) in place of the NeRF, or package.module:NAME; "
        "with --help: list its parameters",
    )
    add(
        "--command",
        metavar="TEXT",
        help="study this program in place of the NeRF, such as 'python train.py --lr {lr}': run "
        "without a shell, with the values of a trial for its placeholders, among them "
        f'{places}; it prints lines such as {{"step": 100, "psnr": 21.3}}',
    )
    add(
        "--parameter-file",
        metavar="FILE.toml",
        help="the parameters of --command: a table for each, with a default and a range (low, "
        "high, log) or choices",
    )
    add("--workdir", metavar="DIR", help="the folder in which --command runs (default: this one)")
    metric = (
        "what trials are ranked by: psnr (the default), ssim, a metric that a --plugin registers, "
        "seconds of training or peak memory; with --trainable or --command seconds, memory or a "
        "metric that it reports, such as loss:min or loss:min:nats; several (repeatable): the "
        "optimise phase seeks the Pareto front"
    )
    add("--metric", action="append", metavar="NAME[:max|min[:UNIT]]", help=metric)
    add("--direction", choices=("max", "min"), help="whether more or less of it is better")
    add("--unit", metavar="TEXT", help="unit of the metric, for reports (default: none)")
    add(
        "--collapse",
        action="append",
        metavar="METRIC>LIMIT[@STEP]",
        help="end a trial as collapsed where a metric is above (>) or below (<) a limit, with "
        "@STEP only from that step on (repeatable)",
    )


def _add_resources(group: _Group) -> None:
    add = group.add_argument
    cpus = f"threads of each trial (default: {StudySpec.cpus_per_trial})"
    add("--cpus-per-trial", type=int, metavar="N", help=cpus)
    add(
        "--gpus-per-trial",
        type=_gpus,
        metavar="F|auto",
        help="GPUs of each trial, possibly a fraction; auto: the share that lets each GPU of this "
        f"machine run as many trials as there are CPUs for, at most {MAX_TRIALS_PER_GPU} "
        "(default: 0)",
    )
    add(
        "--pack",
        metavar="K|auto",
        help="train K trials at a time on each GPU, equal networks as one and others in turn; all "
        "K share the CPUs of one trial, and do so without a GPU, too, which is slower; auto: "
        "measure at the launch which K is fastest (default: 1)",
    )
    concurrent = "trials that run at the same time (default: 0, as many as fit)"
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
    wait = (
        "with --address: give up after S seconds in which no trial could run "
        f"(default: {StudySpec.wait_for_nodes:g})"
    )
    add("--wait-for-nodes", type=float, metavar="S", help=wait)
    add(
        "--storage",
        metavar="DIR|URL",
        help="mirror the study to this folder, s3://... or gs://...; with --resume, restore it "
        "from there if the study folder is missing",
    )
    track = (
        f"log trials to these tools as well: {', '.join(TRACKERS)}, or wandb, which is --wandb "
        "offline; several with commas, or off (default: off)"
    )
    add("--track", action="append", metavar="TOOL,...", help=track)
    add("--wandb", choices=WANDB_MODES, help="log trials to Weights & Biases (default: off)")


def _add_resuming(group: _Group) -> None:
    add = group.add_argument
    resume = (
        "run what is left of the study --name, or of the only unfinished one; interrupted trials "
        "continue from checkpoints; other options may stay as they were"
    )
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
    add(
        "--dry-run",
        action="store_true",
        help="say how long this study will take, how much disk, and what it will be able to tell, "
        "from some short trials; create nothing",
    )
    plain = "print one line per trial instead of the live view"
    add("--plain", action="store_true", help=plain)


def _gpus(text: str) -> float | str:
    try:
        return text if text == "auto" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number or auto, got {text!r}") from None
