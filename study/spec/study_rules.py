"""What the options of a study may be, alone and together, and the error that names each misuse."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

from nerf.common.errors import InputError, closest
from study.spec.earlier_trials import check_earlier
from study.spec.optimiser import PRUNERS, SAMPLERS, check_sampler
from study.spec.space import Space
from study.spec.stopping_rule import FIRST_LOOK, StoppingRule
from study.spec.storage_url import STORAGE_SCHEMES, holds_credentials, is_url
from study.trainers.collapse_rule import parse_rule
from study.trainers.objective import PSNR

if TYPE_CHECKING:
    from study.spec.study_spec import StudySpec

WANDB_MODES = ("off", "offline", "online")

TRACKERS = ("tensorboard", "mlflow")
"""What `track` may name; W&B has its own field, as it has modes."""

Design = Literal["sobol", "random", "grid"]
DESIGNS: tuple[Design, ...] = ("sobol", "random", "grid")
"""What the explore phase runs: points of a Sobol' design, independent draws, or every combination
of values."""

_NON_NEGATIVE = (
    "explore",
    "optimize",
    "replicates",
    "seed",
    "gpus_per_trial",
    "max_concurrent",
    "retries",
    "wait_for_nodes",
    "pack",
)
_AT_LEAST_ONE = ("nets", "steps", "cpus_per_trial", "repeats")


def require_valid(spec: StudySpec) -> None:
    """Raises `InputError` for the first rule that the study breaks."""
    for name in _NON_NEGATIVE:
        value = getattr(spec, name)
        require(value >= 0, f"{option_name(name)} must be 0 or more, got {value}")
    _require_search(spec)
    for rule in spec.collapse:
        parse_rule(rule)
    _require_trainer(spec)
    _require_scenes(spec)
    _require_metrics(spec)
    _require_phases(spec)
    for name in _AT_LEAST_ONE:
        value = getattr(spec, name)
        require(value >= 1, f"{option_name(name)} must be at least 1, got {value}")
    _require_packable(spec)
    _require_stoppable(spec)
    _require_launch(spec)
    require(bool(spec.space.dimensions), "no parameter varies; add a --vary, or remove a --set")


def _require_search(spec: StudySpec) -> None:
    """Design, sampler and pruner, and the trials from which the sampler starts."""
    _require_choice("--design", spec.design, DESIGNS, "or FILE.csv; ")
    if spec.design == "grid" and not spec.until:  # which goes with no grid
        _require_grid(spec.space, spec.explore)
    check_sampler(spec.sampler)
    _require_choice("--sampler", spec.sampler, SAMPLERS)
    _require_choice("--pruner", spec.pruner, PRUNERS)
    check_earlier(spec.earlier, [d.path for d in spec.space.dimensions])


def _require_trainer(spec: StudySpec) -> None:
    """A trainer of the user, or plugins."""
    require(
        not spec.trainer or spec.pack == 1,
        "--pack trains networks of this project's NeRF as one, and the study has a trainer of "
        "its own; remove --pack, or give each trial a share of the GPU by --gpus-per-trial",
    )
    require(
        not spec.plugins or not spec.trainer,
        "--plugin adds to the choices of this project's NeRF, and "
        f"{'--command' if spec.command else '--trainable'} trains another in its place; leave one "
        "of the two out",
    )
    require(
        not spec.plugins or spec.pack == 1,
        "--pack trains networks of built-in pieces as one, and the study has plugins; remove "
        "--pack, or give each trial a share of the GPU by --gpus-per-trial",
    )


def _require_scenes(spec: StudySpec) -> None:
    """What a study of several scenes cannot have."""
    require(
        not spec.scenes or not spec.scene,
        "a study of several scenes has no single one; name all of them by --scene",
    )
    require(
        not spec.scenes or not spec.earlier,
        "--from starts a study of one scene, and this one has several; leave it out",
    )
    require(
        not spec.scenes or spec.pruner != "hyperband",
        "--pruner hyperband would compare trials of different scenes; choose halving or median",
    )
    is_own = bool(spec.trainer) and len(spec.objectives) == 1
    require(
        not spec.scenes or spec.objectives == (PSNR,) or is_own,
        "several scenes are compared by PSNR, or by one metric of a trainer of your own; leave "
        "--metric out, or name one scene",
    )


def _require_metrics(spec: StudySpec) -> None:
    """What a study of several metrics, or of one that is measured, cannot have."""
    several = len(spec.objectives) > 1
    require(
        not spec.until or not several,
        "--until and --until-sure ask about one metric, and the study has "
        f"{len(spec.objectives)}; leave it out, or name one metric",
    )
    require(
        not several or spec.sampler != "cmaes",
        "--sampler cmaes seeks the best of one metric; choose tpe, or name one metric",
    )
    require(
        not several or spec.pruner in ("halving", "none"),
        f"--pruner {spec.pruner} stops trials by one metric, and of several none is stopped; leave "
        "it out, or name one metric",
    )
    require(
        not several or not spec.earlier,
        "--from starts a study of one metric, and this one has several; leave it out",
    )
    require(
        not spec.collapse or spec.pack == 1,
        "--pack trains several trials as one, which --collapse does not end; remove one of the two",
    )
    costs = [objective.metric for objective in spec.objectives if objective.is_measured]
    require(
        not costs or spec.pack == 1,
        f"--metric {', '.join(costs)} is measured per process, and --pack "
        f"{spec.pack or 'auto'} trains several trials in one; remove one of the two",
    )


def _require_phases(spec: StudySpec) -> None:
    """Trials to run: those of phases, or variants alone."""
    phases = spec.explore + spec.optimize
    require(
        phases > 0 or bool(spec.variants) or bool(spec.tries),
        "a study needs at least one trial; raise --explore or --optimise",
    )
    require(
        not (spec.variants and spec.until),
        "a study of variants explores nothing that --until-sure and --until could look at; "
        "remove them",
    )
    require(
        not spec.variants or phases + spec.replicates == 0,
        "a study of variants runs nothing else; give --repeats in place of --explore, "
        "--optimise and --replicates",
    )
    require(
        not spec.variants or not spec.tries,
        "a study of variants runs nothing else; write what --try names as a variant",
    )


def _require_launch(spec: StudySpec) -> None:
    """Where and how it runs, and what it is logged to."""
    require(
        bool(spec.address) or spec.wait_for_nodes == type(spec).wait_for_nodes,
        "--wait-for-nodes is for a cluster, and this study runs on one machine; remove it, or "
        "add --address",
    )
    require(spec.patience > 0, f"--patience must be positive, got {spec.patience:g} s")
    _require_choice("--wandb", spec.wandb, WANDB_MODES)
    for name in spec.trackers:
        require(
            name in TRACKERS,
            f"--track must be off, or one or several of wandb, {', '.join(TRACKERS)}; got "
            f"{name!r}" + closest(name, ["wandb", *TRACKERS]),
        )
    require(
        not is_url(spec.storage) or spec.storage.startswith(STORAGE_SCHEMES),
        f"--storage must be a folder, s3://... or gs://..., got {spec.storage!r}",
    )
    require(
        not holds_credentials(spec.storage),
        "--storage must hold no credentials, since it is saved with the study; pass them in "
        "environment variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
    )


def _require_packable(spec: StudySpec) -> None:
    """Raises `InputError` where `--pack` has no whole GPU, nor one machine, to pack trials on."""
    if spec.pack == 1:
        return
    pack = f"--pack {spec.pack or 'auto'}"
    require(
        spec.gpus_per_trial in (0, 1),
        f"{pack} trains several trials on each whole GPU, and --gpus-per-trial is "
        f"{spec.gpus_per_trial:g}; set that to 1, or --pack to 1",
    )
    require(
        not spec.pack or spec.gpus_per_trial > 0 or not spec.address,
        f"{pack} needs GPUs on a cluster; add --gpus-per-trial 1, or remove --pack",
    )


def _require_stoppable(spec: StudySpec) -> None:
    """Raises `InputError` where a stopping rule or a limit of time cannot be kept."""
    for name in ("hours", "budget"):
        value = getattr(spec, name)
        require(
            0 <= value < math.inf, f"{option_name(name)} must be a positive number, got {value:g}"
        )
    require(
        not spec.budget or spec.gpus_per_trial > 0,
        "--budget counts GPU hours, and trials of this study have no GPU; give --hours, or add "
        "--gpus-per-trial",
    )
    require(
        not spec.variants or not (spec.hours or spec.budget),
        "--hours and --budget cut phases in proportion, and a study of variants has none; lower "
        "--repeats",
    )
    require(
        not spec.scenes or not spec.until,
        "--until and --until-sure look at trials on one scene; name one --scene, or remove them",
    )
    if not spec.until:
        return
    rule = StoppingRule.parse(spec.until)
    require(
        not spec.variants and spec.design == "sobol",
        "--until and --until-sure explore a Sobol' design in batches; remove them, or "
        + ("the variants" if spec.variants else f"--design {spec.design}"),
    )
    require(
        spec.max_explore >= FIRST_LOOK,
        f"--until and --until-sure first look after {FIRST_LOOK} explored trials; raise --explore, "
        f"the most that are explored, from {spec.max_explore}",
    )
    paths = [dimension.path for dimension in spec.space.dimensions]
    require(
        not rule.path or rule.path in paths,
        f"--until '{spec.until}': {rule.path} does not vary; this study varies {', '.join(paths)}"
        + closest(rule.path, paths),
    )


def _require_choice(option: str, value: str, choices: Collection[str], others: str = "") -> None:
    """Raises `InputError` with the nearest of the choices unless `value` is one of them."""
    require(
        value in choices,
        f"{option} must be one of {', '.join(choices)}; {others}got {value!r}"
        + closest(value, list(choices)),
    )


def _require_grid(space: Space, explore: int) -> None:
    """Raises `InputError` unless the space is a grid of at least `explore` cells."""
    for dimension in space.dimensions:
        require(
            dimension.levels > 0,
            f"--design grid takes listed values, but {dimension.path} takes any number; list its "
            f"values, or write {dimension.path}=LOW:HIGH:step=S",
        )
        require(
            not dimension.weights,
            f"--design grid runs every value equally often; remove the probabilities of "
            f"{dimension.path}",
        )
    require(
        explore <= space.grid_size,
        f"--explore {explore} is more than the {space.grid_size} cells of the grid; lower it, or "
        "leave it out to run them all",
    )


def option_name(field: str) -> str:
    """The command-line option of a field."""
    return "--optimise" if field == "optimize" else "--" + field.replace("_", "-")


def require(holds: bool, message: str) -> None:
    """Raises `InputError` with the message unless `holds`."""
    if not holds:
        raise InputError(message)
